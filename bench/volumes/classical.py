"""Peers that fit nothing: BM4D, BM3D slice by slice, non-local means, total variation. Volumes as `Case` has them.

BM4D (Maggioni 2013) and BM3D (Dabov 2007) are given the noise's standard deviation or, as oracles that no user has,
its spectrum, and of MR the map of its level. Of MR from one coil the Rician bias is removed afterwards, as ours is, at
the true level.
"""

from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import torch
from scipy.fft import fftn
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from bench.volumes.bench_cases import Case
from models.volume.finishing.rician import remove_rician_bias
from models.volume.noise.noise_level import measure_noise
from models.volume.tissue import tissue_of
from validation.phantoms.anatomy import Volume

NLM = {"patch_size": 3, "patch_distance": 4}  # voxels; scikit-image's fast mode needs seconds to minutes for it
NLM_STRENGTH = 0.8  # of sigma: scikit-image's advice for the fast mode
TV_WEIGHT = 1.0  # of sigma
LAGS = (3, 8, 8)  # slices, rows, columns: the noise's correlation beyond is taken for chance
LEAST_POWER = 1e-4  # of the strongest frequency's: BM4D divides by the spectrum


def noise_sd(case: Case) -> float:
    """Return the sd of the true noise in the body; where no truth is known, as our method measures it."""
    if case.magnitude_noise is not None:
        return float(np.sqrt(np.mean(np.square(case.magnitude_noise.sd[case.regions["body"]], dtype=np.float64))))
    if case.noise is not None:
        return float(case.noise[case.regions["body"]].std(dtype=np.float64))
    return measure_noise(torch.from_numpy(case.noisy)[:, None], tissue_of(case.noisy, case.modality)).sd


def bm4d_sigma(case: Case) -> Volume:
    """Denoise by BM4D, given one standard deviation."""
    return _bm4d(case, noise_sd(case))


def bm4d_spectrum(case: Case) -> Volume:
    """Denoise by BM4D, given the power spectrum of the very noise that was added."""
    return _bm4d(case, noise_spectrum(case))


def bm3d_spectrum(case: Case) -> Volume:
    """Denoise by BM3D slice by slice, given the in-plane power spectrum of the very noise that was added."""
    from bm3d import bm3d

    spectrum = noise_spectrum(case).mean(axis=0) / len(case.noisy)
    return on_even_noise(case, lambda volume: np.stack([bm3d(each, spectrum) for each in volume]))


def noise_spectrum(case: Case) -> Volume:
    """Return E|FFT(noise)|^2: of MR by what its maker knows, else from the noise itself."""
    if case.magnitude_noise is not None:
        power = case.magnitude_noise.transfer.astype(np.float64) ** 2
        plane = np.maximum(power / power.mean(), LEAST_POWER * power.max() / power.mean())
        return np.asarray(np.broadcast_to(case.noisy.size * noise_sd(case) ** 2 * plane, case.noisy.shape), np.float32)
    return _spectrum_of(case)


def _spectrum_of(case: Case) -> Volume:
    """After Blackman and Tukey: the transform of the autocovariance, short lags only."""
    if case.noise is None:
        raise ValueError("nobody knows the noise spectrum of a volume without truth")
    body = case.regions["body"]
    noise = np.where(body, case.noise - case.noise[body].mean(), 0.0)
    covariance = np.fft.ifftn(np.abs(fftn(noise)) ** 2).real / body.mean()
    for axis, (length, lag) in enumerate(zip(noise.shape, LAGS, strict=True)):
        away = np.minimum(np.arange(length), length - np.arange(length))
        taper = np.where(away <= lag, 0.5 + 0.5 * np.cos(np.pi * away / (lag + 1)), 0.0)
        covariance *= taper.reshape([-1 if axis == at else 1 for at in range(3)])
    spectrum = fftn(covariance).real
    return np.asarray(np.maximum(spectrum, LEAST_POWER * spectrum.max()), np.float32)


def nlm(case: Case) -> Volume:
    """Denoise by non-local means over 3x3x3 patches."""
    sd = noise_sd(case)
    return on_even_noise(
        case, lambda volume: denoise_nl_means(volume, sigma=sd, h=NLM_STRENGTH * sd, fast_mode=True, **NLM)
    )


def total_variation(case: Case) -> Volume:
    """Denoise by total variation (Chambolle 2004) in three dimensions, in units of the noise."""
    sd = noise_sd(case)
    return on_even_noise(case, lambda volume: denoise_tv_chambolle(volume / sd, weight=TV_WEIGHT) * sd)


def on_even_noise(case: Case, denoise: Callable[[Volume], Volume]) -> Volume:
    """Denoise the volume over the true map of its noise, if it has one; remove the Rician bias if one coil left it."""
    noise = case.magnitude_noise
    with patch.object(np, "trapz", np.trapezoid, create=True):  # BM3D's and BM4D's own call; NumPy 2.4 has dropped it
        if noise is None:
            return np.asarray(denoise(case.noisy), np.float32)
        sd = np.where(noise.sd > 0, noise.sd, noise_sd(case))
        image = denoise(case.noisy / sd * noise_sd(case)) / noise_sd(case)  # in units of the noise there
    return np.asarray((image if noise.coils > 1 else remove_rician_bias(image, 1.0)) * sd * (noise.sd > 0), np.float32)


def _bm4d(case: Case, noise: Volume | float) -> Volume:
    from bm4d import bm4d

    return on_even_noise(case, lambda volume: bm4d(volume, noise))
