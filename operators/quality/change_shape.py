"""Measure how much of a small structure was changed: its shape in what was removed against before and after."""

import numpy as np
from torch import Tensor

from operators.quality.matched_filters import HALF_LINE, patterns

TINY = 1e-9  # keeps a fraction of nothing finite

Place = tuple[int, int, int]


def around(images: Tensor, place: Place, slices: int, pixels: int) -> Tensor:
    """Return the box of so many slices and pixels to each side of a place, as far as there are."""
    reach = (slices, pixels, pixels)
    return images[tuple(slice(max(0, at - by), at + by + 1) for at, by in zip(place, reach, strict=True))]


def changed_fraction(y: Tensor, c: Tensor, place: Place, shape: int, depth: int) -> float:
    """Return how much of what before or after shows of a shape at ``place`` is the change itself.

    Args:
        y: before, (slices, rows, columns).
        c: after less before.
        place: at least `HALF_LINE` pixels from the border.
        shape: its number among the `patterns`.
        depth: slices over which it is compared.
    """
    old, change = (
        float(np.sum(patterns()[shape] * around(images, place, depth // 2, HALF_LINE).mean(dim=0).cpu().numpy()))
        for images in (y, c)
    )
    return abs(change) / max(abs(old), abs(old + change), TINY)
