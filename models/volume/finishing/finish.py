"""The last steps of the default variant: fuse, keep spots, limit the change, return low frequencies."""

import numpy as np
import numpy.typing as npt

from models.volume.finishing.change_limit import limit_change
from models.volume.finishing.fusion import fuse_neighbours
from models.volume.finishing.low_frequencies import RETURNED_FRACTION, return_low_frequencies
from models.volume.finishing.spots import THICK, keep_spots
from models.volume.matching import estimate_difference_sd
from models.volume.measured_volume import MeasuredVolume

Voxels = npt.NDArray[np.float32]


def finish(
    images: Voxels, voxels: Voxels, volume: MeasuredVolume, spacing: tuple[float, float, float], modality: str
) -> float:
    """Finish ``images`` in place.

    Args:
        images: denoised, (slices, rows, columns) in real units.
        voxels: as measured, the same shape and unit.
        volume: the same voxels with tissue, noise and scaling.
        spacing: mm between slices, rows and columns.
        modality: CT, MR or PT.

    Returns:
        The sd in mm of the Gaussian above which structures pass unchanged.
    """
    threshold = volume.tissue.threshold
    if not volume.noise.in_slice:
        fuse_neighbours(images, volume.scaling, threshold, estimate_difference_sd(volume.noise))
    alone = volume.noise.in_slice or spacing[0] >= THICK * max(spacing[1:])
    if alone and not volume.tissue.counts:  # PET's noise is as smooth as its spots
        keep_spots(images, voxels, volume)
    limit_change(images, voxels, volume.scaling)
    return return_low_frequencies(images, voxels, spacing, threshold, RETURNED_FRACTION[modality])
