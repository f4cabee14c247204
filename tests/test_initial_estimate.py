"""Laws of the initial estimate: the noise of each coefficient is measured, and what it cannot explain stays."""

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy import ndimage

from models.compute import choose_compute
from models.fitting import FitContext
from models.volume.dct import BLOCK, cosine_basis
from models.volume.finishing.change_limit import LARGEST_CHANGE_SD, limit_change
from models.volume.initial.block_shrinkage import shrink
from models.volume.initial.initial_estimate import initial_estimate
from models.volume.initial.similar_patches import QUICK
from models.volume.measured_volume import MeasuredVolume
from models.volume.noise.noise_level import measure_noise
from models.volume.noise.relative_noise import LOW_FRACTION, low_quantiles
from models.volume.scaling import Scaling, noise_units
from models.volume.tissue import Tissue

EVERYTHING = Tissue(-math.inf, (-math.inf, math.inf), ceiling=3.0)
WHITE = torch.ones(BLOCK**3)
CONTEXT = FitContext(choose_compute("cpu"), seed=0, budget=math.inf, deadline=math.inf, label="test")


def white(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def through(voxels: np.ndarray, sd: torch.Tensor = WHITE) -> np.ndarray:
    return with_local_noise(voxels, np.ones(voxels.shape[1:], np.float32), sd)


def with_local_noise(voxels: np.ndarray, local: np.ndarray, sd: torch.Tensor = WHITE) -> np.ndarray:
    slices = ((slice_, torch.from_numpy(local)) for slice_ in torch.from_numpy(voxels))
    with ThreadPoolExecutor() as pool:
        return np.stack([slice_.numpy() for slice_ in shrink(slices, sd, pool)])


@pytest.mark.parametrize("axes", [1, 2, 3])
def test_the_transform_is_orthonormal_and_begins_with_the_mean(axes: int) -> None:
    basis = cosine_basis(*[BLOCK] * axes)
    assert torch.allclose(basis @ basis.T, torch.eye(BLOCK**axes), atol=1e-6)
    assert torch.allclose(basis[0], torch.full((BLOCK**axes,), BLOCK ** (-axes / 2)))


@pytest.mark.parametrize("shape", [(4, 9, 11), (7, 4, 30), (5, 3, 2), (6, 33, 32)])
def test_a_volume_without_noise_comes_through_at_any_size(shape: tuple[int, int, int]) -> None:
    voxels = 50 * white(shape)
    assert np.allclose(through(voxels, 1e-6 * WHITE), voxels, atol=1e-3)


def test_white_noise_falls_to_what_the_mean_of_a_block_keeps() -> None:
    left = through(white((12, 64, 64)))[3:-3, 8:-8, 8:-8].std()
    assert left < 2.0 / math.sqrt(BLOCK**3)


def test_where_noise_grows_homogeneous_tissue_far_from_zero_stays_so() -> None:
    local = np.linspace(0.7, 1.4, 64, dtype=np.float32) * np.ones((64, 1), np.float32)
    voxels = 200 + local * white((12, 64, 64))
    left = (with_local_noise(voxels.astype(np.float32), local) - 200) / local
    assert left[3:-3, 8:-8, 8:-8].std() < 2.0 / math.sqrt(BLOCK**3)


def test_an_edge_far_above_the_noise_stays_where_it_is() -> None:
    truth = np.where(np.arange(64) < 31, 0.0, 30.0) * np.ones((8, 64, 1))
    images = through((truth + white(truth.shape)).astype(np.float32))
    assert np.abs(images - truth)[:, :, 28:34].mean() < 0.5
    assert abs((images - truth).mean()) < 0.05


def test_every_slice_comes_out_once_and_in_order() -> None:
    ramp = np.arange(9, dtype=np.float32)[:, None, None] * 100 + np.zeros((9, 16, 16), np.float32)
    assert np.allclose(through(ramp, 1e-6 * WHITE)[:, 8, 8], 100 * np.arange(9), atol=1e-2)


@pytest.mark.parametrize(("width", "mixing"), [(0.0, 0.0), (0.8, 0.0), (0.8, 0.6)])
def test_the_coefficients_are_measured_under_anatomy(width: float, mixing: float) -> None:
    noise = white((25, 96, 96))
    noise = ndimage.gaussian_filter(noise[1:] + mixing * noise[:-1], (0, width, width))
    noise /= noise.std()
    anatomy = 4 * ndimage.gaussian_filter(white(noise.shape, 1), (4, 6, 6)) / 0.01
    measured = measure_noise(torch.from_numpy((noise + anatomy).astype(np.float32))[:, None], EVERYTHING)
    sd = measured.sd * measured.coefficient_sd
    blocks = torch.from_numpy(noise).unfold(0, 4, 4).unfold(1, 4, 4).unfold(2, 4, 4).reshape(-1, BLOCK**3)
    true = (blocks.double() @ cosine_basis(BLOCK, BLOCK, BLOCK).T.double()).std(dim=0)
    ratio = sd[1:] / true[1:]
    assert float(ratio.median()) == pytest.approx(1.0, abs=0.12)
    assert float(ratio.max()) < 1.5


@pytest.mark.parametrize("width", [0.0, 0.8])
def test_blocks_are_not_chosen_for_the_noise_that_is_read(width: float) -> None:
    noise = ndimage.gaussian_filter(white((26, 128, 128)), (0, width, width))
    measured = measure_noise(torch.from_numpy(noise)[:, None], EVERYTHING)
    assert measured.sd == pytest.approx(noise.std(), rel=0.06)
    assert float(measured.coefficient_sd.square().mean()) == pytest.approx(1.0, rel=1e-5)


def test_without_tissue_the_noise_is_white_and_its_sd_that_of_the_volume() -> None:
    volume = torch.from_numpy(5 * white((6, 1, 20, 20)))
    noise = measure_noise(volume, Tissue(math.inf, (-math.inf, math.inf), ceiling=3.0))
    assert torch.allclose(noise.coefficient_sd, WHITE)
    assert noise.sd == pytest.approx(5.0, rel=0.5)
    assert bool(noise.relative_noise.isfinite().all())


def test_slices_that_differ_by_anatomy_are_not_taken_for_noisy() -> None:
    organs = ndimage.gaussian_filter(white((128, 128), 2), 10) > 0
    anatomy = 2000 * ndimage.gaussian_filter(white((16, 128, 128)), (0, 8, 8)) * organs
    volume = torch.from_numpy((anatomy + 10 * white(anatomy.shape, 1)).astype(np.float32))[:, None]
    differences = (volume[1:] - volume[:-1]).std() / math.sqrt(2)
    assert float(differences) > 40.0
    assert measure_noise(volume, EVERYTHING).sd == pytest.approx(10.0, rel=0.2)


@pytest.mark.parametrize("shape", [(4, 1, 20, 20), (4, 1, 3, 2), (9, 1, 5, 30)])
@pytest.mark.parametrize("size", [0.0, 1e-3, 1e4])
def test_small_and_constant_volumes_have_a_noise(shape: tuple[int, ...], size: float) -> None:
    noise = measure_noise(torch.from_numpy(7 + size * white(shape)), EVERYTHING)
    assert noise.relative_noise.shape == (shape[0], 1, -(-shape[2] // 4), -(-shape[3] // 4))
    assert bool(noise.relative_noise.isfinite().all() and noise.coefficient_sd.isfinite().all())
    assert noise.sd > 0.0


def test_the_estimate_is_nearer_to_the_truth() -> None:
    truth = 300 * ndimage.gaussian_filter(white((12, 64, 64)), (2, 4, 4)) / 0.03
    voxels = torch.from_numpy((truth + 20 * white(truth.shape, 1)).astype(np.float32))[:, None]
    noise = replace(measure_noise(voxels, EVERYTHING), coefficient_sd=WHITE)
    scaling = noise_units(voxels, noise)
    volume = MeasuredVolume(voxels, torch.ones_like(voxels, dtype=torch.bool), EVERYTHING, noise, scaling)
    estimate = scaling.real(initial_estimate(volume, QUICK, CONTEXT)[0]).numpy()
    assert np.std(estimate - truth) < 0.7 * np.std(voxels[:, 0].numpy() - truth)


def test_no_voxel_changes_by_more_than_noise_can() -> None:
    voxels, images = 10 * white((3, 8, 8)), np.zeros((3, 8, 8), np.float32)
    scaling = Scaling(0.0, 2.0, torch.ones(3, 1, 2, 2))
    limit_change(images, voxels, scaling)
    assert np.abs(images - voxels).max() == pytest.approx(2 * LARGEST_CHANGE_SD)
    assert np.array_equal(images[np.abs(voxels) < 2 * LARGEST_CHANGE_SD], np.zeros_like(images)[np.abs(voxels) < 7])


def test_no_value_goes_beyond_those_that_were_measured() -> None:
    voxels = white((3, 8, 8))
    images = (5 * white((3, 8, 8), 1)).astype(np.float32)
    limit_change(images, voxels, Scaling(0.0, 2.0, torch.ones(3, 1, 2, 2)))
    assert (images.min(), images.max()) == (voxels.min(), voxels.max())


def test_low_quantiles_are_those_of_all_values_sorted() -> None:
    values = torch.from_numpy(np.random.default_rng(0).random((200, 41), np.float32))
    values[values > torch.linspace(0.01, 1, 200)[:, None]] = torch.nan
    expected = torch.nanquantile(values, LOW_FRACTION, dim=-1)
    assert torch.equal(low_quantiles(values).nan_to_num(-1), expected.nan_to_num(-1))
    assert expected.isnan().any()
