"""The phantoms on which the checks are judged, by name: thin, thick and zero-filled MR, CT of 1 to 5 mm, PET."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np
from scipy import fft

from validation.phantoms.anatomy import Phantom
from validation.phantoms.ct_phantom import ct_phantom
from validation.phantoms.mr_phantom import mr_phantom
from validation.phantoms.pet_phantom import NOISE_PER_ROOT, pet_phantom

MR_SHAPE, CT_SHAPE, PET_SHAPE = (24, 128, 128), (24, 128, 128), (40, 128, 128)
THICK_SHAPE = (16, 128, 128)
ZERO_FILL = 2  # times the acquired matrix, along rows and columns
SEED = 0


def zero_filled_mr(noise_percent: float, seed: int) -> Phantom:
    """Return a thin-slice MR phantom whose outer half of k-space, along rows and columns, was not acquired."""
    made = mr_phantom(MR_SHAPE, noise_percent=noise_percent, seed=seed)
    rng = np.random.default_rng(seed + 1)
    sd = noise_percent / 100 * float(made.truth[made.regions["white"]].mean()) / ZERO_FILL
    size = MR_SHAPE[1] // ZERO_FILL
    noise = rng.standard_normal((2, MR_SHAPE[0], size, size)) * sd
    acquired = _inner(fft.fftshift(fft.fft2(made.truth), axes=(1, 2)), size) / ZERO_FILL**2
    amplitude = _filled(acquired, MR_SHAPE[1])
    kspace = acquired + fft.fftshift(fft.fft2(noise[0] + 1j * noise[1]), axes=(1, 2))
    return replace(
        made, truth=np.abs(amplitude).astype(np.float32), noisy=np.abs(_filled(kspace, MR_SHAPE[1])).astype(np.float32)
    )


def _inner(kspace: np.ndarray, size: int) -> np.ndarray:
    first = (kspace.shape[1] - size) // 2
    return kspace[:, first : first + size, first : first + size]


def _filled(kspace: np.ndarray, size: int) -> np.ndarray:
    margin = (size - kspace.shape[1]) // 2
    padded = np.pad(kspace, [(0, 0), (margin, margin), (margin, margin)])
    return fft.ifft2(fft.ifftshift(padded, axes=(1, 2))) * ZERO_FILL**2


VOLUMES: Mapping[str, Callable[[int], Phantom]] = {
    "mr_thin_3": lambda seed: mr_phantom(MR_SHAPE, noise_percent=3, seed=seed),
    "mr_thin_8": lambda seed: mr_phantom(MR_SHAPE, noise_percent=8, seed=seed),
    "mr_thin_12": lambda seed: mr_phantom(MR_SHAPE, noise_percent=12, seed=seed),
    "mr_thick_7": lambda seed: mr_phantom(THICK_SHAPE, slice_mm=5, noise_percent=7, seed=seed),
    "mr_zero_8": lambda seed: zero_filled_mr(8, seed),
    "ct_1mm": lambda seed: ct_phantom(CT_SHAPE, noise_hu=22, seed=seed),
    "ct_1mm_loud": lambda seed: ct_phantom(CT_SHAPE, noise_hu=60, seed=seed),
    "ct_3mm": lambda seed: ct_phantom(CT_SHAPE, slice_mm=3, noise_hu=15, seed=seed),
    "ct_5mm": lambda seed: ct_phantom(CT_SHAPE, slice_mm=5, noise_hu=10, seed=seed),
    "pet": lambda seed: pet_phantom(PET_SHAPE, seed=seed),
    "pet_long": lambda seed: pet_phantom(PET_SHAPE, noise_per_root=NOISE_PER_ROOT / 2, seed=seed),
}
