"""Measure how far lines and spots stand out of speckle, in what was removed from a clip.

What was removed is divided by its local spread and filtered; each response is divided by its own spread at that depth,
where the grain of the speckle is known. The bright tail of log-compressed speckle is short: 50,000 pixels of it reach
2.7 with lines and 1.8 with spots, fully developed or not. Its dark tail is long: they reach 5.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.filters import gaussian
from models.robust import evenly_spaced
from models.side_by_side import on_device
from models.ultrasound.line_filters import ANGLES, FILTERS, PEAK, responses
from models.ultrasound.retrieval import FRAMES_AT_ONCE

NEAR = 16.0  # pixels, sd of the neighbourhood whose spread counts as local
TRUNCATE = 2.5  # sds at which it ends
LEAST_SPREAD = 0.2  # of the typical one; where black clips speckle to less, single specks are left
UNCLIPPED = 0.5  # of the typical spread; with less the responses' spread misleads
WHOLE_CHANGE = 0.9  # of the largest weight; what fades at a border has a smaller spread and misleads as well
DEPTH_BAND = 48  # rows over which the responses' spread is read
FEWEST_PIXELS = 100  # of a band, sampled
SAMPLED = slice(None, None, 2), slice(None, None, 3)  # rows and columns that are enough to read a spread
SPREAD_FRAMES = 4  # of a clip in which it is read
SAME = 1.4826  # Gaussian sds in a median absolute deviation
SPOTS = (
    1.45  # what a bright spot counts against a line: speckle alone reaches nearly as far with both; with 1.5 a line of
)
# 6 sd of which three quarters are left fails the check
UPPER, UPPER_SDS = 0.9, 1.2816  # a quantile and the Gaussian sds to it: tails heavier than a Gaussian's count

Image = npt.NDArray[np.float32]
Spreads = npt.NDArray[np.float32]  # (bright and dark, filters, rows)


@dataclass(frozen=True, eq=False)
class _Change:
    """Where a clip was changed, and by how much near each pixel: the same in all of its frames.

    Attributes:
        tissue: (rows, columns), where anything was.
        whole: where all was, not where the change fades at a border.
        near: local mean of the fraction of the change.
        tissue_near: local fraction of the tissue.
    """

    tissue: Tensor
    whole: Tensor
    near: Tensor
    tissue_near: Tensor

    @classmethod
    def of(cls, weight: Tensor) -> "_Change":
        """Return that of a change of which each pixel has the fraction ``weight``."""
        tissue, tiny = weight > 0, torch.finfo(weight.dtype).eps
        near, tissue_near = (_smooth(each).clamp_(min=tiny) for each in (weight, tissue.to(weight.dtype)))
        return cls(tissue, weight >= WHOLE_CHANGE * weight.max(), near, tissue_near)


def significance(
    recorded: Image, output: Image, weight: Image, device: torch.device, spots: float = SPOTS
) -> Iterator[tuple[Image, Image]]:
    """Yield for each frame how far what was removed stands out at each pixel, in sds: bright echoes and dark gaps.

    Args:
        recorded: (frames, rows, columns) grey.
        output: the same shape and unit.
        weight: (rows, columns), the fraction of the change that the output has; the significance is 0 where this is.
        device: on which it is measured.
        spots: what a bright spot counts against a line.
    """
    change = _Change.of(on_device(weight, device))
    spreads = on_device(_spreads(recorded, output, change), device)[..., None]
    spreads[0, ANGLES:] /= spots
    size = FRAMES_AT_ONCE[device.type]
    for first in range(0, len(recorded), size):
        relative, _ = _relative(recorded[first : first + size], output[first : first + size], change)
        found = relative.new_zeros(2, *relative.shape)
        for index, response in enumerate(responses(relative)):
            for sign, extreme, spread in zip((1, -1), found, spreads, strict=True):
                torch.maximum(extreme, sign * response / spread[index], out=extreme)
        found *= change.tissue
        yield from zip(*found.cpu().numpy(), strict=True)


def _relative(before: Image, after: Image, change: _Change) -> tuple[Tensor, Tensor]:
    """Return what was removed over the local spread of the whole change, and where neither black nor a border clips it.

    Both are (frames, rows, columns). Beside a border over which the change fades, a spread that counted the faded part
    as whole would be too small.
    """
    recorded, output = (on_device(images, change.tissue.device) for images in (before, after))
    removed = (recorded - output) * change.tissue
    spread = _smooth(removed.abs()) / change.near
    level = _smooth(recorded * change.tissue) / change.tissue_near
    mean = (level * change.tissue).sum((1, 2), keepdim=True) / change.tissue.sum().clamp(min=1)
    unlit = ~change.tissue | (level < mean)
    typical = spread.masked_fill(unlit, torch.nan).flatten(1).nanmedian(dim=1).values.nan_to_num()[:, None, None]
    relative = removed / torch.maximum(spread, LEAST_SPREAD * typical)
    return relative.where(typical > 0, 0), change.whole & (typical > 0) & (spread >= UNCLIPPED * typical)


def _smooth(images: Tensor) -> Tensor:
    return gaussian(images, NEAR, TRUNCATE)


def _spreads(recorded: Image, output: Image, change: _Change) -> Spreads:
    """Return the spread of every response to speckle by depth, the median over some frames; infinite of none."""
    chosen = evenly_spaced(len(recorded), SPREAD_FRAMES)
    relative, known = _relative(recorded[chosen], output[chosen], change)
    found = [_frame_spreads(*frame) for frame in zip(relative, known.cpu().numpy(), strict=True)]
    finite = [spreads for spreads in found if np.isfinite(spreads[0]).all()]
    return np.median(finite, axis=0).astype(np.float32) if finite else found[0]


def _frame_spreads(relative: Tensor, known: npt.NDArray[np.bool_]) -> Spreads:
    """Return the spread of one frame's responses, interpolated between bands of depth."""
    rows = len(relative)
    bands = [slice(top, top + DEPTH_BAND) for top in range(0, rows, DEPTH_BAND)]
    bands = [band for band in bands if np.count_nonzero(known[band][SAMPLED]) >= FEWEST_PIXELS]
    spreads = np.full((2, FILTERS, rows), np.inf, np.float32)
    if not bands:
        return spreads
    depths = [min(rows - 1, band.start + DEPTH_BAND / 2) for band in bands]
    for index, filtered in enumerate(responses(relative)):
        response = filtered.cpu().numpy()
        read = [_spread(response[band][SAMPLED][known[band][SAMPLED]]) for band in bands]
        for side, values in zip(spreads, np.transpose(read), strict=True):
            side[index] = np.interp(np.arange(rows), depths, values)
    spreads[1, PEAK] = np.inf  # a single dark grain is speckle's own
    return spreads


def _spread(values: Image) -> tuple[float, float]:
    """Return the sd of the values above and below their median, by their middle and by their tails: the larger."""
    low, median, high = np.quantile(values, (1 - UPPER, 0.5, UPPER))
    middle = SAME * float(np.median(np.abs(values - median)))
    tiny = float(np.finfo(np.float32).eps)
    return max(middle, (high - median) / UPPER_SDS, tiny), max(middle, (median - low) / UPPER_SDS, tiny)
