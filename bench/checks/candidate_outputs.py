"""What is judged: the truth, the truth with wider edges, and what denoisers make of a phantom, stored once made.

BM4D (non-commercial licence, no part of the product) runs in an environment of its own and is given the true spectrum.
"""

import hashlib
import math
import subprocess
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from scipy import fft, ndimage
from skimage.restoration import denoise_nl_means, denoise_tv_chambolle

from bench.volumes.cache import digest
from models.compute import choose_compute
from models.fitting import FitContext
from models.volume.finishing.rician import return_rician_bias
from models.volume.ns_n2n import NSN2NSettings, denoise_volume
from validation.phantoms.anatomy import Phantom, Volume

STEPS = 100  # of our fit: enough for small volumes to show its manner
PLENTY = 1e9  # seconds: the steps are those asked for
GAUSSIAN_PIXELS = 0.8  # sd; a usual choice
NLM_STRENGTH, NLM = 0.8, {"patch_size": 3, "patch_distance": 4}  # scikit-image's advice for its fast mode
LAGS = (3, 8, 8)  # slices, rows, columns: the noise's correlation beyond is taken for chance
BM4D_CODE = "import sys, numpy as n; n.trapz = n.trapezoid; from bm4d import bm4d; i, o = sys.argv[1:]; a = n.load(i); \
n.save(o, bm4d(a['noisy'], a['spectrum']).astype('f4'))"


def mean_image(phantom: Phantom) -> Volume:
    """Return what the noisy volume is on average: the truth, or in MR the mean magnitude around it."""
    if phantom.modality != "MR":
        return phantom.truth
    sd = float(np.std((phantom.noisy - phantom.truth)[phantom.truth > np.quantile(phantom.truth, 0.9)]))
    return return_rician_bias(phantom.truth, sd)


def edge_width_pixels(truth: Volume) -> float:
    """Return the sd of the steepest edges of the slices, in pixels."""
    rows, columns = np.gradient(truth, axis=(1, 2))
    gradient, laplacian = rows**2 + columns**2, ndimage.laplace(truth, axes=(1, 2)) ** 2
    steep = ndimage.binary_dilation(gradient >= np.quantile(gradient, 0.98), np.ones((1, 5, 5)))
    return math.sqrt(gradient[steep].sum() / laplacian[steep].sum() / 2)


def widened(truth: Volume, fraction: float) -> Volume:
    """Return ``truth`` with its steepest edges wider by ``fraction``, blurred in Fourier space."""
    variance = edge_width_pixels(truth) ** 2 * ((1 + fraction) ** 2 - 1)
    return blurred(truth, variance)


def blurred(images: Volume, variance: float) -> Volume:
    """Return each slice after an exact Gaussian blur of ``variance`` in square pixels; slices are mirrored at edges."""
    rows, columns = images.shape[1:]
    mirrored = fft.dctn(images, axes=(1, 2), norm="ortho")
    square = (np.pi * np.arange(rows)[:, None] / rows) ** 2 + (np.pi * np.arange(columns) / columns) ** 2
    return np.asarray(fft.idctn(mirrored * np.exp(-variance / 2 * square), axes=(1, 2), norm="ortho"), np.float32)


def noise_spectrum(phantom: Phantom) -> Volume:
    """Return E|FFT(noise)|^2 after Blackman and Tukey: the transform of the autocovariance, short lags only."""
    body = phantom.regions["body"]
    noise = phantom.noisy - mean_image(phantom)
    noise = np.where(body, noise - noise[body].mean(), 0.0)
    covariance = fft.ifftn(np.abs(fft.fftn(noise)) ** 2).real / body.mean()
    for axis, (length, lag) in enumerate(zip(noise.shape, LAGS, strict=True)):
        away = np.minimum(np.arange(length), length - np.arange(length))
        taper = np.where(away <= lag, 0.5 + 0.5 * np.cos(np.pi * away / (lag + 1)), 0.0)
        covariance *= taper.reshape([-1 if axis == at else 1 for at in range(3)])
    spectrum = fft.fftn(covariance).real
    return np.asarray(np.maximum(spectrum, 1e-4 * spectrum.max()), np.float32)


def bm4d(python: Path, folder: Path, phantom: Phantom) -> Volume:
    """Return what BM4D, given the spectrum of the very noise, makes of the phantom."""
    given, made = folder / "bm4d_in.npz", folder / "bm4d_out.npy"
    np.savez(given, noisy=phantom.noisy, spectrum=noise_spectrum(phantom))
    subprocess.run([python, "-c", BM4D_CODE, given, made], check=True, capture_output=True)
    return np.load(made)


def ours(phantom: Phantom) -> Volume:
    """Return our output, on the scale of the mean magnitude in MR: the known correction is no blur."""
    done = denoise_volume(
        phantom.noisy.copy(),
        np.ones(phantom.noisy.shape, bool),
        spacing=phantom.spacing,
        settings=NSN2NSettings(steps=STEPS),
        context=FitContext(choose_compute("cpu"), 0, PLENTY, math.inf, "checks", modality=phantom.modality),
    )
    sd = float(done.record.measures.get("rician_sd", 0.0))
    return return_rician_bias(done.images, sd) if sd else done.images


def _noise_sd(phantom: Phantom) -> float:
    return float((phantom.noisy - mean_image(phantom))[phantom.regions["body"]].std(dtype=np.float64))


def nlm(phantom: Phantom) -> Volume:
    """Return non-local means over 3 x 3 x 3 patches."""
    sd = _noise_sd(phantom)
    return np.asarray(denoise_nl_means(phantom.noisy, sigma=sd, h=NLM_STRENGTH * sd, fast_mode=True, **NLM), np.float32)


def total_variation(phantom: Phantom) -> Volume:
    """Return total variation (Chambolle 2004) in three dimensions, its weight the noise's sd."""
    sd = _noise_sd(phantom)
    return np.asarray(denoise_tv_chambolle(phantom.noisy / sd, weight=1.0) * sd, np.float32)


SIMPLE: Mapping[str, Callable[[Phantom], Volume]] = {
    "truth": mean_image,
    **{
        f"truth +{percent} %": partial(lambda p, fraction: widened(mean_image(p), fraction), fraction=percent / 100)
        for percent in (5, 10, 20)
    },
    "Gaussian": lambda phantom: blurred(phantom.noisy, GAUSSIAN_PIXELS**2),
    "NLM": nlm,
    "TV": total_variation,
    "ours": ours,
}


def stored(folder: Path, name: str, make: Callable[[], Volume], *code: str) -> Volume:
    """Return the array called ``name``, made unless it was made before by the same ``code``."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{hashlib.sha256(name.encode()).hexdigest()[:12]}_{digest(*code)}.npy"
    if not file.exists():
        np.save(file, make())
    return np.load(file)
