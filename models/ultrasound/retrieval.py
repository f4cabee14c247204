"""Retrieval: every pixel becomes the mean of raw pixels of similar tissue; a guide image decides what is similar.

Only recorded grey values are averaged, so brightness is kept and nothing is invented. The first guide is the raw clip
itself, compared over patches larger than the speckle. Later it is a network's output, clean enough for small patches,
which are similar along edges and lines as well.

In: raw and guide (frames, rows, columns) and the tissue mask. Out: the mean, same shape. Offsets into neighbouring
frames follow tissue that stands still or slides, without any motion estimate.
"""

import math
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from models.filters import uniform

REACH = 16, 20  # pixels, rows and columns; similar tissue is near, and the speckle's reach is 4 and 6
FIT_REACH = 12, 16  # of the fitted frames: beyond a small faint cyst lies more of what is outside, and fills it
FRAMES_ALONG = 3, 6, 9  # of a cine, to either side; nearer frames show nearly the same speckle
COLUMNS_ALONG = 2  # pixels to either side, by which tissue may have slid
STRIDE = 2  # pixels between offsets, the grain of speckle; each is jittered by up to one, so that no grid pattern stays
WIDE_PATCH = 7  # pixels; means over wider ones are taken at half size, for time
NEAR_ROWS, NEAR_COLUMNS = 3, 5  # pixels; within the grain of the speckle
FRAMES_AT_ONCE = {"cpu": 1, "cuda": 16}  # by device: what fits a processor's cache; few and large operations
KERNEL_LIMIT = 20.0  # largest exponent: the weight of exp(-20) counts as nothing


@dataclass(frozen=True)
class SearchOffset:
    """Where similar tissue is searched: so many frames, rows and columns away."""

    frames: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Similarity:
    """How similar two places must be: side of the compared patches in pixels, tolerance of their rms difference."""

    patch: int
    tolerance: float

    def scaled_by(self, unit: float) -> "Similarity":
        """Return the same with the tolerance times ``unit``."""
        return Similarity(self.patch, self.tolerance * unit)


def offset_grid(reach: tuple[int, int] = REACH) -> npt.NDArray[np.int64]:
    """Return rows and columns of all offsets within reach, (offsets, 2); of two opposite ones, one."""
    axes = [np.arange(-limit, limit + 1, STRIDE) for limit in reach]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
    rows, columns = grid.T
    return np.asarray(grid[(rows > 0) | ((rows == 0) & (columns > 0))])


def draw_offsets(count: int, rng: np.random.Generator, reach: tuple[int, int] = REACH) -> tuple[SearchOffset, ...]:
    """Return at most ``count`` distinct offsets, drawn at random within reach; each is used in both directions."""
    grid = offset_grid(reach)
    grid += rng.integers(0, STRIDE, size=grid.shape)
    chosen = np.sort(rng.choice(len(grid), size=min(count, len(grid)), replace=False))
    return tuple(SearchOffset(0, *(int(step) for step in grid[i])) for i in chosen)


def is_cine(frames: int) -> bool:
    """Return whether a clip of so many frames has some that are far enough apart to be averaged."""
    return frames > FRAMES_ALONG[0]


def offsets_in_time() -> tuple[SearchOffset, ...]:
    """Return offsets to the same place in other frames of a cine, and to columns beside it."""
    columns = range(-COLUMNS_ALONG, COLUMNS_ALONG + 1)
    return tuple(SearchOffset(frames, 0, column) for frames in FRAMES_ALONG for column in columns)


def near_offsets() -> tuple[SearchOffset, ...]:
    """Return offsets to every neighbour within the grain of the speckle, in the same frame."""
    places = ((row, column) for row in range(NEAR_ROWS + 1) for column in range(-NEAR_COLUMNS, NEAR_COLUMNS + 1))
    return tuple(SearchOffset(0, row, column) for row, column in places if row > 0 or column > 0)


def retrieve(
    raw: torch.Tensor,
    guide: torch.Tensor,
    tissue: torch.Tensor,
    offsets: tuple[SearchOffset, ...],
    similarity: Similarity,
    deadline: float = math.inf,
) -> torch.Tensor:
    """Return the mean of ``raw`` over the offsets, weights exp(-d^2 / tolerance^2), d the guide's rms difference.

    Args:
        raw: (frames, rows, columns) the values to average.
        guide: (frames, rows, columns) the values to compare.
        tissue: (rows, columns) bool; pixels outside of it do not count.
        offsets: used in both directions; the pixel itself always counts.
        similarity: patch over which d is taken, and tolerance in the guide's unit.
        deadline: reading of ``time.monotonic()`` after which no further offset begins.
    """
    total, weights = raw.clone(), torch.ones_like(raw)
    count = FRAMES_AT_ONCE[raw.device.type]
    for offset in offsets:
        if time.monotonic() > deadline:
            break
        (top, left), (bottom, right) = _overlap(raw.shape[1:], offset.rows, offset.columns)
        both = (tissue[top, left] & tissue[bottom, right]).to(raw.dtype)
        pairs = len(raw) - offset.frames
        for begin in range(0, pairs, count):
            first = slice(begin, min(begin + count, pairs))
            second = slice(first.start + offset.frames, first.stop + offset.frames)
            here, there = (first, top, left), (second, bottom, right)
            squared = (guide[here] - guide[there]).square()
            exponent = _patch_mean(squared, similarity.patch) / similarity.tolerance**2
            weight = torch.exp(-exponent.clamp(max=KERNEL_LIMIT)) * both
            total[here].add_(weight * raw[there])
            weights[here].add_(weight)
            total[there].add_(weight * raw[here])
            weights[there].add_(weight)
    return total / weights


def _overlap(shape: torch.Size, rows: int, columns: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Return the rows and columns of the pixels whose offset pixel is in the frame, and those of the offset pixels."""
    spans = [
        (slice(max(0, -step), max(0, min(size, size - step))), slice(max(0, step), max(0, min(size, size + step))))
        for size, step in zip(shape, (rows, columns), strict=True)
    ]
    return (spans[0][0], spans[1][0]), (spans[0][1], spans[1][1])


def _patch_mean(images: torch.Tensor, side: int) -> torch.Tensor:
    """Return the mean over a square of odd side."""
    if images.numel() == 0:
        return images
    if side <= WIDE_PATCH:
        return uniform(images, side)
    half = functional.avg_pool2d(images, 2, ceil_mode=True)
    mean = _patch_mean(half, side // 4 * 2 + 1)
    size = images.shape[1:]
    return functional.interpolate(mean[None], size=size, mode="bilinear", align_corners=False)[0]
