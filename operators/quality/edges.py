"""Measure how much wider edges became, so that neither the noise nor what is retained of it moves the result.

y is before, f after. Across an edge both hold anatomy and noise, along it noise alone; so the gradient's energy along
the edge is subtracted from that across it, and noise that is as strong both ways cancels without being known:
``E(u, v) = sum of (du/dn dv/dn - du/dt dv/dt)``. A Gaussian edge of variance s^2 after and s^2 - b before has
``E(f, y) / E(f, f) = sqrt(S / (S - b / 2))`` with S = s^2 plus the variance of the difference filter, and S follows
from E(f, f) before and after a known blur. Each edge counts by its length: products are divided by its squared
steepness. Steepness is the Gaussian gradient (sd 1 pixel) of f over the local noise's sd.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from models.filters import gaussian, gradient_magnitude, maximum
from models.side_by_side import in_batches
from operators.quality.bias import Images, Mask, Real

SMOOTH = 1.0  # pixels, sd of the smoothing before the steepness and the direction of an edge are read
SEEN = 1.0  # noise sd a pixel: five times what white noise shows by itself (.2), Rose's (1948) criterion of detection
WIDTH_SEEN = 2.5  # noise sd a pixel: an ideal observer sees edges 10 % wider (sd 1 pixel, along 10 pixels of white
# noise) with d' = sqrt(.0141 A^2) of a step of A sd, so d' = 1 (76 % correct) at A = 8.4: 2.4 sd a pixel
REACH = 7  # pixels, side of the square around a steep pixel that holds the whole edge
TILE = 16  # pixels, side of the tiles whose sums give the spread
KNOWN_BLUR = 0.5  # square pixels of variance: what E(f, f) loses by it shows how wide edges are
LEAST_VARIANCE = 0.05  # square pixels, to which an edge's is known: less stands between the difference filter's
RESOLVED = 0.25  # square pixels: edges of less than half a pixel (sd) are not resolved, growth is reported against that
FEWEST_TILES = 60  # holding edges evenly: in fewer, retained noise that resembles an edge counts too much
LEAST_COHERENT = 0.3  # of a gradient's energy, across less along: with less, places are noise rather than edges
LARGEST_ERROR = 5.0  # percent, the standard error above which an edge width is not reported
SURE = 3.0  # standard errors that a growth must stand out by
WIDEST = 0.95  # of S, the most that b / 2 may be: such edges are gone
TINY = 1e-9  # keeps a fraction of nothing finite

CROSS, ENERGY, BLURRED, FILTER, ALL, STEEPNESS, COUNT = range(7)  # what is summed over the pixels of a tile
VISIBLE, FAINT = range(2)  # edges whose width can be seen, and those of which only the presence can


@dataclass(frozen=True)
class EdgeFindings:
    """What edges say.

    Attributes:
        growth: percent by which edges whose width can be seen are wider, below 0 sharper; None where there are too few.
        error: its standard error.
        structure: steepness of the fainter edges left in what was removed, noise sd a pixel; None where there are few.
        structure_error: its standard error.
    """

    growth: float | None
    error: float
    structure: float | None
    structure_error: float

    @property
    def sure_growth(self) -> float | None:
        """The growth less its uncertainty."""
        return None if self.growth is None else _less(self.growth, self.error)

    @property
    def sure_structure(self) -> float | None:
        """The structure less its uncertainty."""
        return None if self.structure is None else _less(self.structure, self.structure_error)


def edge_findings(before: Images, after: Images, inside: Mask, noise: Images, device: torch.device) -> EdgeFindings:
    """Return the findings of slices, (slices, rows, columns) each; ``noise`` is `gradient_noise`."""
    return findings_of(in_batches(edge_sums, before, after, inside, noise, device=device).astype(np.float64))


def findings_of(sums: Real) -> EdgeFindings:
    """Return the findings of the sums of slices, (slices, 2 kinds of edge, rows, columns of tiles, 7)."""
    visible, faint = (sums[:, kind].reshape(-1, COUNT + 1) for kind in (VISIBLE, FAINT))
    growth, error = growth_of(visible)
    structure, structure_error = _structure(faint)
    return EdgeFindings(growth, error, structure, structure_error)


def edge_sums(before: Tensor, after: Tensor, inside: Tensor, noise: Tensor) -> Tensor:
    """Return the sums over each tile of slices, (slices, 2 kinds of edge, rows, columns of tiles, 7)."""
    steep = steepness(after, noise)
    cos, sin = direction(after)
    f, y, blurred = (gradient(images) for images in (after, before, gaussian(after, KNOWN_BLUR**0.5)))
    weight = 1 / (steep * noise[:, :-1, :-1]).clamp_(min=TINY) ** 2
    cross, energy, soft = (weight * across(u, v, cos, sin) for u, v in ((f, y), (f, f), (blurred, blurred)))
    both_ways = weight * (f[0] ** 2 + f[1] ** 2)
    filter_variance = energy * (1 + sin**2) / 12
    maps = torch.stack([cross, energy, soft, filter_variance, both_ways, steep**2, torch.ones_like(steep)], 1)
    there = inside[:, :-1, :-1]
    kinds = (there & (steep >= WIDTH_SEEN), there & (steep >= SEEN) & (steep < WIDTH_SEEN))
    sums = [functional.avg_pool2d(maps * kind[:, None], TILE, ceil_mode=True, divisor_override=1) for kind in kinds]
    return torch.stack(sums, 1).movedim(2, -1)


def steepness(after: Tensor, noise: Tensor) -> Tensor:
    """Return how steep the steepest edge around each corner of four pixels is, noise sd a pixel."""
    steep = gradient_magnitude(after, SMOOTH) / noise.clamp(min=TINY)
    return maximum(steep, REACH)[..., :-1, :-1]


def growth_of(tiles: Real, fewest: int = FEWEST_TILES) -> tuple[float | None, float]:
    """Return the growth in percent, None where tiles, (tiles, 7), say too little, and its standard error."""
    cross, energy, blurred, filter_variance = tiles.sum(axis=0)[[CROSS, ENERGY, BLURRED, FILTER]]
    if energy <= 0 or blurred <= 0 or energy**2 < fewest * np.square(tiles[:, ENERGY]).sum():
        return None, np.inf
    variance, own = variance_of(energy, blurred, filter_variance)
    ratio = cross / energy
    error = np.sqrt(np.square(tiles[:, CROSS] - ratio * tiles[:, ENERGY]).sum()) / energy
    growth, more = (float(growth_at(one, variance, own)) for one in (ratio, ratio + error))
    error = abs(more - growth)
    return (growth if error <= LARGEST_ERROR else None), error


def variance_of(energy: Any, blurred: Any, filter_variance: Any) -> tuple[Any, Any]:
    """Return the variance of edges after, difference filter included, and that of the filter, in square pixels."""
    own = filter_variance / energy
    return np.maximum(KNOWN_BLUR / np.maximum((energy / blurred) ** 2 - 1, TINY), LEAST_VARIANCE + own), own


def growth_at(ratio: Any, variance: Any, own: Any) -> Any:
    """Return the percent by which an edge grew to ``variance``, ``own`` of which is the difference filter's."""
    added = np.minimum(2 * variance * (1 - 1 / np.maximum(ratio, TINY) ** 2), WIDEST * (variance - own))
    return 100 * (np.sqrt(1 + added / np.maximum(variance - own - added, RESOLVED)) - 1)


