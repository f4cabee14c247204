"""Laws of non-local Bayes: similar patches lower the noise, edges stay, and so does what holds no tissue."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from models.compute import choose_compute, one_thread_each
from models.fitting import FitContext
from models.volume.dct import BLOCK
from models.volume.initial.nonlocal_bayes import refine
from models.volume.initial.patch_noise import patch_noise
from models.volume.initial.similar_patches import BRISK, QUICK, STEADY, THOROUGH, THOROUGH_MR, Search
from models.volume.measured_volume import MeasuredVolume
from models.volume.noise.noise_level import SliceNoise
from models.volume.scaling import Scaling
from models.volume.tissue import Tissue

WHITE = torch.ones(BLOCK**3)
NONE = 1e-4 * WHITE


def white(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def refined(
    estimate: np.ndarray,
    voxels: np.ndarray,
    coefficient_sd: torch.Tensor = WHITE,
    threshold: float = -math.inf,
    deadline: float = math.inf,
    local: np.ndarray | None = None,
    search: Search = THOROUGH[-1],
) -> np.ndarray:
    images = torch.from_numpy(estimate.copy())
    relative = torch.ones(len(voxels), 1, -(-voxels.shape[1] // 4), -(-voxels.shape[2] // 4))
    relative = relative if local is None else relative * torch.from_numpy(local)
    volume = torch.from_numpy(voxels)[:, None]
    noise = SliceNoise(1, (0.0,), 1.0, relative, coefficient_sd)
    tissue = Tissue(threshold, (-math.inf, math.inf), ceiling=3.0)
    valid = torch.ones_like(volume, dtype=torch.bool)
    noisy = MeasuredVolume(volume, valid, tissue, noise, Scaling(0.0, 1.0, relative))
    with one_thread_each(volume.device) as pool:
        refine(images, noisy, search, pool, FitContext(choose_compute("cpu"), 0, math.inf, deadline, "test"))
    return images.numpy()


def test_white_noise_has_the_identity_as_its_covariance() -> None:
    noise = patch_noise(WHITE, (1, 4, 4))
    assert torch.allclose(noise.covariance, torch.eye(16), atol=1e-5)
    assert noise.left == pytest.approx(1 / BLOCK**3)


@pytest.mark.parametrize("shape", [(3, 3, 3), (4, 7, 8), (2, 9, 9), (9, 4, 30), (6, 20, 23)])
@pytest.mark.parametrize("search", STEADY)
def test_a_volume_without_noise_stays_what_it_is(shape: tuple[int, int, int], search: Search) -> None:
    voxels = 50 * white(shape)
    assert np.allclose(refined(voxels, voxels, NONE, search=search), voxels, atol=0.05)


@pytest.mark.parametrize("search", {*QUICK, *BRISK, *STEADY, *THOROUGH, *THOROUGH_MR})
def test_what_an_estimate_left_of_the_noise_falls_again(search: Search) -> None:
    voxels = white((12, 48, 48))
    estimate = 0.15 * white(voxels.shape, 1)
    assert refined(estimate, voxels, search=search).std() < 0.7 * estimate.std()


def test_an_edge_stays_where_it_is() -> None:
    truth = np.where(np.arange(48) < 24, 0.0, 20.0).astype(np.float32) * np.ones((9, 48, 1), np.float32)
    images = refined(truth + 0.15 * white(truth.shape, 1), truth + white(truth.shape))
    assert np.abs(images - truth).mean() < 0.1
    assert np.abs((images - truth)[:, :, 22:26].mean(axis=(0, 1))).max() < 0.1


def test_noise_is_removed_by_its_local_sd() -> None:
    local = np.where(np.arange(12) < 6, 1.0, 3.0).astype(np.float32) * np.ones((12, 1), np.float32)
    fine = np.kron(local, np.ones((4, 4), np.float32))
    voxels, estimate = fine * white((9, 48, 48)), 0.15 * fine * white((9, 48, 48), 1)
    left = refined(estimate, voxels, local=local) / fine
    weak, strong = left[:, :, :18].std(), left[:, :, 30:].std()
    assert weak == pytest.approx(strong, rel=0.25)


def test_what_holds_no_tissue_stays_as_estimated() -> None:
    voxels = white((6, 30, 30))
    estimate = np.zeros_like(voxels)
    voxels[:, :, 15:] += 100
    estimate[:, :, 15:] += 100
    images = refined(estimate, voxels, threshold=50.0)
    assert np.array_equal(images[:, :, :9], estimate[:, :, :9])
    assert not np.array_equal(images[:, :, 18:], estimate[:, :, 18:])


def test_noise_without_fine_detail_in_a_constant_estimate_is_no_trouble() -> None:
    coefficient_sd = torch.full((BLOCK**3,), 1e-6)
    coefficient_sd[:4] = 4.0
    voxels = ndimage.gaussian_filter(white((9, 40, 40)), (0, 2, 2)).astype(np.float32)
    images = refined(np.zeros_like(voxels), voxels, coefficient_sd)
    assert np.isfinite(images).all()
    assert images.std() < voxels.std()


def test_past_the_deadline_all_stays_as_estimated() -> None:
    voxels = white((6, 24, 24))
    estimate = np.zeros_like(voxels)
    assert np.array_equal(refined(estimate, voxels, deadline=0.0), estimate)


def test_the_same_twice() -> None:
    voxels = white((7, 33, 31))
    assert np.array_equal(refined(0.2 * voxels, voxels), refined(0.2 * voxels, voxels))


def test_the_same_on_one_thread_and_on_two() -> None:
    voxels = white((13, 33, 31))
    estimate, before = 0.2 * white(voxels.shape, 1), torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        one = refined(estimate, voxels)
        torch.set_num_threads(2)
        two = refined(estimate, voxels)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)
    assert np.array_equal(one, two)


@pytest.mark.parametrize("search", {search for search in (*BRISK, *STEADY) if search.between})
def test_leaders_of_one_pass_lie_midway_between_those_of_another_and_inside_the_slice(search: Search) -> None:
    on_the_grid = replace(search, between=False)
    for side in range(3 + search.step, 40):
        here, there = (each.margins((side, side + 1))[0] for each in (search, on_the_grid))
        assert (here - there) % search.step == search.step // 2
    for side in range(3, 3 + search.step):
        assert 0 <= search.margins((side, side))[0] <= side - 3
