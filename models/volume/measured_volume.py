"""A volume on the device of its fit, with all that was measured of it before the fit."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.volume.noise.noise_level import SliceNoise, measure_noise
from models.volume.scaling import Scaling
from models.volume.tissue import Tissue, tissue_of


@dataclass(frozen=True)
class MeasuredVolume:
    """What every step of the method reads and none changes.

    Attributes:
        voxels: (slices, 1, rows, columns) float32, real units.
        valid: the same shape, False on padding.
        tissue: the values that count as tissue.
        noise: its reach between slices, its coefficients, its local standard deviation.
        scaling: to the network's units.
    """

    voxels: Tensor
    valid: Tensor
    tissue: Tissue
    noise: SliceNoise
    scaling: Scaling

    @cached_property
    def tissue_voxels(self) -> int:
        """Voxels that count as tissue."""
        return int(torch.count_nonzero(self.voxels > self.tissue.threshold))  # a sum would copy to int64

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of a slice."""
        return self.voxels.shape[-2], self.voxels.shape[-1]

    def relative_noise(self, index: int) -> Tensor:
        """Return the relative noise of slice ``index``, (1, rows, columns), in the network's units."""
        return self.scaling.relative_noise_at(index, 0, 0, self.size)


def measure_volume(
    voxels: npt.NDArray[np.float32],
    valid: npt.NDArray[np.bool_],
    modality: str,
    scaling_of: Callable[[Tensor, SliceNoise], Scaling],
    device: torch.device,
    noise_of: Callable[[Tensor, Tissue], SliceNoise] = measure_noise,
) -> MeasuredVolume:
    """Measure ``voxels``, (slices, rows, columns) in real units with the mask ``valid``, and move them to ``device``.

    On a processor no voxel is copied.
    """
    slices, inside = (torch.from_numpy(array)[:, None].to(device) for array in (voxels, valid))
    tissue = tissue_of(voxels, modality)
    noise = noise_of(slices, tissue)
    return MeasuredVolume(slices, inside, tissue, noise, scaling_of(slices, noise))
