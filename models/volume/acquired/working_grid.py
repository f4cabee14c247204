"""The grid on which a volume is denoised, that of the acquired matrix in MR, and the way back to the recorded one."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.volume.acquired.fourier_grid import crop, crop_mask, fill
from models.volume.acquired.support import AcquiredMatrix, find_support
from models.volume.noise.air import Air, read_air
from models.volume.tissue import tissue_of

Volume = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class WorkingGrid:
    """A volume on the grid on which it is denoised.

    Attributes:
        voxels: (slices, rows, columns), real units.
        valid: the same shape, False on padding.
        spacing: mm between slices, rows and columns.
        matrix: that was acquired; None where it was not searched.
        air: the noise around the body as recorded; None where it follows no law, or was not searched.
    """

    voxels: Volume
    valid: Mask
    spacing: tuple[float, float, float]
    matrix: AcquiredMatrix | None = None
    air: Air | None = None

    def filled(self, images: Volume, recorded: Volume) -> Volume:
        """Return ``images`` of this grid on that of ``recorded``."""
        return fill(images, recorded) if self.matrix and self.matrix.interpolated else images

    @property
    def name(self) -> str:
        """Return what the method's name says of the grid; nothing of that which was recorded."""
        return "on the acquired grid" if self.matrix and self.matrix.interpolated else ""

    @property
    def measures(self) -> dict[str, str]:
        """Return the acquired matrix as text, where it was searched."""
        return {"acquired_matrix": str(self.matrix)} if self.matrix else {}


def acquired_grid(voxels: Volume, valid: Mask, spacing: tuple[float, float, float]) -> WorkingGrid:
    """Return an MR volume, (slices, rows, columns) as recorded, on the grid that was acquired."""
    threshold = tissue_of(voxels, "MR").threshold
    matrix, air = find_support(voxels, threshold), read_air(voxels, threshold)
    if not matrix.interpolated:
        return WorkingGrid(voxels, valid, spacing, matrix, air)
    rows, columns = (
        mm * recorded / acquired
        for mm, recorded, acquired in zip(spacing[1:], matrix.image, (matrix.rows, matrix.columns), strict=True)
    )
    return WorkingGrid(crop(voxels, matrix), crop_mask(valid, matrix), (spacing[0], rows, columns), matrix, air)
