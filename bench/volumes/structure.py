"""Residual structure: how much anatomy is in what was removed, less what pure noise would show.

In squares where the anatomy has most structure: |covariance of removed part and anatomy| over the anatomy's own
standard deviation and the local noise's, averaged. The anatomy is the truth; where nobody knows it, the mean of the
slices before and after, whose noise is another one. Pure noise is the noise that was added, or the removed part
itself taken from another place. The Rician correction, a known function of the result, is no structure.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from bench.volumes.bench_cases import Case
from models.volume.finishing.rician import return_rician_bias, rician_sd
from models.volume.noise.noise_level import SliceNoise, measure_noise
from models.volume.scaling import noise_units
from models.volume.tissue import tissue_of
from operators.quality.bias import squares
from validation.phantoms.anatomy import Volume

Real = NDArray[np.float64]

SIDE = 8  # pixels of a square
STRUCTURED_FRACTION = 0.2  # of the squares in tissue, those with most structure
ELSEWHERE = (0, 37, 53)  # slices, rows, columns the removed part is moved by to be noise without anatomy
FEWEST = 30  # squares; fewer give no figure


def residual_structure(case: Case, image: Volume, corrected: bool) -> float:
    """0 where the removed part is as free of anatomy as noise; 1 where one standard deviation of it is anatomy.

    Args:
        case: what was denoised.
        image: the result.
        corrected: whether the method also removes the Rician bias.
    """
    noise = measure_noise(torch.from_numpy(case.noisy)[:, None], tissue_of(case.noisy, case.modality))
    level = _level(case, noise)
    removed = (case.noisy - (_measured(case, image, noise.sd) if corrected else image)) / level
    if case.truth is None:
        pure = np.roll(removed, ELSEWHERE, axis=(0, 1, 2))
    else:
        pure = (case.noisy - _measured(case, case.truth, noise.sd)) / level
    anatomy = case.truth if case.truth is not None else _neighbours(case.noisy)
    tissue = squares(case.noisy).mean(axis=-1) > tissue_of(case.noisy, case.modality).threshold
    cut = _centred(anatomy)
    spread = cut.std(axis=-1)
    chosen = tissue & (spread > 0)
    if chosen.sum() < FEWEST / STRUCTURED_FRACTION:
        return float("nan")
    chosen &= spread >= np.quantile(spread[chosen], 1 - STRUCTURED_FRACTION)
    found, chance = (_aligned(which, cut, spread, chosen) for which in (removed, pure))
    return found - chance


def _aligned(removed: Volume, anatomy: Real, spread: Real, chosen: NDArray[np.bool_]) -> float:
    covariance = (_centred(removed) * anatomy).mean(axis=-1)
    return float((np.abs(covariance[chosen]) / spread[chosen]).mean())


def _centred(volume: Volume) -> Real:
    cut = np.asarray(squares(volume), np.float64)
    return cut - cut.mean(axis=-1, keepdims=True)


def _neighbours(noisy: Volume) -> Volume:
    padded = np.concatenate([noisy[1:2], noisy, noisy[-2:-1]])
    return np.asarray((padded[:-2] + padded[2:]) / 2, np.float32)


def _measured(case: Case, image: Volume, sd: float) -> Volume:
    """The image with the Rician bias put back, where it was found and removed."""
    rician = rician_sd(case.noisy, sd) if case.modality == "MR" else 0.0
    return return_rician_bias(image, rician) if rician else image


def _level(case: Case, noise: SliceNoise) -> Volume:
    scaling = noise_units(torch.from_numpy(case.noisy)[:, None], noise)
    rows, columns = case.noisy.shape[1:]
    levels = [scaling.relative_noise_at(i, 0, 0, (rows, columns))[0].numpy() for i in range(len(case.noisy))]
    return np.stack(levels) * np.float32(noise.sd)
