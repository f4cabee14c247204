"""Retrieval: every pixel becomes the mean of raw pixels of like tissue, likeness read from a guide.

Only recorded grey values are averaged, so brightness is kept and nothing is invented. The first guide is the raw clip
itself, compared over patches larger than the speckle; later the guide is a network's output, clean enough for small
patches, and then like tissue is found along edges and lines as well.

In: raw and guide (frames, rows, columns) and the tissue mask; out: the mean, same shape. Looks into neighbouring frames
follow tissue that stands still or slides, without any motion estimate.
"""

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

REACH_ROWS, REACH_COLUMNS = 16, 20  # pixels; like tissue is near, and the speckle's reach is 4 and 6
FRAMES_ALONG = 3, 6, 9  # of a cine, to either side; nearer frames show nearly the same speckle
COLUMNS_ALONG = 2  # pixels to either side, by which tissue may have slid
STRIDE = 2  # pixels between offsets, the grain of speckle; each moved by up to one, lest a pattern of period two stay
WIDE_PATCH = 7  # pixels
NEAR_ROWS, NEAR_COLUMNS = 3, 5  # pixels; within the grain of the speckle
KERNEL_LIMIT = 20.0  # exponent beyond which a weight counts as nothing


@dataclass(frozen=True)
class SearchOffset:
    """Where to offset for like tissue: so many frames, rows and columns away."""

    frames: int
    rows: int
    columns: int


@dataclass(frozen=True)
class Likeness:
    """How alike two places must be: side of the compared patch in pixels, tolerance in the guide's unit."""

    patch: int
    tolerance: float


def draw_offsets(count: int, rng: np.random.Generator) -> tuple[SearchOffset, ...]:
    """At most ``count`` distinct offsets spread evenly at random over the reach; each serves both of its ends."""
    axes = [np.arange(-limit, limit + 1, STRIDE) for limit in (REACH_ROWS, REACH_COLUMNS)]
    grid = np.stack([axis.ravel() for axis in np.meshgrid(*axes, indexing="ij")], axis=1)
    rows, columns = grid.T
    grid = grid[(rows > 0) | ((rows == 0) & (columns > 0))]
    grid += rng.integers(0, STRIDE, size=grid.shape)
    chosen = np.sort(rng.choice(len(grid), size=min(count, len(grid)), replace=False))
    return tuple(SearchOffset(0, *(int(step) for step in grid[i])) for i in chosen)


def offsets_in_time() -> tuple[SearchOffset, ...]:
    """The same place in other frames of a cine, and a little beside it."""
    columns = range(-COLUMNS_ALONG, COLUMNS_ALONG + 1)
    return tuple(SearchOffset(frames, 0, column) for frames in FRAMES_ALONG for column in columns)


def near_offsets() -> tuple[SearchOffset, ...]:
    """Every neighbour within the grain of the speckle, in the same frame."""
    places = ((row, column) for row in range(NEAR_ROWS + 1) for column in range(-NEAR_COLUMNS, NEAR_COLUMNS + 1))
    return tuple(SearchOffset(0, row, column) for row, column in places if row > 0 or column > 0)


def retrieve(
    raw: torch.Tensor,
    guide: torch.Tensor,
    tissue: torch.Tensor,
    offsets: tuple[SearchOffset, ...],
    likeness: Likeness,
    deadline: float = math.inf,
) -> torch.Tensor:
    """Mean of ``raw`` over the offsets, weights exp(-d^2 / tolerance^2), d the guide's rms difference over a patch.

    Args:
        raw: (frames, rows, columns) the values to average.
        guide: (frames, rows, columns) what tells like from unlike.
        tissue: (rows, columns) bool; a offset outside of it or of the clip counts nothing.
        offsets: taken in both directions; the pixel itself always counts besides.
        likeness: patch and tolerance.
        deadline: reading of ``time.monotonic()`` past which no further offset begins.
    """
    total, weights = raw.clone(), torch.ones_like(raw)
    for offset in offsets:
        if time.monotonic() > deadline:
            break
        here, there = _overlap(raw.shape[1:], offset.rows, offset.columns)
        both = (tissue[here] & tissue[there]).to(raw.dtype)
        for one in range(len(raw) - offset.frames):
            other = one + offset.frames
            squared = (guide[one][here] - guide[other][there]).square()
            exponent = _patch_mean(squared, likeness.patch) / likeness.tolerance**2
            weight = torch.exp(-exponent.clamp(max=KERNEL_LIMIT)) * both
            total[one][here] += weight * raw[other][there]
            weights[one][here] += weight
            total[other][there] += weight * raw[one][here]
            weights[other][there] += weight
    return total / weights


def _overlap(shape: torch.Size, rows: int, columns: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of the pixels whose looked-at pixel is in the frame, and of those looked-at pixels."""
    spans = [
        (slice(max(0, -step), max(0, min(size, size - step))), slice(max(0, step), max(0, min(size, size + step))))
        for size, step in zip(shape, (rows, columns), strict=True)
    ]
    return (spans[0][0], spans[1][0]), (spans[0][1], spans[1][1])


def _patch_mean(image: torch.Tensor, side: int) -> torch.Tensor:
    """Mean over a square of odd side, of what lies in the image; a wide square is taken at half size, to be quick."""
    if image.numel() == 0:
        return image
    if side <= WIDE_PATCH:
        return functional.avg_pool2d(image[None], side, 1, side // 2, count_include_pad=False)[0]
    half = functional.avg_pool2d(image[None], 2, ceil_mode=True)[0]
    mean = _patch_mean(half, side // 4 * 2 + 1)
    return functional.interpolate(mean[None, None], size=image.shape, mode="bilinear", align_corners=False)[0, 0]
