"""Lines and spots in what was removed from ultrasound: found where they are, never made from speckle."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from models.compute import PROCESSOR, choose_compute
from models.fitting import FitContext, FitRecord
from models.ultrasound import speckle2self
from models.ultrasound.coherence import significance
from models.ultrasound.feather import feather
from models.ultrasound.speckle2self import SPECKLE_PERCENT, denoise_clip
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.ultrasound.structures import NEAR, restore_structures, structures_in
from operators.default_strength import LEAST_STRENGTH, PET, VOLUME, default_strength
from operators.quality.blending import blend_of
from operators.quality.clip_checks import ClipPair, assess_clip
from operators.quality.clip_restoring import restore_clip
from operators.quality.clip_structures import changed_structure
from operators.quality.gate_settings import GateSettings
from validation.phantoms.insertions import Insertion, Shape, inserted, profile_of
from validation.phantoms.speckle_physics import Beam, echo_of, grey_of, white

SIDE, MEAN = 160, 100.0
WIDE, FADED = 384, 9  # pixels, and of them over how many the change fades at a border
SPACING = (1.0, 1.0, 1.0)  # pixels for mm
LINE, SPOT = Shape(3.0, 50.0), Shape(5.0)
TISSUE = np.ones((SIDE, SIDE), bool)
RECORD = FitRecord("", "", "", "", "", 0, 0, 0)


def speckle(seed, side=SIDE):
    """One frame of fully developed speckle, its mean grey taken off."""
    beam = Beam(0.0, np.zeros(side), np.full(side, 2.5))
    grey = grey_of(np.abs(echo_of(white((side, side), np.random.default_rng(seed)), beam)) ** 2)
    rows, columns = grey.shape
    return np.pad(grey, ((0, side - rows), (0, side - columns)), "wrap")[None].astype(np.float32)


@pytest.mark.parametrize("seed", range(4))
def test_nothing_is_made_from_speckle(seed):
    frames = speckle(seed)
    smooth = np.full_like(frames, frames.mean())
    images, percent = restore_structures(frames, smooth, TISSUE, PROCESSOR)
    assert percent == 0
    assert np.array_equal(images, smooth)


@pytest.mark.parametrize("angle", [0.0, 0.4, 1.1, 1.57, 2.5])
@pytest.mark.parametrize(("shape", "sds", "least"), [(LINE, 4, 0.9), (SPOT, 4, 0.8), (LINE, -8, 0.5), (SPOT, -8, 0.5)])
def test_an_echo_that_was_removed_comes_back_and_half_of_a_dark_gap(angle, shape, sds, least):
    frames = speckle(1)
    smooth = np.full_like(frames, frames.mean())
    insertion = Insertion(shape, (0, 80, 80), angle, float(sds * frames.std()), abs(sds))
    recorded = inserted(frames, SPACING, [insertion])
    images, percent = restore_structures(recorded, smooth, TISSUE, PROCESSOR)
    box, profile = profile_of(insertion, SPACING)
    lost = ((recorded - images)[box] * profile).sum() / ((recorded - smooth)[box] * profile).sum()
    assert lost < 1 - least
    assert 0 < percent < 6


@pytest.mark.parametrize("seed", range(4))
def test_nothing_stands_out_more_beside_a_border_over_which_the_change_fades(seed):
    removed = np.random.default_rng(seed).choice([-20.0, 20.0], (1, WIDE, WIDE)).astype(np.float32)
    inside = np.ones(removed.shape[1:], bool)
    inside[:, :40] = False
    weight, nothing = feather(inside), np.zeros_like(removed)
    whole, faded = (
        next(significance(change * removed, nothing, change, PROCESSOR))[0]
        for change in (inside.astype(np.float32), weight)
    )
    rim = np.s_[:, 40 + FADED : 40 + 3 * FADED]
    assert np.quantile(faded[rim], 0.99) <= 1.03 * np.quantile(whole[rim], 0.99)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("shape", "sds"), [(LINE, 3), (SPOT, 4)])
def test_an_echo_beside_the_border_comes_back_as_one_in_the_middle_does(shape, sds, seed, monkeypatch):
    monkeypatch.setattr(speckle2self, "despeckle", lambda clip, *_: (torch.zeros_like(clip.frames), 0))
    context = FitContext(choose_compute("cpu"), 0, 600.0, math.inf, "clip")
    inside = np.ones((WIDE, WIDE), bool)
    inside[:, :50] = False
    frames = speckle(seed, WIDE) * inside
    echo = Insertion(shape, (0, 160, 54), np.pi / 2, float(sds * frames[:, inside].std()), sds)
    recorded = (inserted(frames, SPACING, [echo]) * inside).astype(np.float32)
    settings = Speckle2SelfSettings(steps=1, search_offsets=1)
    images = denoise_clip(recorded, inside, maximum=255.0, settings=settings, context=context).images
    box, profile = profile_of(echo, SPACING)
    lost = ((recorded - images)[box] * profile).sum() / ((recorded - frames[:, inside].mean())[box] * profile).sum()
    assert lost < 0.1


@pytest.mark.parametrize("sds", [6, -9])
def test_an_echo_comes_back_without_the_dark_grains_in_it_and_a_gap_without_the_bright_ones(sds):
    frames = speckle(2)
    smooth = np.full_like(frames, frames.mean())
    recorded = inserted(frames, SPACING, [Insertion(LINE, (0, 80, 80), 0.4, float(sds * frames.std()), abs(sds))])
    images, percent = restore_structures(recorded, smooth, TISSUE, PROCESSOR)
    assert percent > 0
    assert (np.sign(sds) * (images - smooth)).min() >= 0


@pytest.mark.parametrize(
    ("sds", "strength", "failed"), [(0, 100, False), (6, 100, True), (6, 25, False), (-9, 100, True)]
)
def test_the_check_fails_where_a_line_was_lost_or_made_unless_most_of_it_is_left(sds, strength, failed):
    frames = speckle(1)
    smooth = np.full_like(frames, frames.mean())
    recorded = inserted(frames, SPACING, [Insertion(LINE, (0, 80, 80), 0.4, float(sds * frames.std()), abs(sds))])
    pair = ClipPair(recorded, smooth, TISSUE, 255.0).at(strength)
    checks = {check.name: check for check in assess_clip(pair, strength, GateSettings()).checks}
    assert checks["local_change"].passed != failed


@pytest.mark.parametrize("sds", [6, -9])
def test_a_line_that_was_lost_or_made_comes_back_until_the_check_passes(sds):
    frames = speckle(1)
    smooth = np.full_like(frames, frames.mean())
    line = Insertion(LINE, (0, 80, 80), 0.4, float(sds * frames.std()), abs(sds))
    recorded, limit = inserted(frames, SPACING, [line]), GateSettings().local_sd
    blend = blend_of(recorded, smooth.copy())
    assert restore_clip(blend, TISSUE, limit, PROCESSOR)
    assert changed_structure(recorded, blend.images, TISSUE, PROCESSOR) <= limit
    assert 0 < blend.percent(TISSUE[None]) < 6
    away = np.s_[:, :30]
    assert np.array_equal(blend.images[away], smooth[away])


def test_speckle_that_was_removed_does_not_come_back():
    frames = speckle(2)
    smooth = np.full_like(frames, frames.mean())
    blend = blend_of(frames, smooth.copy())
    assert restore_clip(blend, TISSUE, GateSettings().local_sd, PROCESSOR) == 0
    assert np.array_equal(blend.images, smooth)


@pytest.mark.parametrize(("width", "passed"), [(1, False), (12, True)])
def test_a_border_that_shows_fails(width, passed):
    frames = speckle(3)
    tissue = TISSUE.copy()
    tissue[:, :60] = False
    weight = np.clip((np.arange(SIDE) - 59) / width, 0, 1) * tissue
    after = (frames + weight * (frames.mean() - frames)).astype(np.float32)
    checks = {
        each.name: each for each in assess_clip(ClipPair(frames, after, tissue, 255.0), 100, GateSettings()).checks
    }
    assert checks["border_step"].passed == passed


def test_a_block_that_flickers_more_fails():
    frames = np.concatenate([speckle(0)] * 6)
    checks = {}
    for name, sign in (("still", 0), ("flickering", 1)):
        after = frames.copy()
        after[::2, 64:80, 64:80] += 12.0 * sign
        checks[name] = assess_clip(ClipPair(frames, after, TISSUE, 255.0), 100, GateSettings()).checks
    passed = {name: {check.name: check.passed for check in each}["block_flicker"] for name, each in checks.items()}
    assert passed == {"still": True, "flickering": False}


def test_outside_the_tissue_nothing_changes_or_counts():
    frames = speckle(2)
    tissue = TISSUE.copy()
    tissue[:, :40] = False
    drawn = frames.copy()
    drawn[:, 60:63, :40] = 255.0
    smooth = np.where(tissue, frames.mean(), drawn).astype(np.float32)
    assert np.array_equal(restore_structures(drawn, smooth, tissue, PROCESSOR)[0], smooth)


def test_frames_without_speckle_or_tissue_come_back():
    even = np.full((2, 40, 40), 7.0, np.float32)
    for tissue in (np.ones((40, 40), bool), np.zeros((40, 40), bool)):
        assert np.array_equal(restore_structures(even, even, tissue, PROCESSOR)[0], even)


@pytest.mark.parametrize(
    ("percent", "strength"), [(9.3, 65.0), (4.8, 50.0), (2.0, LEAST_STRENGTH), (0.0, LEAST_STRENGTH)]
)
def test_the_less_speckle_the_scanner_left_the_less_is_removed(percent, strength):
    assert default_strength([replace(RECORD, measures={SPECKLE_PERCENT: percent})], "US") == strength


def test_a_volume_has_its_own_default():
    assert (default_strength([RECORD], "MR"), default_strength([RECORD], "PT")) == (VOLUME, PET)


def test_the_contrast_of_a_few_squares_is_not_known_well_enough_to_fail():
    rng = np.random.default_rng(0)
    frames = rng.uniform(60, 140, (1, 48, 64)).astype(np.float32)
    noisy = frames + np.kron(rng.normal(0, 4, (1, 3, 4)), np.ones((1, 16, 16))).astype(np.float32)
    pair = ClipPair(frames, noisy, np.ones(frames.shape[1:], bool), 255.0)
    contrast = {check.name: check for check in assess_clip(pair, 100, GateSettings()).checks}["contrast"]
    assert contrast.passed
    assert abs(contrast.raw) > GateSettings().contrast_percent


@pytest.mark.parametrize(("every", "columns"), [(4, range(10, 70)), (60, range(10, 10 + NEAR + 1))])
def test_a_line_of_which_enough_stands_out_comes_back_whole_and_a_string_of_grains_around_one_does_not(
    every: int, columns: range
) -> None:
    found = np.zeros((40, 80), np.float32)
    found[20, 10:70] = 3.0
    found[20, 10:70:every] = 5.0
    structure = structures_in(found, 2.5, 4.0)
    assert np.array_equal(np.nonzero(structure), ([20] * len(columns), list(columns)))
