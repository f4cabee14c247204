"""How a scanner's filter weakens the noise of high frequencies, told by the finest detail of a slice.

The noise's amplitude is taken to be

    H(u, v) = h(u) h(v) d(u, v),   h(u) = 1 - c + c cos(2 pi u) up to an edge, d = 1 in an ellipse, soft at its rim,

u and v in cycles a pixel: Hamming's filter is c = .46, Fermi's and empty corners of k-space are d. The coefficients
that hold least anatomy tell which; those of low frequencies follow.
"""

from functools import cache

import numpy as np
import torch
from scipy.special import expit
from torch import Tensor

from models.volume.initial.transform import BLOCK, cosine_matrix

HIGH = tuple(k for k in range(BLOCK**2) if k // BLOCK + k % BLOCK >= BLOCK - 1)  # coefficients that tell the filter
HAMMING = (0.0, 0.15, 0.25, 0.35, 0.42, 0.46, 0.5)  # c
EDGES = (0.5, 0.485, 0.47)  # cycles a pixel: the acquired matrix is found to within some lines
RADII = (9.0, 0.52, 0.5, 0.475, 0.45, 0.425, 0.4)  # of the ellipse's rim, cycles a pixel; the first is none
RIM = 0.012  # cycles a pixel in which the rim falls
FREQUENCIES = (np.arange(32) + 0.5) / 64  # cycles a pixel
WHITE_ERROR = 0.05  # mean error of log sd up to which noise counts as white: rest of anatomy, and chance
SLACK = 0.01  # of that error: of filters that fit as well, the one of the weakest noise is taken


def in_slice_shape(sd: Tensor) -> Tensor:
    """Return (BLOCK ** 2,) sd of the noise in the coefficients of a slice, over that of the pixels.

    Args:
        sd: the same as measured, in any unit; anatomy may add to the lowest frequencies.
    """
    high, shapes = list(HIGH), _shapes().to(sd.device)
    ratios = sd[high].log() - shapes[:, high].log()
    level = ratios.median(dim=1).values
    error = (ratios - level[:, None]).abs().mean(dim=1)
    if float(error[0]) <= WHITE_ERROR:
        return shapes[0]
    return shapes[int(level.where(error <= error.min() + SLACK, torch.inf).argmin())]


@cache
def _shapes() -> Tensor:
    """(filters, BLOCK ** 2), white noise first."""
    response = _response()
    v, u = np.meshgrid(FREQUENCIES, FREQUENCIES)
    axes = [(1 - c + c * np.cos(2 * np.pi * FREQUENCIES)) * (edge > FREQUENCIES) for edge in EDGES for c in HAMMING]
    rims = [expit((radius - np.hypot(u, v)) / RIM) for radius in RADII]
    powers = np.stack([np.square(np.outer(rows, columns) * rim) for rows in axes for columns in axes for rim in rims])
    shares = np.einsum("ku,nuv,lv->nkl", response, powers, response).reshape(len(powers), -1)
    return torch.from_numpy(np.sqrt(shares / shares.mean(axis=1, keepdims=True)).astype(np.float32))


def _response() -> np.ndarray:
    """(BLOCK, frequencies) power that each basis vector of the block transform takes from a frequency."""
    waves = np.exp(-2j * np.pi * np.outer(np.arange(BLOCK), FREQUENCIES))
    power: np.ndarray = np.abs(cosine_matrix().numpy() @ waves) ** 2
    return power
