"""Small spots that a denoiser has shrunk are given back, and edges and noise are not."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from models.volume.finishing.spots import keep_spots
from models.volume.measured_volume import MeasuredVolume, measure_volume
from models.volume.scaling import noise_units

SIZE, SD = 96, 10.0  # pixels a side; of the noise
SPOTS = [(16, 16), (16, 60), (60, 16), (60, 60), (80, 40)]


def volume_of(voxels: np.ndarray) -> MeasuredVolume:
    """Measured, with white noise of a known sd."""
    measured = measure_volume(voxels, np.ones(voxels.shape, bool), "CT", noise_units, torch.device("cpu"))
    white = torch.ones_like(measured.noise.coefficient_sd)
    even = torch.ones_like(measured.noise.relative_noise)
    noise = replace(measured.noise, sd=SD, relative_noise=even, coefficient_sd=white)
    return replace(measured, noise=noise, scaling=noise_units(measured.voxels, noise))


def spots(width: float, sds: float) -> np.ndarray:
    made = np.zeros((1, SIZE, SIZE), np.float32)
    made[0][tuple(np.transpose(SPOTS))] = 1
    made = ndimage.gaussian_filter(made, (0, width, width))
    return np.asarray(sds * SD * made / made.max(), np.float32)


def noise(seed: int = 0) -> np.ndarray:
    return SD * np.random.default_rng(seed).normal(size=(1, SIZE, SIZE)).astype(np.float32)


@pytest.mark.parametrize("width", [0.7, 1.2])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_spot_that_was_shrunk_by_half_keeps_its_contrast(width: float, sign: int) -> None:
    truth = spots(width, sign * 12.0)
    voxels, images = truth + noise(), truth / 2
    keep_spots(images, voxels, volume_of(voxels))
    there = np.abs(truth) > SD
    retained = (images * truth)[there].sum() / np.square(truth[there]).sum()
    assert retained == pytest.approx(1, abs=0.1)


def test_edges_lines_and_noise_stay_removed() -> None:
    shape = np.zeros((1, SIZE, SIZE), np.float32)
    shape[:, :, 40:] = 30 * SD
    shape[:, 20, :] += 12 * SD
    voxels, images = shape + noise(1), shape.copy()
    keep_spots(images, voxels, volume_of(voxels))
    assert np.square(images - shape).mean() < 0.02 * SD**2


def test_what_was_not_changed_is_not_changed_back() -> None:
    voxels = spots(0.7, 12.0) + noise(2)
    images = voxels.copy()
    keep_spots(images, voxels, volume_of(voxels))
    assert np.array_equal(images, voxels)
