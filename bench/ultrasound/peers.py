"""The filters that scanners and papers use, each with a grid of settings from which the truth chooses.

Each takes stored log-compressed grey (rows, columns) and gives the same. SRAD after Yu and Acton (2002), on the stored
grey, the envelope or the intensity; OBNLM after Coupe et al. (2009): non-local means with the Pearson distance; BM3D
in the log domain is told white noise or the phantom's true noise spectrum.
"""

from collections.abc import Callable
from functools import partial
from itertools import product

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter, median_filter, uniform_filter
from skimage.restoration import denoise_nl_means

from validation.phantoms.speckle_physics import DYNAMIC_RANGE_DB, MAXIMUM

ASPECT = 1.5  # lateral over axial extent of the speckle
SRAD_STEP, SRAD_DECAY = 0.1, 1.0 / 6.0
SRAD_ROUNDS = (15, 30, 60, 80, 100)
SPECTRUM_SIGMA = 3.0  # bins, of the smoothing of a noise spectrum
BM3D_THRESHOLD, BM3D_WIENER = 3.0, 0.4  # of BM3D's transform coefficients, its defaults for white noise

Image = npt.NDArray[np.float32]
Filter = Callable[[Image], Image]


def candidates(name: str, noise: Image) -> dict[str, Filter]:
    """The settings of a peer to choose from, by their description; ``noise`` is the phantom's own speckle."""
    return {
        "Gaussian": _gaussians,
        "median": _medians,
        "SRAD": _srads,
        "NLM": _nlms,
        "OBNLM": _obnlms,
        "BM3D": lambda: _bm3ds(noise),
    }[name]()


PEERS = ("Gaussian", "median", "SRAD", "NLM", "OBNLM", "BM3D")


def _gaussians() -> dict[str, Filter]:
    sigmas = (1.5, 2.0, 2.5, 3.0, 4.0)
    return {f"sigma {sigma:g}": partial(gaussian_filter, sigma=(sigma, ASPECT * sigma)) for sigma in sigmas}


def _medians() -> dict[str, Filter]:
    return {f"side {side}": partial(median_filter, size=(side, round(ASPECT * side) | 1)) for side in (5, 7, 9, 13)}


def _srads() -> dict[str, Filter]:
    grid = product(("grey", "envelope", "intensity"), SRAD_ROUNDS)
    return {f"{domain}, {rounds} rounds": partial(srad, domain=domain, rounds=rounds) for domain, rounds in grid}


def _nlms() -> dict[str, Filter]:
    grid = product((11, 15), (13, 21), (18.0, 22.0, 26.0))
    return {
        f"patch {patch}, distance {distance}, h {strength:g}": partial(
            denoise_nl_means, patch_size=patch, patch_distance=distance, h=strength, preserve_range=True
        )
        for patch, distance, strength in grid
    }


def _obnlms() -> dict[str, Filter]:
    grid = product((11, 15), (1.6, 2.0, 2.4))
    return {f"patch {p}, h {h:g}": partial(obnlm, patch=p, reach=15, strength=h) for p, h in grid}


def _bm3ds(noise: Image) -> dict[str, Filter]:
    white = {f"sigma {sigma:g}": partial(log_bm3d, spectrum=sigma) for sigma in (80.0, 110.0, 150.0)}
    spectrum = gaussian_filter(np.abs(np.fft.fft2(noise.astype(np.float64))) ** 2, SPECTRUM_SIGMA, mode="wrap")
    told = {f"true spectrum x {factor:g}": partial(log_bm3d, spectrum=factor * spectrum) for factor in (4.0,)}
    return white | told


def log_bm3d(image: Image, spectrum: float | npt.NDArray[np.float64]) -> Image:
    """BM3D of log-compressed grey, told the standard deviation of white noise or a noise spectrum."""
    import bm3d

    profile = bm3d.BM3DProfile()
    profile.lambda_thr3d, profile.mu2 = BM3D_THRESHOLD, BM3D_WIENER
    profile.lambda_thr3d_re, profile.mu2_re = BM3D_THRESHOLD, BM3D_WIENER
    return np.asarray(bm3d.bm3d(image, spectrum, profile=profile), np.float32)


def srad(image: Image, domain: str, rounds: int) -> Image:
    """Speckle reducing anisotropic diffusion of log-compressed grey, in the domain named."""
    power = {"grey": 0.0, "envelope": 1.0, "intensity": 2.0}[domain]
    scale = power * DYNAMIC_RANGE_DB / MAXIMUM * np.log(10.0) / 20.0  # of the exponent, by grey level
    field = np.exp(scale * (image.astype(np.float64) - MAXIMUM)) if power else image.astype(np.float64) + 1.0
    start = _speckle_scale(field)
    for step in range(rounds):
        field = _srad_round(field, start * np.exp(-SRAD_DECAY * SRAD_STEP * step))
    result = np.log(np.maximum(field, 1e-30)) / scale + MAXIMUM if power else field - 1.0
    return np.clip(result, 0.0, MAXIMUM).astype(np.float32)


def _speckle_scale(field: npt.NDArray[np.float64]) -> float:
    """Squared coefficient of variation in typical tissue."""
    mean, square = uniform_filter(field, 21), uniform_filter(field**2, 21)
    return float(np.median(np.maximum(square - mean**2, 0.0) / np.maximum(mean, 1e-12) ** 2))


def _srad_round(field: npt.NDArray[np.float64], scale: float) -> npt.NDArray[np.float64]:
    padded = np.pad(field, 1, mode="edge")
    north, south = padded[:-2, 1:-1] - field, padded[2:, 1:-1] - field
    west, east = padded[1:-1, :-2] - field, padded[1:-1, 2:] - field
    level = np.maximum(field, 1e-12)
    gradient = (north**2 + south**2 + west**2 + east**2) / level**2
    laplacian = (north + south + west + east) / level
    variation = (0.5 * gradient - laplacian**2 / 16.0) / (1.0 + 0.25 * laplacian) ** 2
    share = np.clip(1.0 / (1.0 + (variation - scale) / (scale * (1.0 + scale))), 0.0, 1.0)
    lower, right = (
        np.pad(share, ((0, 1), (0, 1)), mode="edge")[1:, :-1],
        np.pad(share, ((0, 1), (0, 1)), mode="edge")[:-1, 1:],
    )
    return np.asarray(field + SRAD_STEP * (lower * south + share * north + right * east + share * west))


def obnlm(image: Image, patch: int, reach: int, strength: float) -> Image:
    """Non-local means with the Pearson distance, the mean over a patch of (u - v)^2 / v."""
    padded = np.pad(image.astype(np.float32) + 1.0, reach, mode="reflect")
    rows, columns = image.shape
    here = padded[reach : reach + rows, reach : reach + columns]
    total, weights = np.zeros((2, rows, columns), np.float32)
    for row, column in product(range(-reach, reach + 1), repeat=2):
        there = padded[reach + row : reach + row + rows, reach + column : reach + column + columns]
        distance = uniform_filter((here - there) ** 2 / np.maximum(there, 1.0), patch)
        weight = np.exp(-distance / (strength**2))
        total += weight * there
        weights += weight
    return np.asarray(total / weights - 1.0, np.float32)
