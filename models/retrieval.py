"""Targets for a fit without truth: like tissue from beyond the reach of the pixel's own speckle.

Speckle correlates over a few pixels, so a pixel further away carries an independent look; where a strongly
smoothed guide shows the same tissue there, its raw value has the same expectation. The target of a pixel is the
mean of its best matches, its trust falls with their mismatch. Matching runs on the guide at half size, in blocks.

In: raw and guide frames (frames, rows, columns) and the tissue mask; out: target and trust of the same shape.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

BLOCK = 2  # pixels; the guide is smooth, so one match per block of this size is enough
EXCLUDED_AXIAL, EXCLUDED_LATERAL = 6.0, 10.0  # pixels; half axes of the ellipse in which speckle still correlates
REACH = 48  # pixels; like tissue is near
PATCH = 5  # blocks over which the guides are compared
NO_MATCH = 1e9  # squared grey; the cost of a place outside the frame or the tissue

Image = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Offset:
    """A place to look for a target: so many rows and columns away."""

    rows: int
    columns: int


def draw_offsets(count: int, rng: np.random.Generator) -> tuple[Offset, ...]:
    """Distinct random offsets in whole blocks, beyond the speckle's correlation and within reach."""
    axis = np.arange(-REACH, REACH + 1, BLOCK)
    rows, columns = (grid.ravel() for grid in np.meshgrid(axis, axis, indexing="ij"))
    independent = (rows / EXCLUDED_AXIAL) ** 2 + (columns / EXCLUDED_LATERAL) ** 2 > 1.0
    usable = np.flatnonzero(independent & (np.hypot(rows, columns) <= REACH))
    chosen = rng.choice(usable, size=min(count, len(usable)), replace=False)
    return tuple(Offset(int(rows[i]), int(columns[i])) for i in np.sort(chosen))


def retrieve_target(
    raw: torch.Tensor, guide: torch.Tensor, tissue: torch.Tensor, offsets: tuple[Offset, ...], matches: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean of the best matches of each pixel of one frame, and the squared guide mismatch behind it.

    Args:
        raw: (rows, columns) the values to take targets from.
        guide: (rows, columns) smooth, noise far below that of ``raw``.
        tissue: (rows, columns) bool, where targets may come from.
        offsets: where to look.
        matches: how many of the looks are averaged.

    Returns:
        Target (rows, columns) and mean squared mismatch (rows, columns), ``NO_MATCH`` where nothing was found.
    """
    costs = _match_costs(guide[::BLOCK, ::BLOCK], tissue[::BLOCK, ::BLOCK], offsets)
    best, which = costs.topk(min(matches, len(offsets)), dim=0, largest=False)
    total, count = torch.zeros_like(raw), torch.zeros_like(raw)
    for one_cost, one_which in zip(best, which, strict=True):
        value, usable = _look(raw, tissue, _to_pixels(one_which, raw), offsets)
        usable &= _to_pixels(one_cost, raw) < NO_MATCH
        total += torch.where(usable, value, 0.0)
        count += usable
    mismatch = torch.where(count > 0, _to_pixels(best.mean(0), raw), NO_MATCH)
    return torch.where(count > 0, total / count.clamp(min=1), raw), mismatch


def _match_costs(guide: torch.Tensor, tissue: torch.Tensor, offsets: tuple[Offset, ...]) -> torch.Tensor:
    costs = torch.empty((len(offsets), *guide.shape), device=guide.device)
    for cost, offset in zip(costs, offsets, strict=True):
        here, there = _overlap(guide.shape, offset.rows // BLOCK, offset.columns // BLOCK)
        difference = torch.zeros_like(guide)
        difference[here] = (guide[here] - guide[there]).square()
        cost.copy_(functional.avg_pool2d(difference[None], PATCH, 1, PATCH // 2, count_include_pad=False)[0])
        usable = torch.zeros_like(tissue)
        usable[here] = tissue[there]
        cost[~usable] = NO_MATCH
    return costs


def _overlap(shape: torch.Size, rows: int, columns: int) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """Slices of the pixels whose offset pixel is in the frame, and of those offset pixels."""
    spans = [
        (slice(max(0, -step), max(0, min(size, size - step))), slice(max(0, step), max(0, min(size, size + step))))
        for size, step in zip(shape, (rows, columns), strict=True)
    ]
    return (spans[0][0], spans[1][0]), (spans[0][1], spans[1][1])


def _to_pixels(blocks: torch.Tensor, like: torch.Tensor) -> torch.Tensor:
    return blocks.repeat_interleave(BLOCK, 0).repeat_interleave(BLOCK, 1)[: like.shape[0], : like.shape[1]]


def _look(
    raw: torch.Tensor, tissue: torch.Tensor, which: torch.Tensor, offsets: tuple[Offset, ...]
) -> tuple[torch.Tensor, torch.Tensor]:
    steps = torch.tensor([(offset.rows, offset.columns) for offset in offsets], device=raw.device)[which]
    rows = torch.arange(raw.shape[0], device=raw.device)[:, None] + steps[..., 0]
    columns = torch.arange(raw.shape[1], device=raw.device) + steps[..., 1]
    inside = (rows >= 0) & (rows < raw.shape[0]) & (columns >= 0) & (columns < raw.shape[1])
    rows, columns = rows.clamp(0, raw.shape[0] - 1), columns.clamp(0, raw.shape[1] - 1)
    return raw[rows, columns], inside & tissue[rows, columns]
