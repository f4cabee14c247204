"""The noise map of an image: the local standard deviation of its fine detail.

Fine detail is the image less its Gaussian of ``FINE`` pixels. Its spread in a square follows from the lower quartile of
its magnitude, so that edges, which fill less than three quarters of a square, count little. Fine texture counts.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter, zoom

from operators.report.sample import Image, Mask

FINE = 1.5  # pixels, sigma
SQUARE = 12  # pixels, side of the squares in which the spread is taken
STEP = 4  # pixels from square to square; between them the map is interpolated
FINE_FRACTION = float(np.sqrt(1 - 3 / (4 * np.pi * FINE**2)))  # standard deviation of the fine part of white noise of 1
QUARTER = SQUARE**2 // 4
NORMAL_QUARTILE = 0.3186  # lower quartile of the magnitude of a normal variable of standard deviation 1


def noise_map(image: Image, valid: Mask) -> Image:
    """Return the standard deviation of the noise (rows, columns), in the image's unit; 0 where not valid."""
    filled = np.where(valid, image, image[valid].mean() if valid.any() else 0)
    fine = np.abs(filled - gaussian_filter(filled, FINE))
    rows, columns = image.shape
    after = [(-size % STEP) + SQUARE // 2 for size in image.shape]
    padded = np.pad(fine, [(SQUARE // 2, extra) for extra in after], mode="symmetric")
    squares = sliding_window_view(padded, (SQUARE, SQUARE))[::STEP, ::STEP]
    flat = squares.reshape(*squares.shape[:2], -1)
    spread = np.partition(flat, QUARTER, axis=-1)[..., QUARTER] / (NORMAL_QUARTILE * FINE_FRACTION)
    smooth = zoom(spread, STEP, order=1, mode="nearest", grid_mode=False)[:rows, :columns]
    return np.where(valid, smooth, 0).astype(np.float32)
