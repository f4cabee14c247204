import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio

from models.compute import choose_compute
from models.costs import costs_of
from models.fitting import FitContext
from models.ultrasound import speckle2self
from models.ultrasound.despeckling import BY_MEANS, RAW
from models.ultrasound.retrieval import FIT_REACH, REACH, Similarity, draw_offsets, offsets_in_time, retrieve
from models.ultrasound.speckle2self import denoise_clip
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.ultrasound.speckle_network import ScaleMixer
from models.ultrasound.speckle_plan import most_plan, plan_work, seconds_of
from validation.phantoms.speckle_phantom import make_speckle_phantom
from validation.phantoms.speckle_physics import MAXIMUM

SHORT = Speckle2SelfSettings(steps=2, search_offsets=20)
MEAN_TOLERANCE = 0.005  # fraction of the mean grey


def despeckle(frames, tissue=None, settings=SHORT, **changed):
    tissue = np.ones(frames.shape[1:], bool) if tissue is None else tissue
    context = replace(
        FitContext(choose_compute("cpu"), seed=3, budget=600.0, deadline=math.inf, label="clip"), **changed
    )
    return denoise_clip(frames, tissue, maximum=MAXIMUM, settings=settings, context=context)


@pytest.fixture(scope="module")
def still():
    return make_speckle_phantom(192, 200, 1, np.random.default_rng(1))


