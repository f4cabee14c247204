"""How far the noise of a volume reaches between slices, measured on the volume itself.

All take (slices, 1, rows, columns) in real units and read flat tissue, so that anatomy is not taken for noise. They
look at a bounded number of slices, however long the volume.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional

MAD_TO_SD = 1.4826  # of normal noise
FLAT_SHARE = 0.1  # flattest share of the tissue, in which slices differ by noise alone; a fifth already holds edges
INDEPENDENT = 0.2  # correlation of noise below which a neighbour serves as target (second neighbours of 1 mm CT: .05)
LARGEST_GAP = 4  # slices; beyond it anatomy has changed too much to learn from
WINDOWS = 8  # places along the volume, each LARGEST_GAP + 1 slices long, where the correlation is measured
QUANTILE_SAMPLE = 1_000_000  # values a quantile is taken from; torch's own limit is 16 million


def box_mean(x: Tensor, radius: int) -> Tensor:
    """Mean over a square of 2 radius + 1 pixels a side, edges replicated; shape kept."""
    padded = functional.pad(x, (radius,) * 4, mode="replicate")
    return functional.avg_pool2d(padded, 2 * radius + 1, stride=1)


def finest(x: Tensor) -> Tensor:
    """Second differences along rows and columns; shape kept. Anatomy hardly has any: a 5x5 mean leaves it some."""
    kernel = torch.tensor([1.0, -2.0, 1.0], device=x.device)
    padded = functional.pad(x, (1,) * 4, mode="replicate")
    return functional.conv2d(padded, torch.outer(kernel, kernel)[None, None])


def sampled_quantile(x: Tensor, share: float) -> float:
    """A quantile of evenly spaced samples of ``x``."""
    flat = x.flatten()
    return float(torch.quantile(flat[:: 1 + flat.numel() // QUANTILE_SAMPLE], share))


def robust_sd(x: Tensor) -> float:
    """Standard deviation of values centred on zero, from their median magnitude; 0 of nothing."""
    return MAD_TO_SD * sampled_quantile(x.abs(), 0.5) if x.numel() else 0.0


def flatness(window: Tensor, threshold: float) -> Tensor:
    """Variance of the smoothed slices around each pixel of the tissue, infinite elsewhere; small where all is noise."""
    smooth = box_mean(box_mean(window, 1), 1)
    local = smooth - box_mean(smooth, 5)
    variance = box_mean(local * local, 5)
    return torch.where((box_mean(window, 4) > threshold) & (variance > 0), variance, torch.inf)


def slice_correlations(volume: Tensor, threshold: float) -> tuple[float, ...]:
    """Correlation of the noise of slices 1, 2, ... apart, in the finest detail of flat tissue; 0 without any."""
    gaps = range(1, min(LARGEST_GAP, len(volume) - 1) + 1)
    windows = [volume[start : start + len(gaps) + 1] for start in evenly(len(volume) - len(gaps), WINDOWS)]
    variances = [flatness(window, threshold) for window in windows]
    finite = torch.cat([values[torch.isfinite(values)] for values in variances])
    limit = sampled_quantile(finite, FLAT_SHARE) if finite.numel() else 0.0
    noise = [torch.where(flat <= limit, finest(w), 0.0) for w, flat in zip(windows, variances, strict=True)]
    return tuple(_correlation(noise, gap) for gap in gaps)


def independent_gap(correlations: tuple[float, ...]) -> int:
    """The nearest gap whose noise counts as independent, else the least correlated; gaps count from 1."""
    for gap, correlation in enumerate(correlations, start=1):
        if correlation <= INDEPENDENT:
            return gap
    return 1 + correlations.index(min(correlations))


def settled(correlations: tuple[float, ...]) -> tuple[float, ...]:
    """What counts as independent is taken to be so: anatomy that neighbours share looks like a little correlation."""
    return tuple(value if value > INDEPENDENT else 0.0 for value in correlations)


def evenly(count: int, most: int) -> list[int]:
    """At most so many of ``count`` indices, first and last among them."""
    return sorted({round(x) for x in torch.linspace(0, count - 1, min(count, most)).tolist()})


def _correlation(noise: list[Tensor], gap: int) -> float:
    near = torch.cat([window[:-gap].flatten() for window in noise])
    far = torch.cat([window[gap:].flatten() for window in noise])
    both = (near != 0) & (far != 0)
    power = float(near[both].square().sum() * far[both].square().sum())
    return float((near[both] * far[both]).sum()) / math.sqrt(power) if power else 0.0
