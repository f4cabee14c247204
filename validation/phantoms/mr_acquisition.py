"""MR as hospitals make it, from a model of k-space: (slices, rows, columns) of amplitude, truth and noise known.

A finely drawn slice, averaged over its thickness, is seen by each coil; its spectrum is cut to the acquired matrix,
white complex Gaussian noise is added, the spectrum is weighted and filled with zeros, and magnitudes are combined.
The truth takes the same way without noise, so it holds the same filters and ringing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from validation.phantoms.anatomy import Mask, Volume
from validation.phantoms.k_space import FULL, Complex, Encoding, image_of, moved, resized, spectrum
from validation.phantoms.mr_receive import combined, g_factor, sensitivities, smooth_phase


@dataclass(frozen=True)
class Acquisition:
    """How a series is acquired; the default is one coil with the same noise everywhere."""

    encoding: Encoding = FULL
    noise_percent: float = 7.0  # sd of the real and of the imaginary noise in the acquired matrix, before weights
    coils: int = 1  # 1, or mr_receive.COILS: magnitudes combined by the root of the sum of squares
    g_factor: float = 1.0  # of parallel imaging, in the middle
    normalised: bool = False  # received by four coils and divided by their sensitivity, as NORM does
    air_masked: bool = False  # set to 0


@dataclass(frozen=True)
class Acquired:
    """An acquired volume."""

    truth: Volume  # (slices, rows, columns) amplitude without noise
    noisy: Volume
    noise_sd: Volume  # sd of the real and of the imaginary noise; 0 in masked air
    transfer: NDArray[np.float32]  # (rows, columns) weight of each sample of the delivered k-space, 0: not acquired
    matrix: tuple[int, int]  # acquired rows and columns


def acquire(slices: Volume, matrix: tuple[int, int], acquisition: Acquisition, sigma: float, seed: int) -> Acquired:
    """Acquire finely drawn slices (slices, rows, columns), several pixels of them to one of the delivered matrix.

    Args:
        slices: amplitude on a grid as wide as the delivered one, even numbers of rows and columns.
        matrix: delivered rows and columns, even.
        acquisition: how.
        sigma: sd of the real and of the imaginary noise, before weights.
        seed: of the noise.
    """
    rng = np.random.default_rng(seed)
    acquired = acquisition.encoding.acquired(matrix)
    weights = acquisition.encoding.weights(acquired)
    coils = _receivers(slices.shape[1:], acquisition)
    spread = sigma * g_factor(acquired, acquisition.g_factor)
    truth, noisy = np.empty((2, len(slices), *matrix), np.float32)
    for index, image in enumerate(slices):
        clean = _acquired_spectra(image * coils, acquired, slices.shape[1] / matrix[0])
        noise = spread * _white(rng, clean.shape)
        for target, spectra in ((truth, clean), (noisy, clean + spectrum(noise))):
            target[index] = combined(image_of(resized(spectra * weights, matrix)))
    level = sigma * float(np.sqrt(np.mean(weights**2))) * g_factor(matrix, acquisition.g_factor)
    gain = combined(sensitivities(matrix)) if acquisition.normalised else np.ones(matrix, np.float32)
    noise_sd = np.broadcast_to(level / gain, truth.shape).copy()
    return Acquired(truth / gain, noisy / gain, noise_sd, resized(weights.astype(np.complex64), matrix).real, acquired)


def masked(volume: Acquired, body: Mask) -> Acquired:
    """Return the volume with everything outside the body set to 0."""
    truth, noisy, noise_sd = (np.where(body, each, 0) for each in (volume.truth, volume.noisy, volume.noise_sd))
    return Acquired(truth, noisy, noise_sd, volume.transfer, volume.matrix)


def _receivers(shape: tuple[int, int], acquisition: Acquisition) -> Complex:
    """Return what multiplies the object, (coils, rows, columns); coils combined before the magnitude count as one."""
    phase = smooth_phase(shape)
    if acquisition.coils > 1:
        return sensitivities(shape) * phase
    return phase[None] * (combined(sensitivities(shape)) if acquisition.normalised else 1)


def _acquired_spectra(images: Complex, acquired: tuple[int, int], fine: float) -> Complex:
    """Cut fine images to the acquired matrix; the delivered pixel's centre lies between `fine` of the fine ones."""
    return resized(moved(spectrum(images), -(fine - 1) / 2), acquired)


def _white(rng: np.random.Generator, shape: tuple[int, ...]) -> Complex:
    real, imaginary = rng.standard_normal((2, *shape), dtype=np.float32)
    return np.asarray(real + 1j * imaginary, np.complex64)
