import numpy as np
import pytest

from validation.phantoms.speckle_phantom import make_speckle_phantom
from validation.phantoms.speckle_physics import MAXIMUM, expected_grey

IN_VIVO_LATERAL = (0.85, 0.56, 0.32, 0.18)
IN_VIVO_AXIAL = (0.63, 0.22, 0.09)
CORRELATION_TOLERANCE = 0.06  # of a few hundred independent speckles
LOG_SPECKLE_LOSS_DB = 2.51  # mean of the log of an exponential intensity, below the log of its mean
GREY_PER_DB = 255.0 / 60.0


def correlation(noise, rows, columns):
    height, width = noise.shape
    return np.corrcoef(noise[: height - rows, : width - columns].ravel(), noise[rows:, columns:].ravel())[0, 1]


def test_the_truth_is_the_mean_of_independent_realisations():
    phantoms = [make_speckle_phantom(64, 80, 1, np.random.default_rng([7, seed])) for seed in range(60)]
    rows = slice(28, 64)  # the point targets move with the seed
    error = np.mean([p.frames[0, rows] - p.truth[0, rows] for p in phantoms])
    assert abs(error) < 1.0


def test_speckle_correlates_as_in_vivo():
    phantom = make_speckle_phantom(512, 512, 1, np.random.default_rng(1))
    noise = (phantom.frames - phantom.truth)[0, 460:, :]
    lateral = [correlation(noise, 0, lag) for lag in (1, 2, 3, 4)]
    axial = [correlation(noise, lag, 0) for lag in (1, 2, 3)]
    assert lateral == pytest.approx(IN_VIVO_LATERAL, abs=CORRELATION_TOLERANCE)
    assert axial == pytest.approx(IN_VIVO_AXIAL, abs=CORRELATION_TOLERANCE)


def test_expected_grey_is_the_log_mean_where_nothing_clips_and_ends_at_the_ends_of_the_scale():
    grey = expected_grey(10.0 ** (np.array([-200.0, -30.0, 100.0]) / 10.0))
    assert grey[0] == 0.0
    assert grey[1] == pytest.approx((60.0 - 30.0 - LOG_SPECKLE_LOSS_DB) * GREY_PER_DB, abs=0.1)
    assert grey[2] == MAXIMUM


def test_frames_are_stored_grey_and_the_cine_moves_and_decorrelates_slowly():
    cine = make_speckle_phantom(96, 101, 12, np.random.default_rng(2))
    assert cine.frames.shape == cine.truth.shape == (12, 96, 101)
    assert np.array_equal(cine.frames, cine.frames.astype(np.uint8))
    assert not np.array_equal(cine.truth[0], cine.truth[1])
    noise = cine.frames - cine.truth
    near, far = (np.corrcoef(noise[0].ravel(), noise[lag].ravel())[0, 1] for lag in (1, 8))
    assert 0.6 < near < 0.95
    assert far < near / 2


def test_the_generator_decides_everything():
    first, again, other = (make_speckle_phantom(48, 48, 2, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert np.array_equal(first.frames, again.frames)
    assert not np.array_equal(first.frames, other.frames)
