"""No change beyond the noise: what differs by more than noise can is structure, however small.

A dot of one voxel is spread so thinly over a block's coefficients that shrinking takes it for noise. Nor is any value
darker or brighter than the darkest and brightest that were measured: patches at metal overshoot.
"""

import numpy as np
import numpy.typing as npt

from models.volume.scaling import Scaling

LARGEST_CHANGE_SD = 3.5  # of the local noise; normal noise exceeds it in .05 % of the voxels


def limit_change(images: npt.NDArray[np.float32], voxels: npt.NDArray[np.float32], scaling: Scaling) -> None:
    """Keep ``images`` near ``voxels``, both (slices, rows, columns) in real units; in place."""
    size = (images.shape[1], images.shape[2])
    lowest, highest = voxels.min(), voxels.max()
    for index, (image, voxel) in enumerate(zip(images, voxels, strict=True)):
        most = LARGEST_CHANGE_SD * scaling.unit * scaling.level_at(index, 0, 0, size)[0].cpu().numpy()
        np.clip(image, np.maximum(voxel - most, lowest), np.minimum(voxel + most, highest), out=image)
