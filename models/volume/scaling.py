"""An invertible map of real units to the units a network learns in."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.robust import sampled_quantile
from models.volume.noise.noise_level import LEVEL_STEP, SliceNoise

TINY = 1e-12  # real units; a constant volume has no range to divide by


@dataclass(frozen=True)
class Scaling:
    """(x - centre) / unit, and the local noise relative to the unit.

    Attributes:
        level: (slices, 1, rows / 4, columns / 4) the local noise relative to ``unit``.
    """

    centre: float
    unit: float
    level: Tensor

    def scaled(self, x: Tensor) -> Tensor:
        """Real units to the network's."""
        return (x - self.centre) / self.unit

    def real(self, x: Tensor) -> Tensor:
        """The network's units to real ones."""
        return x * self.unit + self.centre

    def level_at(self, slice_: int, top: int, left: int, size: tuple[int, int]) -> Tensor:
        """The relative noise level of one crop, (1, rows, columns); ``top`` and ``left`` are multiples of 4."""
        first, second = top // LEVEL_STEP, left // LEVEL_STEP
        rows, columns = -(-size[0] // LEVEL_STEP), -(-size[1] // LEVEL_STEP)
        coarse = self.level[slice_, :, first : first + rows, second : second + columns]
        fine = functional.interpolate(coarse[None], scale_factor=float(LEVEL_STEP), mode="bilinear")[0]
        return fine[..., : size[0], : size[1]]


def noise_units(volume: Tensor, noise: SliceNoise) -> Scaling:
    """One typical noise standard deviation is 1, the median is 0."""
    return Scaling(sampled_quantile(volume, 0.5), noise.sd, noise.level)


def unit_range(volume: Tensor, noise: SliceNoise) -> Scaling:
    """The volume's range becomes [0, 1] and its noise is taken as the same everywhere, as published."""
    low, high = float(volume.min()), float(volume.max())
    return Scaling(low, max(high - low, TINY), torch.ones_like(noise.level))
