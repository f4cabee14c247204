"""The level of the noise, in real units: in the plainest squares, and as a coarse map.

A square is freed of its own plane before its spread is taken; the plainest squares are those where the smoothed
images, before and after, change least.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operators.quality.bias import SIDE, Images, Mask, squares

HOMOGENEOUS_FRACTION = 0.2  # of the tissue's squares, in which the noise is read
SAMPLED_SLICES = 24  # evenly along the volume
SMOOTH = 1.5  # pixels, sd of the smoothing before structure is looked for
MAP_SIDE = 8  # pixels of a square of the map


def sampled(count: int, most: int = SAMPLED_SLICES) -> npt.NDArray[np.intp]:
    """At most so many of ``count`` indices, evenly."""
    return np.unique(np.linspace(0, count - 1, min(count, most)).round().astype(np.intp))


def spread(image: npt.NDArray[np.float32], side: int = SIDE) -> npt.NDArray[np.float64]:
    """The standard deviation of each square around its own plane."""
    cut = squares(image, side).astype(np.float64)
    rows, columns = np.mgrid[:side, :side].reshape(2, -1) - (side - 1) / 2
    planes = [direction / np.linalg.norm(direction) for direction in (np.ones(side**2), rows, columns)]
    power = np.square(cut).sum(axis=-1) - sum(np.square(cut @ plane) for plane in planes)
    return np.asarray(np.sqrt(np.maximum(power, 0.0) / (side**2 - len(planes))))


def homogeneous_squares(before: npt.NDArray[np.float32], after: npt.NDArray[np.float32], tissue: Mask) -> Mask:
    """The plainest squares of one slice's tissue: where the smoothed mean of before and after changes least."""
    inside = np.asarray(squares(tissue).all(axis=-1))
    if not inside.any():
        return inside
    structure = spread(np.asarray(ndimage.gaussian_filter((before + after) / 2, SMOOTH)))
    return np.asarray(inside & (structure <= np.quantile(structure[inside], HOMOGENEOUS_FRACTION)))


def noise_levels(before: Images, after: Images, tissue: Mask) -> tuple[float, float]:
    """The median spread of the plainest squares of the tissue, before and after; 0 where there is none."""
    found = []
    for i in sampled(len(before)):
        plain = homogeneous_squares(before[i], after[i], tissue[i])
        found.append(np.stack([spread(images[i])[plain] for images in (before, after)]))
    both = np.concatenate(found, axis=1)
    return (float(np.median(both[0])), float(np.median(both[1]))) if both.size else (0.0, 0.0)


def noise_level_map(images: Images, index: int) -> npt.NDArray[np.float32]:
    """The spread of each square of one slice."""
    return np.asarray(spread(images[index], MAP_SIDE), np.float32)
