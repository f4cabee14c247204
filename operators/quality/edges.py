"""Whether edges grew wider and whether anatomy is in what was removed, read where edges are strong.

A Gaussian blur of variance b adds (b / 2) L to an image, L its Laplacian; so b is the regression of the change on L.
A Gaussian edge of standard deviation s has mean square gradient and Laplacian in the ratio 2 s^2: both widths follow.
The residual-structure index is the root mean square of that (b / 2) L over the squares with strong edges, in standard
deviations of the input's noise: how strongly anatomy shows in what was removed. Noise itself goes with L: how much is
measured in plain squares and taken off, so that pure noise gives zero.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operators.quality.bias import SIDE, Images, Mask, squares
from operators.quality.noise import homogeneous_squares, sampled

SMOOTH = 1.0  # pixels, sd of the smoothing before edges are looked for
STRONG = 2.0  # times the steepest pixel of plain squares, above which a square's steepest pixel is an edge
STRONGEST_FRACTION = 0.25  # at most so many of the tissue's squares, the steepest
FEWEST_SQUARES = 15  # with a strong edge; fewer say little
SURE = 3.0  # standard errors that a growth must stand out by

Real = npt.NDArray[np.float64]


@dataclass(frozen=True)
class EdgeFindings:
    """What the strong edges say."""

    growth: float | None  # percent by which they are surely wider; below 0: sharper; None where there are too few
    structure: float | None  # rms over the squares with edges of the edges that surely were removed, sd of the noise


def edge_findings(before: Images, after: Images, tissue: Mask, noise_sd: float) -> EdgeFindings:
    """The findings of evenly sampled slices of an input with noise of ``noise_sd``."""
    parts = [_slice_sums(before[i], after[i], tissue[i]) for i in sampled(len(before))]
    edges = np.concatenate([edge for edge, _ in parts])
    plain = np.concatenate([flat for _, flat in parts])
    if len(edges) < FEWEST_SQUARES:
        return EdgeFindings(None, None)
    noise = np.mean(plain, axis=0)
    cross, laplacian, gradient = (edges - noise).T
    power = max(laplacian.sum(), 1e-12)
    half = cross.sum() / power
    error = np.sqrt(np.square(cross - half * laplacian).sum()) / power
    surely = np.sign(half) * max(0.0, abs(half) - SURE * error)
    width = max(gradient.sum() / power / 2, 1e-12)  # variance after
    growth = 1 / np.sqrt(max(1 - 2 * surely / width, 0.01)) - 1
    removed = surely * np.sqrt(power / len(edges) / SIDE**2)
    return EdgeFindings(float(100 * growth), float(removed / noise_sd) if noise_sd else None)


def _slice_sums(before: npt.NDArray[np.float32], after: npt.NDArray[np.float32], tissue: Mask) -> tuple[Real, Real]:
    """Sums of change x L, L^2 and gradient^2 over each square with a strong edge, and over each plain one."""
    steep = squares(np.asarray(ndimage.gaussian_gradient_magnitude(after, SMOOTH))).max(axis=-1)
    inside = squares(tissue).all(axis=-1)
    plain = homogeneous_squares(before, after, tissue)
    if not plain.any():
        return np.empty((0, 3)), np.empty((0, 3))
    limit = max(STRONG * float(np.median(steep[plain])), float(np.quantile(steep[inside], 1 - STRONGEST_FRACTION)))
    change, laplacian = after - before, ndimage.laplace(after)
    rows, columns = np.gradient(after)
    products = (change * laplacian, laplacian**2, rows**2 + columns**2)
    sums = np.stack([squares(np.asarray(one)).sum(axis=-1, dtype=np.float64) for one in products], axis=-1)
    return sums[inside & (steep >= limit)], sums[plain]
