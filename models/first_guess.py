"""The first guess of a volume, from which its network starts: shrunk by the noise measured on it."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from torch import Tensor

from models.scaling import Scaling
from models.transform import shrunk


def first_guess(volume: Tensor, scaling: Scaling, noise_sd: Tensor) -> npt.NDArray[np.float32]:
    """The slices of ``volume``, (slices, 1, rows, columns), guessed: (slices, rows, columns), in its units.

    Args:
        noise_sd: of the coefficients; see `SliceNoise`.
    """
    size = (volume.shape[-2], volume.shape[-1])

    def in_noise_units() -> Iterator[Tensor]:
        for index, slice_ in enumerate(volume):
            yield (scaling.scaled(slice_) / scaling.level_at(index, 0, 0, size))[0]

    images = np.empty((len(volume), *size), np.float32)
    for index, guess in enumerate(shrunk(in_noise_units(), noise_sd)):
        images[index] = (guess * scaling.level_at(index, 0, 0, size)[0]).cpu().numpy()
    return images
