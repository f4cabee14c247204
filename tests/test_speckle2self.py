import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio

from app.validation.speckle_phantom import MAXIMUM, make_speckle_phantom
from models.compute import choose_compute
from models.speckle2self import Speckle2SelfSettings, denoise_clip, plan_steps

SHORT = Speckle2SelfSettings(steps=2, channels=8, candidates=20, matches=4)
MEAN_KEPT = 0.005  # share of the mean grey


def despeckle(frames, tissue=None, settings=SHORT, **changed):
    tissue = np.ones(frames.shape[1:], bool) if tissue is None else tissue
    given = {"maximum": MAXIMUM, "seed": 3, "budget": 600.0, "label": "clip", "compute": choose_compute("cpu")}
    return denoise_clip(frames, tissue, settings=settings, **(given | changed))


@pytest.fixture(scope="module")
def still():
    return make_speckle_phantom(192, 200, 1, np.random.default_rng(1))


def test_a_still_gains_decibels_and_keeps_its_mean_in_a_short_fit(still):
    result = despeckle(still.frames, settings=Speckle2SelfSettings(steps=60, channels=16))
    before = peak_signal_noise_ratio(still.truth, still.frames, data_range=MAXIMUM)
    after = peak_signal_noise_ratio(still.truth, result.images, data_range=MAXIMUM)
    assert after > before + 2.0
    assert result.images.mean() == pytest.approx(still.frames.mean(), rel=MEAN_KEPT)


def test_the_same_seed_gives_the_same_bits_and_another_seed_does_not(still):
    first, again, other = (despeckle(still.frames, seed=seed).images for seed in (3, 3, 4))
    assert first.tobytes() == again.tobytes()
    assert first.tobytes() != other.tobytes()


@pytest.mark.parametrize("shape", [(1, 37, 53), (3, 161, 170), (1, 5, 300)])
@pytest.mark.parametrize("variant", ["default", "paper"])
def test_any_size_survives_and_pixels_outside_the_tissue_stay(shape, variant):
    rng = np.random.default_rng(5)
    frames = rng.integers(0, 256, shape).astype(np.float32)
    tissue = np.zeros(shape[1:], bool)
    tissue[1:-1, 10:-10] = True
    settings = Speckle2SelfSettings(variant, steps=2, channels=8, candidates=20, matches=4)
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


def test_steps_follow_the_budget_and_the_record_tells_them(still):
    compute, settings = choose_compute("cpu"), Speckle2SelfSettings()
    plans = [plan_steps(settings, compute, budget) for budget in (0.0, 10.0, 20.0, 1e6)]
    assert plans == sorted(plans)
    assert plans[-1] == settings.steps
    record = despeckle(still.frames).record
    assert (record.steps_planned, record.steps_taken, record.seed) == (2, 2, 3)
