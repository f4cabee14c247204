"""No change beyond the noise: a larger difference is structure, however small.

A dot of one voxel is spread so thinly over a block's coefficients that shrinkage takes it for noise. Nor does any value
leave the range of those measured: similar patches overshoot at metal.
"""

import numpy as np
import numpy.typing as npt

from models.volume.scaling import Scaling

LARGEST_CHANGE_SD = 3.5  # of the local noise; normal noise exceeds it in .05 % of the voxels


def limit_change(images: npt.NDArray[np.float32], voxels: npt.NDArray[np.float32], scaling: Scaling) -> None:
    """Clip ``images`` to the neighbourhood of ``voxels``, both (slices, rows, columns) in real units; in place."""
    size = (images.shape[1], images.shape[2])
    lowest, highest = voxels.min(), voxels.max()
    for index, (image, voxel) in enumerate(zip(images, voxels, strict=True)):
        noise = scaling.relative_noise_at(index, 0, 0, size)[0].cpu().numpy()
        most = LARGEST_CHANGE_SD * scaling.unit * noise
        np.clip(image, np.maximum(voxel - most, lowest), np.minimum(voxel + most, highest), out=image)
