"""Measure how much of a small structure was changed: its shape in what was removed against before and after."""

import numpy as np
from scipy import ndimage

from operators.quality.bias import Images
from operators.quality.matched_filters import NARROWEST

COMPACT = 1, 4  # slices and pixels to each side of a place, where its shape is compared
WINDOW = 1.0, 2.0  # slices and pixels, sd of the Gaussian that weighs them
TINY = 1e-9  # keeps a fraction of nothing finite

Place = tuple[int, int, int]


def around(images: Images, place: Place, slices: int, pixels: int) -> Images:
    """Return the box of so many slices and pixels to each side of a place, as far as there are."""
    reach = (slices, pixels, pixels)
    return images[tuple(slice(max(0, at - by), at + by + 1) for at, by in zip(place, reach, strict=True))]


def changed_fraction(y: Images, c: Images, place: Place) -> float:
    """Return how much of what before or after shows in the shape of the change at ``place`` is the change itself."""
    was, change = (_shape(around(images, place, *COMPACT)) for images in (y, c))
    pattern = _shape(ndimage.gaussian_filter(around(c, place, *COMPACT), NARROWEST)) * _window(place, c.shape)
    power = float(np.sum(pattern * change))
    old = float(np.sum(pattern * was))
    return abs(power) / max(abs(old), abs(old + power), TINY)


def _window(place: Place, shape: tuple[int, ...]) -> Images:
    """A Gaussian around ``place`` in the box that is compared: what lies beside it is another thing."""
    reach, sds = (COMPACT[0], COMPACT[1], COMPACT[1]), (WINDOW[0], WINDOW[1], WINDOW[1])
    axes = [
        np.exp(-0.5 * ((np.arange(max(0, at - by), min(size, at + by + 1)) - at) / sd) ** 2)
        for at, by, size, sd in zip(place, reach, shape, sds, strict=True)
    ]
    return np.asarray(axes[0][:, None, None] * axes[1][:, None] * axes[2], np.float32)


def _shape(images: Images) -> Images:
    """Images less the plane through them."""
    axes = np.meshgrid(*(np.arange(size) - (size - 1) / 2 for size in images.shape), indexing="ij")
    for axis in (np.ones(images.shape), *axes):
        images = images - np.sum(images * axis) / max(np.sum(axis * axis), TINY) * axis
    return images
