"""The noise of a volume, measured on the volume itself: how it correlates between slices, and its level everywhere.

All take (slices, 1, rows, columns) in real units and read only differences between slices, or flat
regions, so that anatomy is not taken for noise. They look at a bounded number of slices, however long the volume.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.tissue import Tissue

MAD_TO_SD = 1.4826  # of normal noise
FLAT_SHARE = 0.1  # flattest share of the tissue, in which slices differ by noise alone; a fifth already holds edges
INDEPENDENT = 0.2  # correlation of noise below which a neighbour serves as target (second neighbours of 1 mm CT: .05)
LARGEST_GAP = 4  # slices; beyond it anatomy has changed too much to learn from
WINDOWS = 8  # places along the volume, each LARGEST_GAP + 1 slices long, where the correlation is measured
LEVEL_SLICES = 48  # slices the level is measured at; it changes slowly between them
BLOCKS_PER_SIDE, BLOCK_RANGE = 32, (8, 16)  # the noise level is constant over blocks of so many pixels a side
LOW_SHARE = 0.3  # quantile of absolute differences the level is read from: anatomy may change in most of a block
LOW_SHARE_TO_SD = 2.595  # sd over that quantile of the magnitude of normal noise: 1 / 0.3853
AROUND = 4  # blocks on each side, twice: how far plain tissue speaks for the noise of what is textured
LEVEL_STEP = 4  # pixels between the values of a level map
LEVEL_FLOOR = 0.3  # of the median level: where a volume is constant (clipped air) noise units must stay finite
QUANTILE_SAMPLE = 1_000_000  # values a quantile is taken from; torch's own limit is 16 million


@dataclass(frozen=True)
class SliceNoise:
    """What is known of the noise of one volume.

    Attributes:
        gap: slices between a slice and the neighbour whose noise counts as independent.
        correlations: of the noise, for gaps 1, 2, ...
        sd: typical standard deviation in tissue, in the volume's unit.
        level: (slices, 1, rows / 4, columns / 4) the local standard deviation over ``sd``.
    """

    gap: int
    correlations: tuple[float, ...]
    sd: float
    level: Tensor


def box_mean(x: Tensor, radius: int) -> Tensor:
    """Mean over a square of 2 radius + 1 pixels a side, edges replicated; shape kept."""
    padded = functional.pad(x, (radius,) * 4, mode="replicate")
    return functional.avg_pool2d(padded, 2 * radius + 1, stride=1)


def sampled_quantile(x: Tensor, share: float) -> float:
    """A quantile of evenly spaced samples of ``x``."""
    flat = x.flatten()
    return float(torch.quantile(flat[:: 1 + flat.numel() // QUANTILE_SAMPLE], share))


def robust_sd(x: Tensor) -> float:
    """Standard deviation of values centred on zero, from their median magnitude; 0 of nothing."""
    return MAD_TO_SD * sampled_quantile(x.abs(), 0.5) if x.numel() else 0.0


def measure_noise(volume: Tensor, tissue: Tissue) -> SliceNoise:
    """Measure the noise of ``volume`` in its tissue."""
    correlations = slice_correlations(volume, tissue.above)
    gap = independent_gap(correlations)
    level, sd = _level(volume, tissue, correlations[0])
    return SliceNoise(gap, correlations, sd, level)


def slice_correlations(volume: Tensor, threshold: float) -> tuple[float, ...]:
    """Correlation of the noise of slices 1, 2, ... apart, from high-passed flat tissue; 0 where there is none."""
    gaps = range(1, min(LARGEST_GAP, len(volume) - 1) + 1)
    windows = [volume[start : start + len(gaps) + 1] for start in _evenly(len(volume) - len(gaps), WINDOWS)]
    flatness = [_flatness(window, threshold) for window in windows]
    finite = torch.cat([values[torch.isfinite(values)] for values in flatness])
    limit = sampled_quantile(finite, FLAT_SHARE) if finite.numel() else 0.0
    noise = [torch.where(flat <= limit, w - box_mean(w, 2), 0.0) for w, flat in zip(windows, flatness, strict=True)]
    return tuple(_correlation(noise, gap) for gap in gaps)


def independent_gap(correlations: tuple[float, ...]) -> int:
    """The nearest gap whose noise counts as independent, else the least correlated; gaps count from 1."""
    for gap, correlation in enumerate(correlations, start=1):
        if correlation <= INDEPENDENT:
            return gap
    return 1 + correlations.index(min(correlations))


def _evenly(count: int, most: int) -> list[int]:
    return sorted({round(x) for x in torch.linspace(0, count - 1, min(count, most)).tolist()})


def _flatness(window: Tensor, threshold: float) -> Tensor:
    smooth = box_mean(box_mean(window, 1), 1)
    local = smooth - box_mean(smooth, 5)
    variance = box_mean(local * local, 5)
    return torch.where((box_mean(window, 4) > threshold) & (variance > 0), variance, torch.inf)


def _correlation(noise: list[Tensor], gap: int) -> float:
    near = torch.cat([window[:-gap].flatten() for window in noise])
    far = torch.cat([window[gap:].flatten() for window in noise])
    both = (near != 0) & (far != 0)
    power = float(near[both].square().sum() * far[both].square().sum())
    return float((near[both] * far[both]).sum()) / math.sqrt(power) if power else 0.0


def _level(volume: Tensor, tissue: Tissue, correlation: float) -> tuple[Tensor, float]:
    """Low quantiles of absolute differences in blocks: anatomy that changes in half of a block leaves hardly a trace.

    Next neighbours serve whatever the gap: anatomy changes least between them, and their correlation is known.
    """
    slices, _, rows, columns = volume.shape
    firsts = _evenly(slices - 1, LEVEL_SLICES)
    side = min(max(min(rows, columns) // BLOCKS_PER_SIDE, BLOCK_RANGE[0]), BLOCK_RANGE[1])
    to_sd = LOW_SHARE_TO_SD / math.sqrt(2 * (1 - min(correlation, 0.9)))
    differences = [(volume[i : i + 1] - volume[i + 1 : i + 2]).abs() for i in firsts]
    blocks = torch.cat([_block_quantile(difference, LOW_SHARE, side) for difference in differences])
    blocks = box_mean(_median_of_neighbours(blocks), 1) * to_sd
    means = torch.cat([_block_quantile(volume[i : i + 1], 0.5, side) for i in firsts])
    blocks = _no_stronger_than_around(blocks, (means >= tissue.plain[0]) & (means <= tissue.plain[1]))
    measured = blocks[(means > tissue.above) & (blocks > 0)]
    sd = sampled_quantile(measured, 0.5) if measured.numel() else 1.0
    size = (slices, -(-rows // LEVEL_STEP), -(-columns // LEVEL_STEP))
    stacked = (blocks / sd).clamp(min=LEVEL_FLOOR).transpose(0, 1)[None]
    return functional.interpolate(stacked, size=size, mode="trilinear")[0].transpose(0, 1).contiguous(), sd


def _block_quantile(slice_: Tensor, share: float, side: int) -> Tensor:
    rows, columns = slice_.shape[-2:]
    padded = functional.pad(slice_, (0, -columns % side, 0, -rows % side), mode="replicate")
    values = functional.unfold(padded, side, stride=side).kthvalue(1 + int(share * (side**2 - 1)), dim=1).values
    return values.view(1, 1, padded.shape[-2] // side, padded.shape[-1] // side)


def _no_stronger_than_around(blocks: Tensor, plain: Tensor) -> Tensor:
    weight = box_mean(box_mean(plain.float(), AROUND), AROUND)
    around = box_mean(box_mean(blocks * plain, AROUND), AROUND) / weight.clamp(min=1e-6)
    return torch.where(plain | (weight == 0), blocks, torch.minimum(blocks, around))


def _median_of_neighbours(blocks: Tensor) -> Tensor:
    reach = min(2, (len(blocks) - 1) // 2)
    edges = torch.cat([blocks[:1].expand(reach, -1, -1, -1), blocks, blocks[-1:].expand(reach, -1, -1, -1)])
    return edges.unfold(0, 2 * reach + 1, 1).median(dim=-1).values
