"""The volumes of the bench, by name: phantoms whose truth is known, and what every other volume must say.

Each maker takes the sizes and a seed and gives a `Case`; sizes are (slices, rows, columns).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import numpy.typing as npt

from bench.volumes.mr_cases import MR_SCANS
from validation.phantoms.anatomy import Mask, Phantom, Volume
from validation.phantoms.ct_phantom import abdomen_phantom, ct_phantom
from validation.phantoms.mr_brain import T1
from validation.phantoms.mr_phantom import mr_phantom
from validation.phantoms.mr_scan import mr_scan
from validation.phantoms.pet_phantom import pet_phantom

LESIONS = 50  # insertions of 10 HU and 5 mm
CT_RANGE = 1500.0  # HU, data range of PSNR and SSIM, as in the demo; the others below likewise
MR_RANGE = 900.0
PET_RANGE = 11000.0
Shape = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class MagnitudeNoise:
    """What only its maker knows of the noise of an MR volume, before the magnitude."""

    sd: Volume  # (slices, rows, columns) of the real and of the imaginary noise; 0 in masked air
    transfer: npt.NDArray[np.float32]  # (rows, columns) weight of each sample of k-space, order of numpy.fft.fft2
    coils: int = 1


@dataclass(frozen=True, eq=False)
class Case:
    """One noisy volume.

    Attributes:
        noisy: (slices, rows, columns) float32, real units.
        truth: the same shape and unit, None where nobody knows it.
        spacing: mm between slices, rows and columns.
        modality: CT, MR or PT.
        data_range: of PSNR and SSIM.
        regions: masks by name; ``body`` is always there.
        window: values shown black and white.
        magnitude_noise: of MR whose maker is known.
    """

    noisy: Volume
    truth: Volume | None
    spacing: tuple[float, float, float]
    modality: str
    data_range: float
    window: tuple[float, float]
    regions: Mapping[str, Mask] = field(default_factory=dict)
    magnitude_noise: MagnitudeNoise | None = None

    @property
    def noise(self) -> npt.NDArray[np.float32] | None:
        """What was added to the truth."""
        return None if self.truth is None else self.noisy - self.truth


SIZES: Mapping[str, Mapping[str, Shape]] = {
    "small": {
        "CT": (24, 128, 128), "MR": (32, 96, 96), "PT": (32, 64, 64), "lesions": (16, 160, 160),
        "thick MR": (10, 128, 112), "thick CT": (10, 160, 160),
    },
    "full": {
        "CT": (48, 192, 192), "MR": (48, 160, 160), "PT": (64, 96, 96), "lesions": (24, 320, 320),
        "thick MR": (20, 192, 160), "thick CT": (20, 256, 256),
    },
}  # fmt: skip
RANGES = {"CT": (CT_RANGE, (-160.0, 240.0)), "MR": (MR_RANGE, (0.0, 900.0)), "PT": (PET_RANGE, (0.0, 12000.0))}
Maker = Callable[[Mapping[str, Shape], int], Case]


def phantom_case(name: str, size: str, seed: int) -> Case:
    """Make the case called ``name``; its seed makes anatomy and noise anew."""
    return PHANTOMS[name](SIZES[size], seed)


def _case(phantom: Phantom, noise: MagnitudeNoise | None = None) -> Case:
    data_range, window = RANGES[phantom.modality]
    return Case(
        phantom.noisy, phantom.truth, phantom.spacing, phantom.modality, data_range, window, phantom.regions, noise
    )


def _ct(sizes: Mapping[str, Shape], seed: int, size: str = "CT", **options: float) -> Case:
    return _case(ct_phantom(sizes[size], lesions=LESIONS, seed=seed, **options))


def _thin_mr(sizes: Mapping[str, Shape], seed: int, percent: float) -> Case:
    phantom = mr_phantom(sizes["MR"], noise_percent=percent, seed=seed)
    sd = np.full_like(phantom.truth, percent / 100 * T1.white)
    return _case(phantom, MagnitudeNoise(sd, np.ones(phantom.truth.shape[1:], np.float32)))


def _thick_mr(sizes: Mapping[str, Shape], seed: int, name: str) -> Case:
    anatomy, acquisition = MR_SCANS[name]
    scan = mr_scan(anatomy, sizes["thick MR"], acquisition=acquisition, seed=seed)
    return _case(scan.phantom, MagnitudeNoise(scan.noise_sd, scan.transfer, acquisition.coils))


PHANTOMS: Mapping[str, Maker] = {
    **{f"mr_{percent}": partial(_thin_mr, percent=percent) for percent in (5, 7, 9, 12)},
    **{name: partial(_thick_mr, name=name) for name in MR_SCANS},
    "ct_1mm": partial(_ct, noise_hu=22),
    "ct_overlap": partial(_ct, slice_correlation=0.4),
    "ct_3mm": partial(_ct, slice_mm=3, noise_hu=15),
    "ct_5mm": partial(_ct, slice_mm=5, noise_hu=15),
    "ct_lesions": partial(_ct, size="lesions", noise_hu=15),
    "ct_abdomen_5mm": lambda sizes, seed: _case(abdomen_phantom(sizes["thick CT"], seed=seed)),
    "pet": lambda sizes, seed: _case(pet_phantom(sizes["PT"], seed=seed)),
}
