"""The map from real units to the units in which a network learns, and back."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from models.robust import sampled_quantile
from models.volume.noise.noise_level import MAP_STEP, SliceNoise

TINY = 1e-12  # real units; a constant volume has no range to divide by


@dataclass(frozen=True)
class Scaling:
    """(x - centre) / unit, and the local noise in these units.

    Attributes:
        relative_noise: (slices, 1, rows / 4, columns / 4) local standard deviation of the noise over ``unit``.
    """

    centre: float
    unit: float
    relative_noise: Tensor

    def scaled(self, x: Tensor) -> Tensor:
        """Return ``x`` in the network's units."""
        return (x - self.centre) / self.unit

    def real(self, x: Tensor) -> Tensor:
        """Return ``x``, given in the network's units, in real units."""
        return x * self.unit + self.centre

    def relative_noise_at(self, index: int, top: int, left: int, size: tuple[int, int]) -> Tensor:
        """Return the relative noise of a crop of slice ``index``, (1, rows, columns), see `relative_noise_of`."""
        return self.relative_noise_of([(index, top, left)], size)[0]

    def relative_noise_of(self, crops: Sequence[tuple[int, int, int]], size: tuple[int, int]) -> Tensor:
        """Return the relative noise of crops, (crops, 1, rows, columns) for ``size`` (rows, columns).

        Args:
            crops: slice, top and left of each; top and left are multiples of `MAP_STEP`.
            size: of all.
        """
        rows, columns = (-(-side // MAP_STEP) for side in size)
        at = [(index, top // MAP_STEP, left // MAP_STEP) for index, top, left in crops]
        coarse = torch.stack(
            [self.relative_noise[i, :, top : top + rows, left : left + columns] for i, top, left in at]
        )
        fine = functional.interpolate(coarse, scale_factor=float(MAP_STEP), mode="bilinear")
        return fine[..., : size[0], : size[1]]


def noise_units(volume: Tensor, noise: SliceNoise) -> Scaling:
    """Return the scaling in which the typical noise standard deviation is 1 and the median of the volume is 0."""
    return Scaling(sampled_quantile(volume, 0.5), noise.sd, noise.relative_noise)


def unit_range(volume: Tensor, noise: SliceNoise) -> Scaling:
    """Return the scaling of the volume's range to [0, 1], its noise taken as the same everywhere, as published."""
    low, high = float(volume.min()), float(volume.max())
    return Scaling(low, max(high - low, TINY), torch.ones_like(noise.relative_noise))
