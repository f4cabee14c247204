"""Figures of tensors that a few wild values do not move, and where to look in what is too long to look at whole."""

import torch
from torch import Tensor
from torch.nn import functional

MAD_TO_SD = 1.4826  # of normal noise
QUANTILE_SAMPLE = 1_000_000  # values a quantile is taken from; torch's own limit is 16 million


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


def evenly(count: int, most: int) -> list[int]:
    """At most so many of ``count`` indices, first and last among them."""
    return sorted({round(x) for x in torch.linspace(0, count - 1, min(count, most)).tolist()})
