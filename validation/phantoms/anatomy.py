"""What phantoms are built of: a grid in millimetres, soft-edged bodies and smooth random fields.

Axes are (slice, row, column) everywhere; row grows towards the back of the patient, column towards its left side.
Depth is the distance to a surface in mm, positive inside. A body is painted by its coverage, the share of a voxel it
fills, so that edges are as wide as a voxel and small things are weakened as partial volume weakens them. Pure arrays:
no file is read or written.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

Volume = NDArray[np.float32]
Mask = NDArray[np.bool_]
Point = tuple[float, float, float]

THIN_SLICE_MM = (
    1.25  # thicker slices are averaged from sub-slices no thicker than this: where partial volume becomes visible
)
SOLID = 0.99  # coverage that counts as wholly inside
CENTRE_MM = 1e-3  # keeps the depth defined in the very centre of a body
FIELD_SAMPLES = (
    12  # nodes of a random field per wavelength: fewer, and linear interpolation bends outlines into polygons
)


@dataclass(frozen=True)
class Phantom:
    """One noisy volume and its truth."""

    truth: Volume  # (slices, rows, columns), real units: HU, arbitrary amplitude, Bq/mL
    noisy: Volume  # same shape and unit
    spacing: Point  # mm between slices, rows, columns
    modality: str  # "CT", "MR" or "PT"
    regions: Mapping[str, Mask]  # named places in it, same shape


@dataclass(frozen=True)
class Grid:
    """Voxel centres in mm, zero in the middle of the volume; each axis broadcasts against the others."""

    z: Volume  # (slices, 1, 1)
    y: Volume  # (1, rows, 1)
    x: Volume  # (1, 1, columns)
    spacing: Point

    @property
    def shape(self) -> tuple[int, int, int]:
        """Slices, rows, columns."""
        return self.z.shape[0], self.y.shape[1], self.x.shape[2]


Draw = Callable[[np.random.Generator, Grid], tuple[Volume, dict[str, Volume]]]  # values, and coverages by name


def grid(shape: tuple[int, int, int], spacing: Point) -> Grid:
    """Return the grid of a volume of this shape and spacing (mm)."""
    z, y, x = (
        ((np.arange(count) - (count - 1) / 2) * step).astype(np.float32)
        for count, step in zip(shape, spacing, strict=True)
    )
    return Grid(z[:, None, None], y[None, :, None], x[None, None, :], spacing)


def sub_slices(slice_mm: float) -> int:
    """Return into how many thin slices one slice is divided before averaging."""
    return max(1, int(np.ceil(slice_mm / THIN_SLICE_MM)))


def average_slices(thin: Volume, count: int) -> Volume:
    """Average each `count` neighbouring thin slices into one: the partial volume of a thick slice."""
    return np.asarray(thin.reshape(-1, count, *thin.shape[1:]).mean(axis=1), np.float32)


def smooth_field(rng: np.random.Generator, where: Grid, wavelength: float) -> Volume:
    """Return a smooth random field of unit variance whose bumps are about `wavelength` mm apart."""
    steps = [max(wavelength / FIELD_SAMPLES, mm) for mm in where.spacing]
    widths = [wavelength / 4 / step for step in steps]
    margins = [int(np.ceil(3 * width)) for width in widths]
    nodes = [int(np.ceil(n * mm / step)) + 3 for n, mm, step in zip(where.shape, where.spacing, steps, strict=True)]
    noise = rng.standard_normal([n + 2 * m for n, m in zip(nodes, margins, strict=True)], dtype=np.float32)
    inner = tuple(slice(m, -m) for m in margins)
    coarse = ndimage.gaussian_filter(noise, widths)
    scale = [mm / step for mm, step in zip(where.spacing, steps, strict=True)]
    fine = ndimage.affine_transform(coarse[inner], scale, output_shape=where.shape, order=1, mode="nearest")
    return np.asarray(fine / coarse.std(), np.float32)


def warped(rng: np.random.Generator, where: Grid, amplitude: float, wavelength: float) -> Grid:
    """Return the grid bent smoothly by about `amplitude` mm, so that bodies drawn on it are not ideal ones."""
    bend = [amplitude * smooth_field(rng, where, wavelength) for _ in range(3)]
    return Grid(where.z + bend[0], where.y + bend[1], where.x + bend[2], where.spacing)


def ellipsoid(where: Grid, centre: Point, semi_axes: Point, power: float = 2.0) -> Volume:
    """Return the depth in a (super)ellipsoid; centre and semi-axes in mm, a power over 2 makes it boxier."""
    offsets = [np.abs(axis - c) + CENTRE_MM for axis, c in zip((where.z, where.y, where.x), centre, strict=True)]
    radius = sum((o / a) ** power for o, a in zip(offsets, semi_axes, strict=True)) ** (1 / power)
    slope = np.sqrt(sum((o / a**2) ** 2 for o, a in zip(offsets, semi_axes, strict=True)))
    return np.asarray((1 - radius) * radius / slope, np.float32)


def cylinder(where: Grid, centre: tuple[float, float], semi_axes: tuple[float, float]) -> Volume:
    """Return the depth in an elliptic cylinder along the slices; centre and semi-axes (row, column) in mm."""
    return ellipsoid(where, (0.0, *centre), (1e6, *semi_axes))


def coverage(depth: Volume, where: Grid) -> Volume:
    """Return the share of each voxel that lies inside: 0..1 across an edge one pixel wide."""
    return np.asarray(np.clip(depth / where.spacing[1] + 0.5, 0, 1), np.float32)


def paint(image: Volume, cover: Volume, value: Volume | float) -> None:
    """Lay `value` over the image in place where `cover` says."""
    image += cover * (value - image)