def _structure(tiles: Real) -> tuple[float | None, float]:
    energy, both_ways, steepness, count = tiles.sum(axis=0)[[ENERGY, ALL, STEEPNESS, COUNT]]
    if energy <= LEAST_COHERENT * both_ways:
        return None, np.inf
    removed = tiles[:, CROSS] - tiles[:, ENERGY]
    ratio, typical = removed.sum() / energy, np.sqrt(steepness / count)
    error = typical * np.sqrt(np.square(removed - ratio * tiles[:, ENERGY]).sum()) / energy
    return (float(typical * ratio) if error <= SEEN / SURE else None), float(error)


def gradient(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return the differences along rows and columns, each the mean of two, at the corner that four pixels share."""
    rows, columns = images.diff(dim=-2), images.diff(dim=-1)
    return (rows[..., 1:] + rows[..., :-1]) / 2, (columns[..., 1:, :] + columns[..., :-1, :]) / 2


def direction(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return cosine and sine of twice the angle of the normal of the edge at each corner."""
    rows, columns = gradient(gaussian(images, SMOOTH))
    cos, sin = (gaussian(one, SMOOTH) for one in (columns**2 - rows**2, 2 * rows * columns))
    length = torch.hypot(cos, sin).clamp_(min=TINY)
    return cos / length, sin / length


def across(u: tuple[Tensor, Tensor], v: tuple[Tensor, Tensor], cos: Tensor, sin: Tensor) -> Tensor:
    """Return du/dn dv/dn - du/dt dv/dt, n the normal of the edge and t its tangent."""
    return cos * (u[1] * v[1] - u[0] * v[0]) + sin * (u[0] * v[1] + u[1] * v[0])


def _less(value: float, error: float) -> float:
    return float(np.sign(value) * max(0.0, abs(value) - SURE * error))
