"""Bring a volume to its acquired matrix and back, by Fourier interpolation, as the scanner did.

    crop(y) = F_small^-1 C F y          C keeps the centre of k-space
    fill(f, y) = y + F^-1 C' F_small (f - crop(y))

What lies outside the support passes as it is. So does what is constant around a pixel: zeroed air and padding.
"""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter, minimum_filter
from scipy.signal import resample

from models.volume.acquired.support import AcquiredMatrix

CONSTANT = 3  # pixels a side, whose values are all the same in zeroed air and in padding and hardly ever in noise

Volume = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def crop(volume: Volume, acquired: AcquiredMatrix) -> Volume:
    """Return ``volume``, (slices, rows, columns), with the rows and columns that were acquired."""
    return _resampled(volume, (acquired.rows, acquired.columns))


def crop_mask(mask: Mask, acquired: AcquiredMatrix) -> Mask:
    """Return ``mask``, (slices, rows, columns), at the nearest pixels of the acquired matrix."""
    rows, columns = (
        (np.arange(held) * length / held).round().astype(int)
        for held, length in zip((acquired.rows, acquired.columns), acquired.image, strict=True)
    )
    return mask[:, rows[:, None], columns]


def fill(denoised: Volume, volume: Volume) -> Volume:
    """Return ``volume`` changed by what was changed in its acquired matrix.

    Args:
        denoised: (slices, rows, columns) of the acquired matrix.
        volume: as recorded, with at least as many rows and columns.
    """
    filled = np.empty_like(volume)
    for slice_, recorded, out in zip(denoised, volume, filled, strict=True):
        change = slice_[None] - _resampled(recorded[None], slice_.shape)
        constant = maximum_filter(recorded, CONSTANT) == minimum_filter(recorded, CONSTANT)
        out[...] = np.where(constant, recorded, recorded + _resampled(change, recorded.shape)[0])
    return filled


def _resampled(volume: Volume, size: tuple[int, ...]) -> Volume:
    for axis, length in enumerate(size, start=1):
        if volume.shape[axis] != length:
            volume = resample(volume, length, axis=axis)
    return np.ascontiguousarray(volume, np.float32)
