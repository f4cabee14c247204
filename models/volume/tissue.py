"""Which values of a volume are tissue, and where its noise can be measured, by modality."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.filters import threshold_otsu

CT_AIR = -950.0  # HU; air is -1000, lung about -850
CT_HOMOGENEOUS = (-200.0, 200.0)  # HU; fat and soft organs; lung and bone have texture that changes from slice to slice
HIGH, DYNAMIC_RANGE = 0.995, 1000.0  # quantile that counts as bright; values darker by this factor are clipped
TINY = 1e-12  # real units; an image of zeros has nothing bright
CEILING = {"CT": 2.0, "MR": 1.5, "PT": 3.0}  # so far attenuation, coils and decay make the noise vary
SAMPLE = 1_000_000  # voxels the threshold is taken from


@dataclass(frozen=True)
class Tissue:
    """Ranges of real values.

    Attributes:
        threshold: values above which a voxel is tissue, not air.
        homogeneous: values between which slices differ by noise rather than by texture; elsewhere the noise is assumed
            to be no stronger than around.
        ceiling: times the typical noise; larger differences are anatomy even in homogeneous tissue.
        counts: whether the noise grows with the square root of the signal.
    """

    threshold: float
    homogeneous: tuple[float, float]
    ceiling: float
    counts: bool = False


def tissue_of(voxels: npt.NDArray[np.float32], modality: str) -> Tissue:
    """Return the tissue of ``voxels``, (slices, rows, columns).

    The threshold is fixed in CT, whose values are calibrated. Elsewhere it is Otsu's, of values compressed by a square
    root or logarithm.
    """
    if modality == "CT":
        return Tissue(CT_AIR, CT_HOMOGENEOUS, CEILING["CT"])
    sample = voxels.ravel()[:: 1 + voxels.size // SAMPLE]
    bright = max(float(np.quantile(sample, HIGH)), TINY)
    counts = modality == "PT"
    compress, expand = (np.sqrt, np.square) if counts else (np.log, np.exp)
    compressed = compress(np.clip(sample, bright / DYNAMIC_RANGE, bright))
    threshold = float(expand(threshold_otsu(compressed))) if np.ptp(compressed) > 0 else 0.0
    return Tissue(threshold, (-math.inf, math.inf), CEILING[modality], counts)
