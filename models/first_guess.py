"""The first guess of a volume, from which its network starts: shrunk by the noise measured on it."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch import Tensor

from models.noise_level import SliceNoise
from models.noise_spectrum import coefficient_sd
from models.scaling import Scaling
from models.slice_noise import settled
from models.transform import shrunk


def first_guess(volume: Tensor, scaling: Scaling, noise: SliceNoise, threshold: float) -> npt.NDArray[np.float32]:
    """The slices of ``volume``, (slices, 1, rows, columns), guessed: (slices, rows, columns), in its units.

    Args:
        threshold: real value above which a voxel is tissue.
    """
    size = (volume.shape[-2], volume.shape[-1])

    def in_noise_units() -> Iterator[Tensor]:
        for index, slice_ in enumerate(volume):
            yield (scaling.scaled(slice_) / scaling.level_at(index, 0, 0, size))[0]

    images = np.empty((len(volume), *size), np.float32)
    noise_sd = coefficient_sd(volume, scaling, threshold, settled(noise.correlations))
    for index, guess in enumerate(shrunk(in_noise_units(), noise_sd)):
        images[index] = (guess * scaling.level_at(index, 0, 0, size)[0]).cpu().numpy()
    return images
