"""The ultrasound bench: its phantoms' truth, and what its figures say of images known to be good or bad."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from bench.ultrasound import speckle_measures as measures
from validation.phantoms.speckle_scan import make_scan
from validation.scoring import ssim


@pytest.fixture(scope="module")
def phantom():
    return make_scan("linear", 256, 1, 5)


@pytest.mark.parametrize("kind", ["linear", "sector"])
@pytest.mark.slow
def test_the_truth_is_the_mean_of_realisations_of_one_scene(kind):
    phantoms = [make_scan(kind, 96, 1, 5, realisation) for realisation in range(24)]
    tissue = phantoms[0].tissue
    assert all(np.array_equal(each.truth, phantoms[0].truth) for each in phantoms)
    error = np.mean([each.frames - each.truth for each in phantoms], axis=0)[0]
    assert abs(error[tissue].mean()) < 0.5
    assert np.all(phantoms[0].frames[:, ~tissue] == 0)


@pytest.mark.slow
def test_the_truth_scores_best_and_blur_shows_in_every_figure(phantom):
    truth, tissue = phantom.truth[0], phantom.tissue
    blurred = gaussian_filter(truth, 4.0)
    assert ssim(truth[None], truth[None], tissue[None], 255.0, "gaussian") == pytest.approx(1.0)
    assert measures.edge_ratio(phantom.scene, truth, truth, tissue) == pytest.approx(1.0)
    assert measures.point_ratios(phantom.scene, truth, truth) == pytest.approx((1.0, 1.0))
    assert measures.edge_ratio(phantom.scene, truth, blurred, tissue) > 1.3
    assert measures.point_ratios(phantom.scene, truth, blurred)[1] < 0.6
    assert measures.mean_gcnr(phantom.scene, truth, tissue) > measures.mean_gcnr(
        phantom.scene, phantom.frames[0], tissue
    )


def test_truth_recorded_and_an_offset_are_no_contrast_error_and_a_blur_is_its_own():
    phantoms = [make_scan("linear", 192, 1, 5, each) for each in range(4)]
    truth, recorded = (np.stack([getattr(each, kind) for each in phantoms]) for kind in ("truth", "frames"))

    def contrasts(images):
        return np.array(
            [measures.contrasts(each.scene, image, each.tissue) for each, image in zip(phantoms, images, strict=True)]
        )

    def blurred(images):
        return gaussian_filter(images, (0, 0, 4.0, 4.0))

    known = contrasts(truth), contrasts(recorded)
    for image in (truth, recorded, 0.4 * recorded + 0.6 * truth, recorded + 5.0):
        assert measures.contrast_biases(*known, contrasts(image)) == pytest.approx(0.0, abs=1e-3)
    of_blur = (contrasts(blurred(truth)) - contrasts(truth))[0]
    assert np.abs(of_blur).max() > 8
    assert measures.contrast_biases(*known, contrasts(blurred(recorded))) == pytest.approx(of_blur, abs=1.5)


@pytest.mark.slow
def test_an_offset_is_a_local_mean_error(phantom):
    truth, recorded, tissue = phantom.truth[0], phantom.frames[0], phantom.tissue
    levels = measures.local_mean_errors(truth, recorded, recorded + 5.0, tissue)
    assert list(levels.values()) == pytest.approx([5.0] * len(levels), abs=1e-3)


def test_a_delayed_cine_lags_by_its_delay_and_the_truth_by_none():
    cine = make_scan("linear", 128, 10, 5)
    delayed = np.concatenate([cine.truth[:1], cine.truth[:-1]])
    assert measures.lag(cine.truth, cine.truth) == pytest.approx(0.0, abs=1e-6)
    assert measures.lag(cine.truth, delayed) == pytest.approx(1.0, abs=0.15)
    assert measures.flicker(cine.truth, cine.truth) < measures.STATIC_TOLERANCE
