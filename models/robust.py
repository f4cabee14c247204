"""Statistics of tensors that outliers hardly change, and evenly spaced samples."""

import numpy as np
import torch
from torch import Tensor

MAD_TO_SD = 1.4826  # of normal noise
QUANTILE_SAMPLE = 1_000_000  # values from which a quantile is taken; torch's own limit is 16 million


def sampled_quantile(x: Tensor, q: float) -> float:
    """Return the quantile ``q`` of evenly spaced samples of ``x``."""
    flat = x.flatten()
    return float(torch.quantile(flat[:: 1 + flat.numel() // QUANTILE_SAMPLE], q))


def robust_sd(x: Tensor) -> float:
    """Return the standard deviation of values centred on zero, from their median magnitude; 0 without values."""
    return MAD_TO_SD * sampled_quantile(x.abs(), 0.5) if x.numel() else 0.0


def evenly_spaced(count: int, most: int) -> list[int]:
    """Return at most ``most`` of ``count`` indices, evenly spaced, the first and the last among them."""
    return [int(index) for index in np.unique(np.linspace(0, count - 1, min(count, most)).round())]
