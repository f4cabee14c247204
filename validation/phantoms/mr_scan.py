"""MR phantoms of thick slices: an anatomy of `mr_brain` or `mr_neck` in the way of acquiring of `mr_acquisition`."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np
from numpy.typing import NDArray

from validation.phantoms.anatomy import Draw, Phantom, Volume, grid
from validation.phantoms.mr_acquisition import Acquisition, acquire, masked
from validation.phantoms.mr_brain import FLAIR, T1, T2, SmallStructures, brain
from validation.phantoms.mr_neck import CORD, neck
from validation.phantoms.mr_regions import regions_of

PART_MM = 2.0  # slices are averaged from parts no thicker than this
IN_PLANE = 2  # fine pixels of the drawing to a delivered one, each axis
SMALL_REGIONS = ("lesions", "perforators", "vessels", "horns")
SMALL = SmallStructures(lesions=24, radii=(1.0, 3.0), perforators=120)


@dataclass(frozen=True)
class Anatomy:
    """What is drawn, how large its rows' field of view is, and the amplitude of which noise is a percentage."""

    draw: Draw
    fov_mm: float
    reference: float


ANATOMIES: Mapping[str, Anatomy] = {
    "t1": Anatomy(partial(brain, weighting=T1, small=SMALL), 220.0, T1.white),
    "t2": Anatomy(partial(brain, weighting=T2, small=SMALL), 220.0, T2.white),
    "flair": Anatomy(partial(brain, weighting=FLAIR, small=SMALL), 220.0, FLAIR.white),
    "neck": Anatomy(neck, 160.0, CORD),
}


@dataclass(frozen=True)
class Slices:
    """How slices lie."""

    thick_mm: float = 5.0
    gap_mm: float = 1.0

    @property
    def step_mm(self) -> float:
        """Distance of their middles."""
        return self.thick_mm + self.gap_mm


PLAIN, THICK = Acquisition(), Slices()


@dataclass(frozen=True)
class MRScan:
    """An MR phantom and what only its maker knows."""

    phantom: Phantom
    noise_sd: Volume  # (slices, rows, columns) sd of the real and of the imaginary noise
    transfer: NDArray[np.float32]  # (rows, columns) in the order of numpy.fft.fft2: what weighted signal and noise
    matrix: tuple[int, int]  # acquired rows and columns


def mr_scan(
    anatomy: str,
    shape: tuple[int, int, int] = (20, 192, 160),
    *,
    acquisition: Acquisition = PLAIN,
    slices: Slices = THICK,
    seed: int = 0,
) -> MRScan:
    """Return an MR phantom of thick slices.

    Args:
        anatomy: one of `ANATOMIES`.
        shape: slices, rows, columns as delivered; even rows and columns, square pixels.
        acquisition: its noise is in percent of white matter, of the cord in the neck.
        slices: thickness and gap.
        seed: of anatomy and noise; one seed has the same anatomy in every acquisition.

    Regions: body, air, flat, lesions and the tissues by name.
    """
    image, covers = _drawn(anatomy, shape, slices, seed)
    chosen = ANATOMIES[anatomy]
    pixel = chosen.fov_mm / shape[1]
    sigma = acquisition.noise_percent / 100 * chosen.reference
    regions = regions_of(covers, pixel, SMALL_REGIONS)
    acquired = acquire(image, shape[1:], acquisition, sigma, seed)
    if acquisition.air_masked:
        acquired = masked(acquired, ~regions["air"])
    phantom = Phantom(acquired.truth, acquired.noisy, (slices.step_mm, pixel, pixel), "MR", regions)
    return MRScan(phantom, acquired.noise_sd, acquired.transfer, acquired.matrix)


@lru_cache(maxsize=1)  # drawing takes ten times as long as acquiring, and acquisitions are compared on one anatomy
def _drawn(anatomy: str, shape: tuple[int, int, int], slices: Slices, seed: int) -> tuple[Volume, dict[str, Volume]]:
    """Return thick slices, fine in the plane, and the coverages in delivered voxels."""
    parts = int(np.ceil(slices.step_mm / PART_MM))
    pixel = ANATOMIES[anatomy].fov_mm / shape[1]
    fine = (shape[0] * parts, shape[1] * IN_PLANE, shape[2] * IN_PLANE)
    where = grid(fine, (slices.step_mm / parts, pixel / IN_PLANE, pixel / IN_PLANE))
    image, covers = ANATOMIES[anatomy].draw(np.random.default_rng([seed, 0]), where)
    profile = slice_profile(parts, slices)
    return _thick(image, profile), {name: _pixels(_thick(cover, profile)) for name, cover in covers.items()}


def slice_profile(parts: int, slices: Slices) -> NDArray[np.float32]:
    """Return the weight of each part between two gaps' middles: how much of it lies in the slice."""
    edges = np.linspace(-0.5, 0.5, parts + 1) * slices.step_mm
    inside = np.diff(np.clip(edges, -slices.thick_mm / 2, slices.thick_mm / 2))
    return np.asarray(inside / inside.sum(), np.float32)


def _thick(fine: Volume, profile: NDArray[np.float32]) -> Volume:
    return np.asarray(np.einsum("spyx,p->syx", fine.reshape(-1, len(profile), *fine.shape[1:]), profile), np.float32)


def _pixels(fine: Volume) -> Volume:
    slices, rows, columns = fine.shape
    blocks = fine.reshape(slices, rows // IN_PLANE, IN_PLANE, columns // IN_PLANE, IN_PLANE)
    return np.asarray(blocks.mean(axis=(2, 4)), np.float32)
