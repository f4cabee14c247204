"""Phantoms: their truth, their noise, and what differs from slice to slice."""

import numpy as np
import pytest
from scipy import ndimage

from validation.phantoms.ct_phantom import abdomen_phantom, ct_phantom
from validation.phantoms.mr_phantom import mr_phantom
from validation.phantoms.pet_phantom import pet_phantom

CT_SHAPE, MR_SHAPE, PET_SHAPE = (12, 96, 96), (8, 96, 96), (40, 64, 64)
MAKERS = {"ct": (ct_phantom, CT_SHAPE), "mr": (mr_phantom, MR_SHAPE), "pet": (pet_phantom, PET_SHAPE)}


@pytest.fixture(scope="module")
def made():
    return {name: make(shape) for name, (make, shape) in MAKERS.items()}


def correlation(a, b):
    return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])


@pytest.mark.parametrize("name", MAKERS)
def test_volumes_have_the_shape_and_regions_lie_in_the_body(made, name):
    phantom = made[name]
    assert phantom.truth.shape == phantom.noisy.shape == MAKERS[name][1]
    assert phantom.truth.dtype == phantom.noisy.dtype == np.float32
    assert np.isfinite(phantom.noisy).all()
    for region, mask in phantom.regions.items():
        assert mask.shape == phantom.truth.shape
        assert mask.any(), region
    assert not (phantom.regions["flat"] & ~phantom.regions["body"]).any()


@pytest.mark.parametrize("name", MAKERS)
def test_same_seed_same_bits_and_another_seed_another_volume(name):
    make, (_, rows, columns) = MAKERS[name]
    first, again, other = (make((4, rows, columns), seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.noisy, again.noisy)
    assert np.abs(first.truth - other.truth).max() > 0


@pytest.mark.parametrize("name", MAKERS)
def test_truth_changes_smoothly_from_slice_to_slice(made, name):
    truth = made[name].truth
    neighbours = correlation(truth[1:], truth[:-1])
    assert correlation(truth[4:], truth[:-4]) < neighbours
    assert 0.9 < neighbours < 1


def test_ct_noise_is_that_of_a_scanner(made):
    phantom = made["ct"]
    noise, flat = phantom.noisy - phantom.truth, phantom.regions["flat"]
    assert noise[flat].std() == pytest.approx(22, rel=0.2)
    assert abs(noise[flat].mean()) < 1
    centre = noise[:, 30:66, 30:66]
    assert correlation(centre[:, :, 1:], centre[:, :, :-1]) > 0.4
    assert abs(correlation(noise[1:], noise[:-1])) < 0.05
    air = ~phantom.regions["body"] & (phantom.truth < -990)
    assert noise[air].std() < 0.8 * noise[flat].std()


def test_ct_noise_of_overlapping_slices_is_correlated():
    phantom = ct_phantom(CT_SHAPE, slice_correlation=0.34)
    noise = phantom.noisy - phantom.truth
    assert correlation(noise[1:], noise[:-1]) == pytest.approx(0.34, abs=0.05)


def test_ct_holds_vessels_and_lesions_of_known_contrast(made):
    phantom = made["ct"]
    truth, regions = phantom.truth, phantom.regions
    assert truth[regions["vessels"]].mean() - truth[regions["lung"]].mean() > 500
    labels, count = ndimage.label(ndimage.binary_dilation(regions["lesions"]))
    contrasts = [
        truth[regions["lesions"] & (labels == one)].mean() - np.median(truth[(labels == one) & ~regions["lesions"]])
        for one in range(1, count + 1)
    ]
    assert count >= 6
    assert 3 < np.median(contrasts) < 10


def test_an_abdomen_of_thick_slices_holds_small_foci_of_either_sign():
    phantom = abdomen_phantom((6, 160, 160), slice_mm=5)
    truth, regions = phantom.truth, phantom.regions
    liver = truth[regions["flat"]].mean()
    assert truth[regions["nodules"]].mean() > liver + 10
    assert truth[regions["lesions"]].mean() < liver - 10
    assert truth[regions["vessels"]].mean() > liver + 30
    assert (phantom.noisy - truth)[regions["flat"]].std() == pytest.approx(15, rel=0.2)


def test_mr_noise_is_rician(made):
    phantom = made["mr"]
    sigma = 0.08 * 720
    air, flat = phantom.regions["air"], phantom.regions["flat"]
    assert phantom.noisy[air].mean() == pytest.approx(sigma * np.sqrt(np.pi / 2), rel=0.02)
    assert (phantom.noisy - phantom.truth)[flat].std() == pytest.approx(sigma, rel=0.05)


def test_thick_mr_slices_hold_partial_volume():
    thin, thick = (mr_phantom(MR_SHAPE, slice_mm=mm).truth for mm in (1.0, 5.0))
    assert correlation(thick[1:], thick[:-1]) < correlation(thin[1:], thin[:-1])


def test_pet_noise_is_correlated_along_all_axes_and_keeps_the_activity(made):
    phantom = made["pet"]
    noise, body = phantom.noisy - phantom.truth, phantom.regions["body"]
    scaled = noise / np.sqrt(np.maximum(phantom.truth, 1))
    for axis in range(3):
        after, before = (np.take(scaled, np.arange(s, s + scaled.shape[axis] - 1), axis) for s in (1, 0))
        inside = np.take(body, np.arange(scaled.shape[axis] - 1), axis)
        assert 0.4 < correlation(after[inside], before[inside]) < 0.8
    assert phantom.noisy.min() >= 0
    assert phantom.noisy.sum() == pytest.approx(phantom.truth.sum(), rel=0.01)
    hot, cold = phantom.regions["flat"], phantom.regions["lung"]
    assert noise[hot].std() > 1.5 * noise[cold].std()
