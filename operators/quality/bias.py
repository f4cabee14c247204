"""By how much the mean was moved: of everything, of each tissue level, of each slice.

Levels are those of small squares and those around them, of the output in full strength: sorting by what holds the noise
that was removed would find a bias where there is none, and in PET, whose noise is strong, it did.
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter

from operators.quality.assessment import LevelBias

SIDE = 8  # pixels of a square; its mean gives the level without selecting for noise
LEVEL_FRACTIONS = (0.0, 0.03, 0.15, 0.3, 0.45, 0.6, 0.75, 0.9, 0.98, 1.0)  # of the squares, between levels
AROUND = 3  # squares a side whose mean is the level of the middle one: its own noise must not choose it
FEWEST_SQUARES = 30  # of one level; fewer say little of their spread
SURE = 3.0  # standard errors that a bias must stand out by

Real = npt.NDArray[np.float64]
Images = npt.NDArray[np.float32]  # (slices or frames, rows, columns)
Mask = npt.NDArray[np.bool_]


def squares(image: npt.NDArray[np.generic], side: int = SIDE) -> npt.NDArray[np.generic]:
    """Each whole square of (..., rows, columns): (..., rows / side, columns / side, pixels)."""
    rows, columns = (count // side for count in image.shape[-2:])
    cut = image[..., : rows * side, : columns * side].reshape(*image.shape[:-2], rows, side, columns, side)
    return np.moveaxis(cut, -2, -3).reshape(*image.shape[:-2], rows, columns, side * side)


def square_means(before: Images, after: Images, full: Images, tissue: Mask, side: int = SIDE) -> tuple[Real, Real]:
    """Level in ``full`` strength, and change, of every square that is wholly tissue."""
    old, new, level = (squares(images, side).mean(axis=-1, dtype=np.float64) for images in (before, after, full))
    whole = squares(tissue, side).all(axis=-1)
    return uniform_filter(level, (0, AROUND, AROUND))[whole], (new - old)[whole]


def level_biases(level: Real, change: Real) -> Iterator[tuple[LevelBias, float]]:
    """The bias of each level, and its standard error."""
    if level.size < FEWEST_SQUARES:
        return
    bounds = np.unique(np.quantile(level, LEVEL_FRACTIONS))
    for low, high in pairwise(bounds):
        chosen = (level >= low) & ((level < high) | (high == bounds[-1]))
        if (count := int(chosen.sum())) >= FEWEST_SQUARES:
            error = float(change[chosen].std() / np.sqrt(count))
            yield LevelBias(float(level[chosen].mean()), float(change[chosen].mean()), count * SIDE**2, error), error


def slice_biases(before: Images, after: Images, tissue: Mask) -> npt.NDArray[np.float32]:
    """The mean change of the tissue of each slice; 0 where a slice has none."""
    changes = [
        float((new - old).mean(where=inside, dtype=np.float64)) if inside.any() else 0.0
        for old, new, inside in zip(before, after, tissue, strict=True)
    ]
    return np.asarray(changes, np.float32)


def sure(bias: float, error: float) -> float:
    """Return what of a bias stands out of its own uncertainty."""
    return float(np.sign(bias) * max(0.0, abs(bias) - SURE * error))


def worst(values: list[float]) -> float | None:
    """Return the value of the largest magnitude, None of none."""
    return max(values, key=abs, default=None)
