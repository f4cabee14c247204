"""A smooth map of the noise of an MR series: parallel imaging, surface coils and NORM spread it over the image.

The logarithm of the level is a polynomial in row and column. It is fitted to energies e, in units of the noise where
the level is 1: those of the finest detail of homogeneous blocks, which is the outermost part of the acquired band and
the weakest in anatomy (Aja-Fernandez et al., Medical Image Analysis 2015), and those of the air, where there is any.
Energies of noise follow a gamma law, so that with design B, level exp(B t) and weights w

    t <- t + 1/2 (B' w B + P)^-1 (B' w (e / exp(2 B t) - 1) - P t).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from models.volume.dct import BLOCK
from models.volume.noise.air import TILE, Air
from models.volume.noise.block_coefficients import BLOCK_STEP
from models.volume.noise.detail import Detail

DEGREE = 4  # of the polynomial
READ = (10, 15), (11, 14)  # coefficients in which the noise is read, in turn; all others judge for them
FINEST, ALONG_AXES = BLOCK**2 - 1, (BLOCK - 1, BLOCK * (BLOCK - 1))  # coefficients of the highest frequencies
HALVES = tuple((read, tuple(k for k in range(1, BLOCK**2) if k not in read)) for read in READ)
REGION = (
    6  # blocks a side; in each region the most homogeneous blocks are taken, so that no part of the image is missed
)
HOMOGENEOUS = 0.1  # fraction of a region's blocks; of .3 anatomy lifts the level by a tenth
FEWEST, FEW, MOST_OF_FEW = 8, 10, 0.3  # blocks in a region; blocks taken of a single slice's, at most that fraction
FEWEST_IN_ALL, FEWEST_WITH_AIR = 600, 60  # with fewer the noise counts as even
ROUNDS = 12
LARGEST_ENERGY = 2.0  # of the level's, beyond which a block counts as anatomy; noise exceeds it in 14 %
TRIMMED_MEAN = 0.687  # of noise below that: two coefficients follow an exponential law
PRIOR, PRIOR_FRACTION = 20.0, 0.004  # blocks' weight against any slope, at most so many of all
WEAK_CORNER, WEAK_PRIOR = 0.5, 5.0  # sd of the finest over that along the axes, from which a filter has left anatomy
EVEN_WITHIN, EVEN_WITH_AIR = 0.1, 0.05  # sd of log level in tissue up to which the noise counts as even
CHANCE = 0.9  # what chance adds to it with air, times the root of the number of blocks
EXTREME = 0.02  # quantile of the level in blocks and in air beyond which the polynomial is not followed


@dataclass(frozen=True)
class Energies:
    """Where noise was measured: location in -1 .. 1, energy over that where the level is 1, and weight."""

    rows: Tensor
    columns: Tensor
    energy: Tensor
    weight: Tensor

    @property
    def design(self) -> Tensor:
        """Return the terms of the polynomial at each location, (locations, terms)."""
        return _design(self.rows, self.columns)


def smooth_relative_noise(detail: Detail, sd: Tensor, air: Air | None, unit: float, size: tuple[int, int]) -> Tensor:
    """Return the level of the noise, (rows, columns) of ``size`` evenly over the image; its median in tissue is 1.

    Args:
        sd: (BLOCK ** 2,) of the noise in the coefficients of homogeneous tissue.
        unit: sd of the noise of a pixel there, by which the air is seen.
    """
    blocks = _homogeneous_blocks(detail, sd)
    count = len(blocks.energy)
    if count < (FEWEST_IN_ALL if air is None else FEWEST_WITH_AIR):
        return torch.ones(size, device=sd.device)
    seen = [blocks] if air is None else [blocks, _air_tiles(air, unit, blocks)]
    weak_corner = float(sd[FINEST]) < WEAK_CORNER * float(sd[list(ALONG_AXES)].mean())
    terms = _fitted(seen, WEAK_PRIOR if weak_corner else 1.0)
    in_tissue = blocks.design @ terms
    everywhere = torch.cat([each.design @ terms for each in seen])
    even_within = EVEN_WITHIN if air is None else math.hypot(EVEN_WITH_AIR, CHANCE / count**0.5)
    if float(in_tissue.std()) < even_within:
        return torch.ones(size, device=sd.device)
    rows, columns = torch.meshgrid(*(torch.linspace(-1, 1, n, device=sd.device) for n in size), indexing="ij")
    level = (_design(rows.flatten(), columns.flatten()) @ terms).view(size)
    low, high = (float(everywhere.quantile(q)) for q in (EXTREME, 1 - EXTREME))
    return (level.clamp(low, high) - in_tissue.median()).exp()


def _fitted(seen: list[Energies], doubt: float) -> Tensor:
    """The terms of the polynomial; the first of ``seen`` is tissue, whose energies are trimmed.

    Args:
        doubt: times the usual weight against any slope.
    """
    energy, weight = (torch.cat([getattr(each, name) for each in seen]) for name in ("energy", "weight"))
    design = torch.cat([each.design for each in seen])
    tissue = torch.arange(len(energy), device=energy.device) < len(seen[0].energy)
    expected = torch.where(tissue, TRIMMED_MEAN, 1.0)
    prior = doubt * min(PRIOR, PRIOR_FRACTION * len(seen[0].energy)) * torch.eye(design.shape[1], device=energy.device)
    prior[0, 0] = 0.0
    terms = torch.zeros(design.shape[1], device=energy.device)
    terms[0] = 0.5 * (seen[0].energy.median() / math.log(2)).clamp(min=1e-12).log()
    for _ in range(ROUNDS):
        ratio = energy / (2 * design @ terms).exp()
        used = weight * (~tissue | (ratio < LARGEST_ENERGY))
        slope = design.T @ (used * (ratio.clamp(max=LARGEST_ENERGY) / expected - 1)) - prior @ terms
        terms = terms + 0.5 * torch.linalg.solve(design.T @ (used[:, None] * design) + prior, slope)
    return terms


def _homogeneous_blocks(detail: Detail, sd: Tensor) -> Energies:
    """Of every region and all slices the blocks with least structure, judged by the coefficients that are not read."""
    every = BLOCK // BLOCK_STEP  # blocks that do not overlap
    bright = detail.bright(sd)[:, ::every, ::every]
    values = detail.values[:, :, ::every, ::every] / sd[:, None, None, None]
    halves = []
    for read, judged in HALVES:
        structure = values[list(judged)].square().sum(dim=0)
        chosen = _least_of_regions(structure, bright).nonzero()
        energy = values[list(read)].square().mean(dim=0)[tuple(chosen.T)]
        rows, columns = (2 * chosen[:, axis].float() / max(1, bright.shape[axis] - 1) - 1 for axis in (1, 2))
        halves.append((rows, columns, energy, torch.ones_like(energy)))
    return Energies(*(torch.cat(parts) for parts in zip(*halves, strict=True)))


def _least_of_regions(structure: Tensor, bright: Tensor) -> Tensor:
    chosen = torch.zeros_like(bright)
    for top in range(0, bright.shape[1], REGION):
        for left in range(0, bright.shape[2], REGION):
            region = (slice(None), slice(top, top + REGION), slice(left, left + REGION))
            count = int(bright[region].sum())
            if count >= FEWEST:
                taken = int(max(HOMOGENEOUS * count, min(FEW, MOST_OF_FEW * count)))
                limit = structure[region][bright[region]].kthvalue(taken).values
                chosen[region] = bright[region] & (structure[region] <= limit)
    return chosen


def _air_tiles(air: Air, unit: float, blocks: Energies) -> Energies:
    """The air, which counts as much as all blocks."""
    rows, columns = torch.from_numpy(air.count).nonzero(as_tuple=True)
    power, count = (torch.from_numpy(figures)[rows, columns].float() for figures in (air.power, air.count))
    locations = (
        2 * (at.float() * TILE + (TILE - 1) / 2) / (length - 1) - 1
        for at, length in zip((rows, columns), air.image, strict=True)
    )
    weight = count * blocks.weight.sum().cpu() / count.sum()
    return Energies(*(each.to(blocks.energy) for each in (*locations, power / unit**2, weight)))


def _design(rows: Tensor, columns: Tensor) -> Tensor:
    terms = [rows**i * columns**j for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]
    return torch.stack(terms, dim=-1)
