"""Oriented filters for ultrasound: lines at sixteen angles and two spots, all Gaussians of unit sum.

Their size is in pixels: real speckle has grains of .4 to .9 (axial) by .7 to 2.3 pixels (lateral, sd).
"""

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
import torch
from scipy.fft import next_fast_len
from torch import Tensor

ANGLES = 16  # of lines; one between two of them keeps 97 % of its response
LINE = 5.0, 1.0  # pixels, sd along and across a line
SPOTS = (1.0, 1.5), (0.5, 0.7)  # pixels, axial and lateral sd: a grain, and its peak, which no dark speck weakens
FILTERS = ANGLES + len(SPOTS)
PEAK = FILTERS - 1  # the index of the narrower spot
MARGIN = 16  # pixels, three sds of a line, so that no response wraps around


def responses(images: Tensor) -> Iterator[Tensor]:
    """Yield images (..., rows, columns) through each filter, lines first."""
    rows, columns = images.shape[-2:]
    size = next_fast_len(rows + MARGIN, True), next_fast_len(columns + MARGIN, True)
    spectrum = torch.fft.rfft2(images, size)
    for transfer in _transfers(size, images.device):
        yield torch.fft.irfft2(spectrum * transfer, size)[..., :rows, :columns]


@lru_cache(maxsize=2)
def _transfers(size: tuple[int, int], device: torch.device) -> Tensor:
    """Return the transfer of each filter, (filters, rows, columns of a half spectrum)."""
    y, x = torch.fft.fftfreq(size[0], device=device)[:, None], torch.fft.rfftfreq(size[1], device=device)
    angles = [np.pi * number / ANGLES for number in range(ANGLES)]
    lines = [
        _gaussian(x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle), LINE)
        for angle in angles
    ]
    return torch.stack([*lines, *(_gaussian(y, x, spot) for spot in SPOTS)])


def _gaussian(first: Tensor, second: Tensor, sds: tuple[float, float]) -> Tensor:
    """Return the transfer of a Gaussian with these sds along two directions of frequency (cycles a pixel)."""
    return torch.exp(-2 * np.pi**2 * ((sds[0] * first) ** 2 + (sds[1] * second) ** 2))
