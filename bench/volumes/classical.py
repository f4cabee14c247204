"""Peers that fit nothing: BM4D, non-local means in three dimensions, total variation. Volumes as `cases.Case` has them.

BM4D (Maggioni 2013) is told the noise's standard deviation, or, as an oracle that no user has, its spectrum.
"""

from unittest.mock import patch

import numpy as np
import torch
from bm4d import bm4d
from scipy.fft import fftn
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from bench.volumes.bench_cases import Case
from models.volume.noise.noise_level import measure_noise
from models.volume.tissue import tissue_of
from validation.phantoms.anatomy import Volume

NLM = {"patch_size": 3, "patch_distance": 4}  # voxels; scikit-image's fast mode needs seconds to minutes for it
NLM_STRENGTH = 0.8  # of sigma: scikit-image's advice for the fast mode
TV_WEIGHT = 1.0  # of sigma
LAGS = (3, 8, 8)  # slices, rows, columns: the noise's correlation beyond is taken for chance


def noise_sd(case: Case) -> float:
    """Of the true noise in the body; where no truth is known, as our method measures it."""
    if case.noise is not None:
        return float(case.noise[case.regions["body"]].std(dtype=np.float64))
    return measure_noise(torch.from_numpy(case.noisy)[:, None], tissue_of(case.noisy, case.modality)).sd


def bm4d_sigma(case: Case) -> Volume:
    """BM4D told one standard deviation."""
    return np.asarray(bm4d(case.noisy, noise_sd(case)), np.float32)


def bm4d_spectrum(case: Case) -> Volume:
    """BM4D told the power spectrum of the very noise that was added."""
    with patch.object(np, "trapz", np.trapezoid, create=True):  # its own call, by the name that NumPy 2.4 has dropped
        return np.asarray(bm4d(case.noisy, noise_spectrum(case)), np.float32)


def noise_spectrum(case: Case) -> Volume:
    """E|FFT(noise)|^2 after Blackman and Tukey: the transform of the autocovariance, short lags only."""
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
    return np.asarray(np.maximum(spectrum, 1e-4 * spectrum.max()), np.float32)


def nlm(case: Case) -> Volume:
    """Non-local means over 3x3x3 patches."""
    sd = noise_sd(case)
    return np.asarray(denoise_nl_means(case.noisy, sigma=sd, h=NLM_STRENGTH * sd, fast_mode=True, **NLM), np.float32)


def total_variation(case: Case) -> Volume:
    """Total variation (Chambolle 2004) in three dimensions; noise is brought to unit standard deviation first."""
    sd = noise_sd(case)
    return np.asarray(denoise_tv_chambolle(case.noisy / sd, weight=TV_WEIGHT) * sd, np.float32)
