"""Despeckled and untouched pixels meet without a step that was not there."""

import math

import numpy as np
import pytest
from scipy import ndimage

from models.compute import choose_compute
from models.fitting import FitContext
from models.ultrasound.feather import feather
from models.ultrasound.speckle2self import denoise_clip
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from operators.quality.seam import border_step
from validation.phantoms.speckle_phantom import make_speckle_phantom
from validation.phantoms.speckle_physics import MAXIMUM

SIDE = 256
STEP_TOLERANCE = 0.06  # of the step in the input
HARD_STEP = 1.1  # times that in the input, where smoothed speckle simply ends


def half() -> np.ndarray:
    tissue = np.zeros((SIDE, SIDE), bool)
    tissue[:, : SIDE // 2] = True
    return tissue


def test_weights_rise_from_nothing_to_one_and_the_image_border_does_not_count():
    weights = feather(half())
    assert not weights[:, SIDE // 2 :].any()
    assert (weights[:, : SIDE // 4] == 1).all()
    across = weights[0, : SIDE // 2]
    assert (np.diff(across) <= 0).all()
    assert across[-1] < 0.2
    assert (feather(np.ones((8, 9), bool)) == 1).all()
    assert not feather(np.zeros((8, 9), bool)).any()


def test_around_a_stroke_the_feather_is_narrow():
    tissue = np.ones((SIDE, SIDE), bool)
    tissue[100:105, 50:150] = False
    weights = feather(tissue)
    assert 0 < weights[106, 100] < 1
    assert weights[109, 100] == 1


def test_half_of_a_phantom_fades_into_the_other_half():
    before = make_speckle_phantom(SIDE, SIDE, 1, np.random.default_rng(1)).frames
    smooth = ndimage.gaussian_filter(before, (0, 4, 4))
    hard = np.where(half(), smooth, before)
    soft = before + feather(half()) * (smooth - before)
    assert border_step(before, hard, half(), MAXIMUM) > HARD_STEP
    assert border_step(before, soft, half(), MAXIMUM) == pytest.approx(1, abs=STEP_TOLERANCE)
    assert border_step(before, before, half(), MAXIMUM) == 1


def test_a_despeckled_half_lit_sector_has_no_step_that_was_not_there():
    before = make_speckle_phantom(SIDE, SIDE, 1, np.random.default_rng(2)).frames
    context = FitContext(choose_compute("cpu"), seed=3, budget=600.0, deadline=math.inf, label="clip")
    settings = Speckle2SelfSettings(steps=20, search_offsets=40)
    after = denoise_clip(before, half(), maximum=MAXIMUM, settings=settings, context=context).images
    assert border_step(before, after, half(), MAXIMUM) == pytest.approx(1, abs=STEP_TOLERANCE)
    assert np.abs(after - before)[:, :, : SIDE // 4].mean() > 5
