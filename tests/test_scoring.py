"""Scores against scikit-image's, which others use."""

import numpy as np
import pytest
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from validation.scoring import psnr, score, ssim

DATA_RANGE = 255.0
SSIM_AGREEMENT = 1e-3  # scikit-image divides by one less than the window's pixels
WINDOWS = {"uniform": {}, "gaussian": {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}}


@pytest.fixture(scope="module")
def volumes():
    rng = np.random.default_rng(0)
    truth = np.cumsum(rng.normal(0, 4, (2, 48, 64)), axis=2).astype(np.float32) + 120
    region = np.zeros(truth.shape, bool)
    region[:, 8:-8, 8:-8] = True
    return truth + rng.normal(0, 10, truth.shape).astype(np.float32), truth, region


def test_psnr_is_scikit_images(volumes):
    noisy, truth, region = volumes
    expected = peak_signal_noise_ratio(truth[region], noisy[region], data_range=DATA_RANGE)
    assert psnr(noisy, truth, region, DATA_RANGE) == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("window", WINDOWS)
def test_ssim_is_scikit_images(volumes, window):
    noisy, truth, region = volumes
    maps = [
        structural_similarity(true, seen, data_range=DATA_RANGE, full=True, **WINDOWS[window])[1]
        for true, seen in zip(truth, noisy, strict=True)
    ]
    expected = np.stack(maps)[region].mean()
    assert ssim(noisy, truth, region, DATA_RANGE, window) == pytest.approx(expected, abs=SSIM_AGREEMENT)


def test_the_truth_scores_best(volumes):
    noisy, truth, region = volumes
    worse, best = (score(volume, truth, region, region, DATA_RANGE) for volume in (noisy, truth))
    assert best.ssim == pytest.approx(1)
    assert best.noise == 0
    assert best.psnr > worse.psnr
    assert worse.noise == pytest.approx(10, rel=0.1)
