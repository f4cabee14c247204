"""What the values of a volume say about where it can be learnt from, by modality."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from skimage.filters import threshold_otsu

CT_AIR = -950.0  # HU; air is -1000, lung about -850
CT_PLAIN = (-200.0, 200.0)  # HU; fat and soft organs: lung and bone are texture that changes from slice to slice
OTSU_SHARE = 0.5  # of Otsu's threshold between air and body, so that dark tissue is kept
SAMPLE = 1_000_000  # voxels the threshold is taken from


@dataclass(frozen=True)
class Tissue:
    """Ranges of real values.

    Attributes:
        above: values above which a voxel is tissue, not air.
        plain: values between which slices differ by noise rather than by texture; noise elsewhere is taken to be no
            stronger than around it.
    """

    above: float
    plain: tuple[float, float]


def tissue_of(voxels: npt.NDArray[np.float32], modality: str) -> Tissue:
    """Fixed in CT, whose values have a scale; half of Otsu's threshold elsewhere."""
    if modality == "CT":
        return Tissue(CT_AIR, CT_PLAIN)
    sample = voxels.ravel()[:: 1 + voxels.size // SAMPLE]
    above = OTSU_SHARE * float(threshold_otsu(sample)) if np.ptp(sample) > 0 else float(sample[0])
    return Tissue(above, (-math.inf, math.inf))
