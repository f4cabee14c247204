"""Small volumes of known truth and outputs that should pass: our fits, BM4D's, and the truth with part of the noise.

Fits are made once for each version of the code and stored. What the product restores is restored in them, since only
that is delivered; their own harm, which the checks report, would otherwise pass for a false alarm.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path

import numpy as np
from scipy import ndimage

from bench.checks.candidate_outputs import bm4d, mean_image, ours, stored
from models.volume.tissue import tissue_of
from operators.quality.gate_settings import GateSettings
from operators.quality.restoring import restore
from operators.quality.volume_pair import VolumePair
from validation.phantoms.anatomy import Phantom, Volume
from validation.phantoms.ct_phantom import abdomen_phantom, ct_phantom
from validation.phantoms.mr_phantom import mr_phantom
from validation.phantoms.pet_phantom import NOISE_PER_ROOT, pet_phantom

SETTINGS = GateSettings()
SHAPE = (24, 96, 96)
CT_MM, MR_MM = (1.0, 3.0, 5.0), (1.5, 3.0, 5.0)  # slices
CT_HU, MR_PERCENT, PET_FRACTION = (10.0, 45.0), (3.0, 12.0), (0.4, 1.0)  # of noise; PET of that at clinical counts
CHESTS = 0.7  # of CT volumes, the others are abdomens
TRUTHS = 30  # volumes of each modality of which the truth is used
FAINTEST = 1.0  # Bq/ml, keeps the noise law of PET finite


@dataclass(frozen=True, eq=False)
class Output:
    """One honest output: who made it, its volume, before and after."""

    maker: str
    phantom: Phantom
    scale: Volume  # sd of the noise, the shape of the volume
    before: Volume
    after: Volume


@lru_cache(maxsize=4)
def volume_of(modality: str, seed: int) -> Phantom:
    """Return a phantom whose anatomy, slices and noise the seed draws."""
    rng = np.random.default_rng(seed)
    if modality == "CT":
        make = ct_phantom if rng.random() < CHESTS else abdomen_phantom
        return make(SHAPE, slice_mm=float(rng.choice(CT_MM)), noise_hu=float(rng.uniform(*CT_HU)), seed=seed)
    if modality == "MR":
        mm, percent = float(rng.choice(MR_MM)), float(rng.uniform(*MR_PERCENT))
        return mr_phantom(SHAPE, slice_mm=mm, noise_percent=percent, seed=seed)
    return pet_phantom(SHAPE, noise_per_root=NOISE_PER_ROOT * float(rng.uniform(*PET_FRACTION)), seed=seed)


def pair_of(modality: str, phantom: Phantom, before: Volume, after: Volume) -> VolumePair:
    """Return what the checks look at."""
    threshold, valid = tissue_of(before, modality).threshold, np.ones(before.shape, bool)
    return VolumePair(before, after.astype(np.float32), valid, phantom.spacing, threshold, modality)


def fitted(modality: str, seeds: range, folder: Path, python: Path | None) -> Iterator[Output]:
    """Yield what our fit, or BM4D of the interpreter ``python``, makes of each volume, restored where it fails."""
    for seed in seeds:
        phantom = volume_of(modality, seed)
        make = partial(bm4d, python, folder) if python else ours
        code = ("bench/gate/honest_outputs.py", "validation/phantoms", *(() if python else ("models",)))
        name = f"{modality} {seed} {'bm4d' if python else 'ours'}"
        after = stored(folder, name, partial(make, phantom), *code)
        before = phantom.noisy.astype(np.float32)
        delivered = restore(pair_of(modality, phantom, before, after), SETTINGS).images
        yield Output("BM4D" if python else "ours", phantom, _local_sd(before - mean_image(phantom)), before, delivered)


def simulated(modality: str, seed: int) -> Output:
    """Return a truth with new noise, and with part of that noise."""
    rng, phantom = np.random.default_rng(seed), volume_of(modality, seed // 1000 * 1000 + seed % TRUTHS)
    mean = mean_image(phantom)
    scale = scale_of(modality, phantom, mean)
    noise = noise_of(rng, modality, mean.shape) * scale
    return Output("truth", phantom, scale, mean + noise, mean + part_of(rng, noise))


def noise_of(rng: np.random.Generator, modality: str, shape: tuple[int, ...]) -> Volume:
    """Return noise of standard deviation 1: ramp-like in plane (CT), white (MR), smooth along all axes (PET)."""
    white = rng.standard_normal(shape).astype(np.float32)
    if modality == "CT":
        rows, columns = np.fft.fftfreq(shape[1])[:, None], np.fft.rfftfreq(shape[2])[None]
        frequency = np.hypot(rows, columns)
        ramp = np.sqrt(frequency + 0.01) * np.cos(np.pi / 2 * np.minimum(2 * frequency, 1)) ** 2
        white = np.fft.irfft2(np.fft.rfft2(white) * ramp, s=shape[1:]).astype(np.float32)
    elif modality == "PT":
        white = ndimage.gaussian_filter(white, (0.76, 0.8, 0.8), mode="wrap")
    return white / white.std()


def scale_of(modality: str, phantom: Phantom, mean: Volume) -> Volume:
    """Return the standard deviation of the phantom's noise: even in CT and MR, with the activity's root in PET."""
    if modality == "PT":
        root = np.sqrt(np.maximum(mean, FAINTEST))
        return root * float(((phantom.noisy - mean) / root)[phantom.regions["body"]].std())
    return np.full_like(mean, (phantom.noisy - mean)[phantom.regions["flat"]].std())


def _local_sd(noise: Volume) -> Volume:
    return np.sqrt(ndimage.gaussian_filter(noise * noise, (1, 6, 6)))


def part_of(rng: np.random.Generator, noise: Volume) -> Volume:
    """Return what of the noise a harmless output retains: a fraction, what is smooth, or both."""
    fraction, width = rng.uniform(0.15, 0.6), rng.uniform(0.7, 2.0)
    smooth = ndimage.gaussian_filter(noise, (rng.uniform(0, 0.8), width, width))
    return [fraction * noise, smooth, fraction * noise + (1 - fraction) * smooth][rng.integers(3)]
