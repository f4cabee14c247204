"""The volumes of the bench, by name: phantoms whose truth is known, and what every other volume must tell.

Each maker takes a seed and gives a `Case`; sizes are (slices, rows, columns).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from validation.phantoms.anatomy import Mask, Phantom, Volume
from validation.phantoms.ct_phantom import ct_phantom
from validation.phantoms.mr_phantom import mr_phantom
from validation.phantoms.pet_phantom import pet_phantom

LESIONS = 50  # insertions of 10 HU and 5 mm
CT_RANGE = 1500.0  # HU, data range of PSNR and SSIM, as in the demo; the others below likewise
MR_RANGE = 900.0
PET_RANGE = 11000.0
Shape = tuple[int, int, int]


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
        window: grey values shown black and white.
    """

    noisy: Volume
    truth: Volume | None
    spacing: tuple[float, float, float]
    modality: str
    data_range: float
    window: tuple[float, float]
    regions: Mapping[str, Mask] = field(default_factory=dict)

    @property
    def noise(self) -> npt.NDArray[np.float32] | None:
        """What was added to the truth."""
        return None if self.truth is None else self.noisy - self.truth


SIZES: Mapping[str, Mapping[str, Shape]] = {
    "small": {"CT": (24, 128, 128), "MR": (32, 96, 96), "PT": (32, 64, 64), "lesions": (16, 160, 160)},
    "full": {"CT": (48, 192, 192), "MR": (48, 160, 160), "PT": (64, 96, 96), "lesions": (24, 320, 320)},
}
RANGES = {"CT": (CT_RANGE, (-160.0, 240.0)), "MR": (MR_RANGE, (0.0, 900.0)), "PT": (PET_RANGE, (0.0, 12000.0))}
Maker = Callable[[Mapping[str, Shape], int], Phantom]
PHANTOMS: Mapping[str, Maker] = {
    "mr_5": lambda sizes, seed: mr_phantom(sizes["MR"], noise_percent=5, seed=seed),
    "mr_7": lambda sizes, seed: mr_phantom(sizes["MR"], noise_percent=7, seed=seed),
    "mr_9": lambda sizes, seed: mr_phantom(sizes["MR"], noise_percent=9, seed=seed),
    "mr_12": lambda sizes, seed: mr_phantom(sizes["MR"], noise_percent=12, seed=seed),
    "ct_1mm": lambda sizes, seed: ct_phantom(sizes["CT"], noise_hu=22, lesions=LESIONS, seed=seed),
    "ct_overlap": lambda sizes, seed: ct_phantom(sizes["CT"], slice_correlation=0.4, lesions=LESIONS, seed=seed),
    "ct_3mm": lambda sizes, seed: ct_phantom(sizes["CT"], slice_mm=3, noise_hu=15, lesions=LESIONS, seed=seed),
    "ct_5mm": lambda sizes, seed: ct_phantom(sizes["CT"], slice_mm=5, noise_hu=15, lesions=LESIONS, seed=seed),
    "ct_lesions": lambda sizes, seed: ct_phantom(sizes["lesions"], noise_hu=15, lesions=LESIONS, seed=seed),
    "pet": lambda sizes, seed: pet_phantom(sizes["PT"], seed=seed),
}


def phantom_case(name: str, size: str, seed: int) -> Case:
    """Make the phantom called ``name``; its seed makes anatomy and noise anew."""
    made = PHANTOMS[name](SIZES[size], seed)
    data_range, window = RANGES[made.modality]
    return Case(made.noisy, made.truth, made.spacing, made.modality, data_range, window, made.regions)