@pytest.mark.slow
def test_a_still_gains_five_decibels_and_keeps_its_mean_in_a_short_fit(still):
    result = despeckle(still.frames, settings=Speckle2SelfSettings(steps=60))
    before = peak_signal_noise_ratio(still.truth, still.frames, data_range=MAXIMUM)
    after = peak_signal_noise_ratio(still.truth, result.images, data_range=MAXIMUM)
    assert after > before + 5.0
    assert result.images.mean() == pytest.approx(still.frames.mean(), rel=MEAN_TOLERANCE)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(still):
    first, again, other = (despeckle(still.frames, seed=seed).images for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("shape", [(1, 37, 53), (3, 161, 170), (1, 5, 300), (2, 12, 25)])
@pytest.mark.parametrize("variant", ["default", "published"])
def test_any_size_survives_and_pixels_outside_the_tissue_stay(shape, variant):
    rng = np.random.default_rng(5)
    frames = rng.integers(0, 256, shape).astype(np.float32)
    tissue = np.zeros(shape[1:], bool)
    tissue[1:-1, 10:-10] = True
    settings = Speckle2SelfSettings(variant, steps=2, search_offsets=20)
    result = despeckle(frames, tissue, settings)
    assert result.images.shape == shape
    assert np.array_equal(result.images[:, ~tissue], frames[:, ~tissue])
    assert result.images.min() >= 0.0
    assert result.images.max() <= MAXIMUM


def test_what_is_outside_the_tissue_does_not_reach_the_tissue(still):
    tissue = np.zeros(still.frames.shape[1:], bool)
    tissue[20:, 30:-20] = True
    written = np.where(tissue, still.frames, 255.0).astype(np.float32)
    blank = np.where(tissue, still.frames, 0.0).astype(np.float32)
    assert np.array_equal(despeckle(written, tissue).images[:, tissue], despeckle(blank, tissue).images[:, tissue])


@pytest.mark.parametrize("grey", [0.0, 77.0])
def test_an_even_frame_or_no_tissue_comes_back_as_it_was(grey):
    frames = np.full((1, 40, 40), grey, np.float32)
    assert np.allclose(despeckle(frames).images, frames, atol=0.5)
    assert np.array_equal(despeckle(frames, np.zeros((40, 40), bool)).images, frames)


def test_work_follows_the_budget_and_is_recorded(still):
    costs, settings = costs_of(choose_compute("cpu")), Speckle2SelfSettings()
    shape = (1, 512, 512)
    budgets = (0.0, 20.0, 40.0, math.inf)
    plans = [plan_work(shape, settings, costs, budget) for budget in budgets]
    least, *prices = (seconds_of(costs, shape, plan, settings.variant) for plan in plans)
    assert all(price <= max(least, budget) for price, budget in zip(prices, budgets[1:], strict=True))
    for work in ("steps", "fit_offsets", "output_offsets"):
        planned = [getattr(plan, work) for plan in plans]
        assert planned == sorted(planned)
    assert plans[-1] == most_plan(shape, settings)
    record = despeckle(still.frames).record
    assert (record.steps_planned, record.steps_taken, record.seed) == (2, 2, 3)


@pytest.mark.slow
def test_an_echo_brighter_than_speckle_can_be_stays(still):
    frames = still.frames.copy()
    rows, columns = np.mgrid[-4:5, -4:5]
    echo = 250.0 * np.exp(-0.5 * ((rows / 1.4) ** 2 + (columns / 2.0) ** 2))
    frames[0, 50:59, 60:69] = np.maximum(frames[0, 50:59, 60:69], echo)
    peak = despeckle(frames, settings=Speckle2SelfSettings(steps=60)).images[0, 53:56, 63:66].max()
    surroundings = np.median(frames[0, 45:64, 50:80])
    assert peak - surroundings > 0.35 * (250.0 - surroundings)  # a whole fit keeps nearly all


def test_a_passed_deadline_ends_the_work_and_adds_no_speckle(still):
    result = despeckle(still.frames, deadline=-math.inf)
    assert result.record.steps_taken == 0
    error, speckle = (np.std(each - still.truth) for each in (result.images, still.frames))
    assert error < 0.9 * speckle


def test_retrieval_averages_similar_places_only():
    halves = torch.zeros(1, 40, 60)
    halves[:, :, 30:] = 10.0
    raw = halves + torch.linspace(-1.0, 1.0, 40)[None, :, None]
    tissue = torch.ones(40, 60, dtype=torch.bool)
    offsets = draw_offsets(100, np.random.default_rng(0))
    mean = retrieve(raw, halves, tissue, offsets, Similarity(patch=1, tolerance=0.1))
    assert torch.all((mean - halves).abs() <= (raw - halves).abs().max())
    assert float((mean - halves).std()) < 0.7 * float((raw - halves).std())


def test_a_small_faint_cyst_is_not_filled_by_what_lies_far_around_it():
    generator = torch.Generator().manual_seed(0)
    truth = torch.zeros(1, 96, 96)
    rows, columns = torch.meshgrid(torch.arange(96) - 48, torch.arange(96) - 48, indexing="ij")
    truth[:, rows**2 + columns**2 < 64] = -1.2
    raw, means = (truth + sd * torch.randn(truth.shape, generator=generator) for sd in (1.0, 0.5))
    tissue, inside = torch.ones(96, 96, dtype=torch.bool), rows**2 + columns**2 < 36
    left = []
    for reach in (FIT_REACH, REACH):
        offsets = draw_offsets(180, np.random.default_rng(0), reach)
        assert all(max(abs(o.rows) - reach[0], abs(o.columns) - reach[1]) <= 1 for o in offsets)
        estimate = retrieve(raw, means, tissue, offsets, BY_MEANS.scaled_by(0.5))
        left.append(float(estimate[:, inside].mean() / -1.2))
    assert left[0] > 1.15 * left[1]


def test_the_default_network_starts_with_an_even_field_unchanged():
    even = torch.full((1, 1, 37, 51), 0.7)
    network = ScaleMixer(8)
    assert network(even).shape == even.shape
    assert torch.allclose(network(even), even, atol=1e-5)


def test_the_mean_over_time_keeps_a_faint_cyst_and_leaves_a_moving_echo_where_it_is():
    clip = torch.randn(19, 48, 64, generator=torch.Generator().manual_seed(0))
    clip[:, 18:30, 8:24] -= 1.5
    for frame in range(19):
        clip[frame, 20:28, 26 + frame : 32 + frame] += 8
    tissue = torch.ones(clip.shape[1:], dtype=torch.bool)
    mean = retrieve(clip, clip, tissue, offsets_in_time(), RAW)[9]
    assert mean[:16].std() < 0.5
    assert mean[20:28, 10:20].mean() < -1.2
    assert mean[20:28, 36:40].mean() > 6
    assert mean[20:28, 45:].max() < 4


def test_frames_lie_one_after_another_in_memory(monkeypatch):
    seen = []
    monkeypatch.setattr(speckle2self, "despeckle", lambda clip, *_: (seen.append(clip.frames), (clip.frames, 0))[1])
    frames = np.random.default_rng(0).integers(0, 256, (5, 24, 30)).astype(np.float32)
    despeckle(frames)
    assert seen[0].is_contiguous()
