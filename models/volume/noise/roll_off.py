"""How a scanner's filter weakens the noise of high frequencies, measured in the finest detail of a slice.

The noise's amplitude is taken to be

    H(u, v) = h(u) h(v) d(u, v),   h(u) = 1 - c + c cos(2 pi u) up to an edge, d = 1 in an ellipse, soft at its rim,

u and v in cycles a pixel: Hamming's filter is c = .46, Fermi's and empty corners of k-space are d. The coefficients
that hold least anatomy decide which; those of low frequencies follow.
"""

import math
from functools import cache

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

from models.volume.dct import BLOCK, cosine_basis

HIGH = tuple(k for k in range(BLOCK**2) if k // BLOCK + k % BLOCK >= BLOCK - 1)  # coefficients that show the filter
HAMMING = (0.0, 0.15, 0.25, 0.35, 0.42, 0.46, 0.5)  # c
EDGES = (0.5, 0.485, 0.47)  # cycles a pixel: the acquired matrix is known to within some lines
RADII = (0.52, 0.5, 0.475, 0.45, 0.425, 0.4)  # of the ellipse's rim, cycles a pixel
RIMS = (0.012, 0.03)  # cycles a pixel in which the rim falls: empty corners, Fermi's filter
FREQUENCIES = (np.arange(32) + 0.5) / 64  # cycles a pixel
WHITE_ERROR = (
    0.13  # mean error of log sd up to which noise counts as white, or as white up to an edge: anatomy makes up
)
# to .1, filters .17 to .5
SLACK = 0.01  # of that error: of filters that fit as well, the one of the weakest noise is taken
SLACK_WITH_AIR = 0.05  # the same where the air shows how strong the noise of all frequencies together is


def in_slice_shape(sd: Tensor, air_sd: float | None = None) -> Tensor:
    """Return (BLOCK ** 2,) sd of the noise in the coefficients of a slice, over that of the pixels.

    Args:
        sd: the same as measured, in the volume's unit; anatomy may add to the lowest frequencies.
        air_sd: of the noise of a pixel, as measured in air.
    """
    high, shapes = list(HIGH), _shapes().to(sd.device)
    ratios = sd[high].log() - shapes[:, high].log()
    level = ratios.median(dim=1).values
    error = (ratios - level[:, None]).abs().mean(dim=1)
    for simple in ([0], _cut()):
        best = simple[int(error[simple].argmin())]
        if float(error[best]) <= WHITE_ERROR:
            return shapes[best]
    if air_sd is None:
        return shapes[int(level.where(error <= error.min() + SLACK, torch.inf).argmin())]
    away = (level - math.log(air_sd)).abs()
    return shapes[int(away.where(error <= error.min() + SLACK_WITH_AIR, torch.inf).argmin())]


def _cut() -> list[int]:
    """Which of the shapes is white noise up to an edge in rows and columns."""
    plain = range(0, len(EDGES) * len(HAMMING), len(HAMMING))  # along one axis
    return [
        (row * len(EDGES) * len(HAMMING) + column) * (1 + len(RADII) * len(RIMS)) for row in plain for column in plain
    ]


@cache
def _shapes() -> Tensor:
    """(filters, BLOCK ** 2), by rows, columns and rim; white noise first."""
    response = _response()
    v, u = np.meshgrid(FREQUENCIES, FREQUENCIES)
    axes = [(1 - c + c * np.cos(2 * np.pi * FREQUENCIES)) * (edge > FREQUENCIES) for edge in EDGES for c in HAMMING]
    rims = [np.ones_like(u), *(expit((radius - np.hypot(u, v)) / rim) for radius in RADII for rim in RIMS)]
    powers = np.stack([np.square(np.outer(rows, columns) * rim) for rows in axes for columns in axes for rim in rims])
    shares = np.einsum("ku,nuv,lv->nkl", response, powers, response).reshape(len(powers), -1)
    return torch.from_numpy(np.sqrt(shares / shares.mean(axis=1, keepdims=True)).astype(np.float32))


def _response() -> np.ndarray:
    """(BLOCK, frequencies) power that each basis vector of the block transform takes from a frequency."""
    waves = np.exp(-2j * np.pi * np.outer(np.arange(BLOCK), FREQUENCIES))
    power: np.ndarray = np.abs(cosine_basis(BLOCK).numpy() @ waves) ** 2
    return power
