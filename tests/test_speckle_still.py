"""Ultrasound that looks like a scanner's: what distinguishes it from ideal speckle, and its truth."""

from dataclasses import replace

import numpy as np
import pytest

from validation.phantoms.speckle_still import LOOK, Look, make_still

SIDE, TRUTHS = 128, 24


def still(look: Look = LOOK, kind="linear", seed=0, realisation=0, truths=TRUTHS):
    return make_still(kind, SIDE, seed, look, realisation=realisation, truths=truths)


@pytest.mark.parametrize("kind", ["linear", "sector"])
def test_every_region_is_there_and_grey_is_stored_as_whole_numbers(kind):
    made = still(kind=kind)
    for name, region in made.regions.items():
        assert region.any(), name
        assert not (region & ~made.regions["tissue"]).any()
    assert np.array_equal(made.noisy, made.noisy.astype(np.uint8))
    assert not made.noisy[~made.regions["tissue"]].any()


def test_the_truth_is_the_mean_of_realisations_and_the_same_for_all():
    first, second = still(), still(realisation=1)
    np.testing.assert_array_equal(first.truth, second.truth)
    assert np.abs(first.noisy - second.noisy).mean() > 5
    error = first.noisy - first.truth
    spread = error[first.regions["muscle"]].std()
    assert abs(error[first.regions["muscle"]].mean()) < 0.15 * spread


def test_reflectors_are_bright_and_coherent_lumen_and_shadow_dark():
    made = still()
    truth, regions = made.truth, made.regions
    bright, muscle = truth[regions["reflectors"]].mean(), truth[regions["muscle"]].mean()
    assert bright > muscle + 15
    assert np.median(truth[regions["lumen"]]) < muscle - 30
    assert np.median(truth[regions["shadow"]]) < muscle - 30


def test_few_scatterers_leave_more_contrast_in_the_speckle():
    sparse, dense = (still(replace(LOOK, scatterers=count, curve=0.0, enhancement=0.0)) for count in (1.0, 1e4))
    contrast = [(each.noisy - each.truth)[each.regions["muscle"]].std() for each in (sparse, dense)]
    assert contrast[0] > 1.2 * contrast[1]  # of log K with one scatterer 1.4, its truth's error on both


def test_fewer_beams_smooth_along_rows_and_enhancement_sharpens():
    def roughness(look, axis):
        made = still(look)
        return np.abs(np.diff(made.noisy - made.truth, axis=axis)).mean()

    plain = Look(scatterers=1e4, beams=1.0, curve=0.0, enhancement=0.0)
    assert roughness(replace(plain, beams=0.33), 2) < 0.95 * roughness(plain, 2)
    assert roughness(replace(plain, enhancement=1.0), 1) > 1.1 * roughness(plain, 1)
