"""MR from k-space: the truth, the noise and the acquired matrix are what the phantom says they are."""

import numpy as np
import pytest

from validation.phantoms.k_space import Encoding
from validation.phantoms.mr_acquisition import Acquisition
from validation.phantoms.mr_scan import ANATOMIES, Slices, mr_scan, slice_profile

SHAPE = (4, 96, 80)
LEVEL_TOLERANCE = 0.04  # relative, of a sd from a few thousand voxels
SIGMA = 0.07 * 400.0  # of the default acquisition of "t2"
ENCODINGS = {
    "full": Encoding(),
    "filled": Encoding(zero_fill=(2.0, 2.0)),
    "one axis": Encoding(zero_fill=(1.0, 1.33)),
    "elliptical": Encoding(zero_fill=(1.5, 1.5), elliptical=True),
    "partial": Encoding(partial_fourier=0.75),
    "hamming": Encoding(window="hamming"),
    "fermi": Encoding(window="fermi"),
}


def scan(**acquisition):
    return mr_scan("t2", SHAPE, acquisition=Acquisition(**acquisition))


def power(image):
    return (np.abs(np.fft.fft2(image)) ** 2).mean(axis=0)


@pytest.mark.parametrize("name", ENCODINGS)
def test_noise_has_the_level_and_the_spectrum_that_are_reported(name):
    made = scan(encoding=ENCODINGS[name])
    air = made.phantom.regions["air"] & (made.phantom.truth < 0.1 * SIGMA)
    measured = np.sqrt((made.phantom.noisy[air] ** 2).mean() / 2)
    assert measured == pytest.approx(made.noise_sd[air].mean(), rel=LEVEL_TOLERANCE)
    assert made.noise_sd.mean() == pytest.approx(SIGMA * np.sqrt((made.transfer**2).sum() / np.prod(made.matrix)))


@pytest.mark.parametrize("name", ["filled", "one axis", "elliptical"])
def test_outside_the_acquired_part_no_noise_is_added(name):
    """A magnitude bends the spectrum a little, so the outside holds little instead of nothing."""
    made = scan(encoding=ENCODINGS[name])
    noise = power(np.where(made.phantom.truth > 10 * SIGMA, made.phantom.noisy - made.phantom.truth, 0))
    assert noise[made.transfer == 0].mean() < 0.35 * noise[made.transfer > 0].mean()


def test_the_acquired_matrix_follows_from_the_filling():
    assert scan(encoding=ENCODINGS["filled"]).matrix == (48, 40)
    assert scan(encoding=ENCODINGS["one axis"]).matrix == (96, 60)
    assert scan().matrix == SHAPE[1:]
    assert np.all(scan().transfer == 1)


def test_four_coils_leave_chi_noise_in_air_and_one_coil_rayleigh():
    for coils, ratio in ((1, 1.913), (4, 3.94)):
        made = scan(coils=coils)
        air = made.phantom.noisy[made.phantom.regions["air"] & (made.phantom.truth < 0.1 * SIGMA)]
        assert air.mean() / air.std() == pytest.approx(ratio, rel=LEVEL_TOLERANCE)


@pytest.mark.parametrize("options", [{"g_factor": 3.0}, {"normalised": True}, {"coils": 4, "normalised": True}])
def test_the_map_of_the_noise_holds_in_the_middle_and_at_the_rim(options):
    made = scan(**options)
    error, strong = made.phantom.noisy - made.phantom.truth, made.phantom.truth > 8 * made.noise_sd
    middle = np.zeros(SHAPE, bool)
    middle[:, 32:64, 26:54] = True
    ratios = [error[strong & part].std() / made.noise_sd[strong & part].mean() for part in (middle, ~middle)]
    assert ratios == pytest.approx([1, 1], rel=0.07)
    assert made.noise_sd.max() > 1.3 * made.noise_sd.min()


def test_normalisation_takes_the_coils_out_of_the_truth():
    plain, normalised = scan(), scan(coils=4, normalised=True)
    head = plain.phantom.regions["brain"]
    np.testing.assert_allclose(normalised.phantom.truth[head], plain.phantom.truth[head], rtol=0.1)


def test_masked_air_is_zero_and_the_head_stays():
    plain, masked = scan(), scan(air_masked=True)
    assert not masked.phantom.noisy[masked.phantom.regions["air"]].any()
    body = plain.phantom.regions["body"]
    np.testing.assert_array_equal(masked.phantom.noisy[body], plain.phantom.noisy[body])


def test_one_seed_has_one_anatomy_and_another_seed_another():
    first, filtered, other = scan(), scan(noise_percent=1.0), mr_scan("t2", SHAPE, seed=1)
    np.testing.assert_array_equal(first.phantom.truth, filtered.phantom.truth)
    assert np.abs(first.phantom.truth - other.phantom.truth).max() > SIGMA


def test_a_slice_profile_leaves_the_gap_out():
    np.testing.assert_allclose(slice_profile(3, Slices(5.0, 1.0)), [0.3, 0.4, 0.3], rtol=1e-6)
    np.testing.assert_allclose(slice_profile(4, Slices(2.0, 2.0)), [0, 0.5, 0.5, 0], atol=1e-6)


@pytest.mark.parametrize("anatomy", ANATOMIES)
def test_every_anatomy_has_its_regions(anatomy):
    phantom = mr_scan(anatomy, (6, 128, 112)).phantom
    assert phantom.truth.dtype == phantom.noisy.dtype == np.float32
    for name, region in phantom.regions.items():
        assert region.any(), name
    assert not (phantom.regions["lesions"] & phantom.regions["flat"]).any()
