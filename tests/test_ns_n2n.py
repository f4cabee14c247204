"""Laws of NS-N2N on small volumes."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from models.compute import choose_compute
from models.costs import costs_of
from models.fitting import Denoised, FitContext
from models.volume.finishing.fusion import agreement, fuse_neighbours
from models.volume.finishing.rician import mean_magnitude, remove_rician_bias, rician_sd
from models.volume.initial.similar_patches import THOROUGH
from models.volume.noise.noise_level import measure_noise
from models.volume.noise.slice_correlation import INDEPENDENT
from models.volume.ns_n2n import TooFewSlicesError, denoise_volume
from models.volume.ns_n2n_settings import NSN2NSettings
from models.volume.pairs import ORIENTATIONS, SlicePair, in_orientation
from models.volume.scaling import Scaling, noise_units, unit_range
from models.volume.slice_losses import confirmed_loss, published_loss
from models.volume.slice_network import SliceNetwork
from models.volume.slice_plan import BEFORE_NETWORK, LADDER, MINIMUM_STEPS, SlicePlan, always, plan_slices
from models.volume.tissue import Tissue
from validation.phantoms.ct_phantom import ct_phantom

EVERYTHING = Tissue(-math.inf, (-math.inf, math.inf), ceiling=3.0)
CPU = choose_compute("cpu")
SHORT = NSN2NSettings(steps=12)


def identity(x: torch.Tensor, relative_noise: torch.Tensor, estimate: torch.Tensor | None = None) -> torch.Tensor:
    return x


def half(x: torch.Tensor, relative_noise: torch.Tensor, estimate: torch.Tensor | None = None) -> torch.Tensor:
    return x / 2


def noise(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def pair_of(x_i: torch.Tensor, x_j: torch.Tensor) -> SlicePair:
    x = torch.stack([x_i, x_j])
    return SlicePair(x, torch.ones_like(x_i), torch.ones_like(x_i, dtype=torch.bool), guides=x)


def denoised(
    voxels: np.ndarray,
    valid: np.ndarray | None = None,
    settings: NSN2NSettings = SHORT,
    **changes: Any,
) -> Denoised:
    valid = np.ones(voxels.shape, bool) if valid is None else valid
    context = replace(FitContext(CPU, seed=1, budget=600.0, deadline=math.inf, label="test", modality="CT"), **changes)
    return denoise_volume(voxels, valid, spacing=(1.0, 0.8, 0.8), settings=settings, context=context)


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    return ndimage.gaussian_filter(noise((6, 45, 51)), (2, 6, 6)) * 2000 + 20 * noise((6, 45, 51), 1)


def test_losses_of_identical_slices_and_the_identity_are_zero() -> None:
    x = torch.from_numpy(noise((2, 1, 16, 16)))
    assert float(confirmed_loss(identity, pair_of(x, x), 1.0)) == 0
    assert float(published_loss(identity, pair_of(x, x))) == 0


@pytest.mark.parametrize("loss", [lambda n, p: confirmed_loss(n, p, 1.0), published_loss])
def test_losses_are_symmetric_in_the_pair(loss: Any) -> None:
    x_i, x_j = (torch.from_numpy(noise((2, 1, 16, 16), seed)) for seed in (1, 2))
    assert float(loss(half, pair_of(x_i, x_j))) == pytest.approx(float(loss(half, pair_of(x_j, x_i))), rel=1e-6)
    assert float(loss(half, pair_of(x_i, x_j))) > 0


def test_where_the_neighbour_differs_the_initial_estimate_is_the_target() -> None:
    x_i, x_j = torch.zeros(1, 1, 16, 16), torch.full((1, 1, 16, 16), 100.0)
    assert float(confirmed_loss(identity, pair_of(x_i, x_j), 1.0)) == 0
    assert float(confirmed_loss(half, pair_of(x_i, x_j), 1.0)) > 1


def test_the_network_begins_as_the_initial_estimate_at_any_size_and_without_one_as_the_identity() -> None:
    x, estimate = torch.from_numpy(noise((2, 2, 37, 43))).split(1, dim=1)
    assert torch.equal(SliceNetwork()(x, torch.ones_like(x), estimate), estimate)
    assert torch.equal(SliceNetwork(guided=False)(x, torch.ones_like(x)), x)


@pytest.mark.filterwarnings("ignore:The given NumPy array is not writable")
@pytest.mark.parametrize("padding", [0, 5])
def test_shape_and_padding_survive_and_the_arguments_are_never_written(volume: np.ndarray, padding: int) -> None:
    valid = np.ones(volume.shape, bool)
    valid[:, :padding] = False
    given = np.where(valid, volume, -3000).astype(np.float32)
    given.flags.writeable = valid.flags.writeable = False
    images = denoised(given, valid).images
    assert images.shape == given.shape
    assert np.array_equal(images[~valid], given[~valid])
    assert not np.array_equal(images[valid], given[valid])


@pytest.mark.parametrize("variant", ["default", "published"])
def test_same_seed_same_bits_whatever_was_fitted_before(volume: np.ndarray, variant: Any) -> None:
    settings = NSN2NSettings(variant=variant, steps=6)
    first = denoised(volume, settings=settings)
    denoised(volume[::-1].copy(), settings=settings, seed=5)
    again = denoised(volume, settings=settings)
    assert np.array_equal(first.images, again.images)
    assert not np.array_equal(first.images, denoised(volume, settings=settings, seed=2).images)


def test_the_order_of_a_volume_in_memory_changes_nothing(volume: np.ndarray) -> None:
    assert np.array_equal(denoised(np.asfortranarray(volume)).images, denoised(volume).images)


@pytest.mark.slow
def test_noise_falls_and_the_mean_stays_on_a_chest() -> None:
    phantom = ct_phantom((10, 96, 96), seed=4)
    flat = phantom.regions["flat"]
    images = denoised(phantom.noisy, settings=NSN2NSettings(steps=80)).images
    error_before, error_after = ((v - phantom.truth)[phantom.regions["body"]] for v in (phantom.noisy, images))
    assert np.mean(error_after**2) < 0.75 * np.mean(error_before**2)
    assert abs((images - phantom.noisy)[flat].mean()) < 1.0  # HU


def test_too_few_slices_are_refused_for_the_published_method_alone(volume: np.ndarray) -> None:
    with pytest.raises(TooFewSlicesError, match="3 slices"):
        denoised(volume[:3], settings=NSN2NSettings(variant="published"))


def test_the_eight_orientations_of_a_pair_are_all_different_and_hold_the_same_values() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4)
    seen = [in_orientation(number, x) for number in range(ORIENTATIONS)]
    assert torch.equal(seen[0], x)
    assert len({tuple(each.flatten().tolist()) for each in seen}) == ORIENTATIONS
    assert all(torch.equal(each.flatten().sort().values, x.flatten()) for each in seen)


def test_a_constant_volume_stays_what_it_is() -> None:
    images = denoised(np.full((5, 40, 40), 7, np.float32)).images
    assert np.allclose(images, 7, atol=1e-3)


def test_work_grows_with_the_budget_and_a_network_follows_the_first_passes() -> None:
    most, costs = NSN2NSettings().steps, costs_of(CPU)
    sizes = (2_000_000, 1_000_000)
    plans = [plan_slices(most, costs, *sizes, budget) for budget in (0, *np.geomspace(1, 1000, 400), math.inf)]
    prices = [always(costs, sizes[0]) + plan.seconds(costs, *sizes) for plan in plans]
    assert prices == sorted(prices)
    assert plans[0] == SlicePlan((), 0)
    assert plans[-1] == SlicePlan(THOROUGH, most)
    assert {plan.passes for plan in plans} == {*LADDER}
    assert all(plan.steps == 0 or plan.steps >= MINIMUM_STEPS for plan in plans)
    assert all(len(plan.passes) >= BEFORE_NETWORK for plan in plans if plan.steps)


def test_a_plan_costs_no_more_than_its_budget() -> None:
    costs, sizes = costs_of(CPU), (20_000_000, 8_000_000)
    for budget in np.geomspace(1.01 * always(costs, sizes[0]), 2000, 40):
        plan = plan_slices(800, costs, *sizes, budget)
        assert always(costs, sizes[0]) + plan.seconds(costs, *sizes) <= budget


def test_small_volumes_are_not_visited_too_often() -> None:
    assert plan_slices(800, costs_of(CPU), 200_000, 100_000).steps < 800


def test_past_the_deadline_the_initial_estimate_stands_alone(volume: np.ndarray) -> None:
    record = denoised(volume, deadline=0.0).record
    assert (record.steps_planned, record.steps_taken) == (12, 0)
    assert (record.given_up, record.measures["passes"]) == (("network", "passes"), 0)


@pytest.mark.parametrize(("mixing", "gap"), [(0.0, 1), (0.4, 2)])
def test_the_gap_follows_the_correlation_of_the_noise(mixing: float, gap: int) -> None:
    white = noise((24, 1, 96, 96))
    mixed = white[1:] + mixing * white[:-1] if mixing else white
    measured = measure_noise(torch.from_numpy(mixed), EVERYTHING)
    assert measured.gap == gap
    assert measured.correlations[0] == pytest.approx(mixing / (1 + mixing**2), abs=0.05)


def test_the_local_noise_is_measured_where_it_is() -> None:
    stronger = np.where(np.arange(96) < 48, 1.0, 3.0).astype(np.float32)
    measured = measure_noise(torch.from_numpy(noise((12, 1, 96, 96)) * stronger), EVERYTHING)
    local = measured.relative_noise.mean(dim=(0, 1, 2)) * measured.sd
    assert float(local[:8].mean()) == pytest.approx(1.0, rel=0.15)
    assert float(local[-8:].mean()) == pytest.approx(3.0, rel=0.2)  # the weaker noise around holds it down


def test_the_local_noise_follows_noise_that_varies_smoothly() -> None:
    true = np.linspace(1, 2, 128, dtype=np.float32)
    measured = measure_noise(torch.from_numpy(noise((12, 1, 128, 128)) * true), EVERYTHING)
    local = (measured.relative_noise.mean(dim=(0, 1, 2)) * measured.sd).numpy()
    assert np.allclose(local, true.reshape(-1, 4).mean(axis=1), rtol=0.15)


@pytest.mark.parametrize(("mixing", "expected"), [(0.0, 0.0), (0.5, 0.4)])
def test_sharp_anatomy_that_slices_share_is_not_taken_for_correlated_noise(mixing: float, expected: float) -> None:
    white = noise((25, 1, 128, 128))
    edges = 40 * np.sign(ndimage.gaussian_filter(noise((128, 128), 1), 5))
    mixed = (white[1:] + mixing * white[:-1]) / math.hypot(1, mixing)
    measured = measure_noise(torch.from_numpy((mixed + edges).astype(np.float32)), EVERYTHING)
    assert measured.correlations[0] == pytest.approx(expected, abs=0.1)
    assert all(abs(later) < INDEPENDENT for later in measured.correlations[1:])


@pytest.mark.parametrize("make", [noise_units, unit_range])
def test_scaling_is_invertible(volume: np.ndarray, make: Any) -> None:
    x = torch.from_numpy(volume)[:, None]
    scaling = make(x, measure_noise(x, EVERYTHING))
    assert torch.allclose(scaling.real(scaling.scaled(x)), x, atol=1e-3)


def test_fusion_lowers_noise_keeps_what_differs_and_leaves_identical_slices() -> None:
    images = noise((8, 64, 64))
    images[4, 20:30, 20:30] += 20
    scaling = noise_units(
        torch.from_numpy(images)[:, None], measure_noise(torch.from_numpy(images)[:, None], EVERYTHING)
    )
    fused = images.copy()
    fuse_neighbours(fused, scaling, -math.inf, math.inf)
    assert fused[:, 40:].std() < 0.75 * images[:, 40:].std()
    assert fused[4, 23:27, 23:27].mean() == pytest.approx(images[4, 23:27, 23:27].mean(), abs=0.5)
    same = np.repeat(images[:1], 4, axis=0)
    fused = same.copy()
    fuse_neighbours(fused, scaling, -math.inf, math.inf)
    assert np.allclose(fused, same)
    assert float(agreement(torch.full((1, 1, 9, 9), 1e3)).max()) == 0


def test_slices_that_differ_by_more_than_noise_everywhere_are_hardly_fused() -> None:
    images = 10 * noise((8, 64, 64))  # anatomy, as it were: slices share none of it
    scaling = Scaling(0.0, 1.0, torch.ones(8, 1, 16, 16))
    changes = []
    for difference_sd in (math.inf, 0.1):
        fused = images.copy()
        fuse_neighbours(fused, scaling, -math.inf, difference_sd)
        changes.append(float((fused - images).std()))
    assert changes[1] < 0.1 * changes[0]


def test_rician_bias_is_known_and_removed() -> None:
    amplitude = np.linspace(0, 20, 50)
    mean = mean_magnitude(amplitude)
    assert mean[0] == pytest.approx(math.sqrt(math.pi / 2))
    back = remove_rician_bias((mean * 30).astype(np.float32)[None], 30.0)[0]
    assert np.allclose(back, amplitude * 30, atol=0.1 * 30)
    assert np.allclose(back[amplitude > 1], amplitude[amplitude > 1] * 30, atol=0.02 * 30)


def test_the_background_gives_the_sd_only_where_it_is_rayleigh() -> None:
    draws = np.random.default_rng(0).normal(0, 10, (2, 4, 64, 64))
    air = np.hypot(*draws).astype(np.float32)
    assert rician_sd(air, 10.0) == pytest.approx(10.0, rel=0.05)
    assert rician_sd(air, 30.0) == 0
    assert rician_sd(np.zeros_like(air), 10.0) == 0
