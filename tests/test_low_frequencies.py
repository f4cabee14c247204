"""Laws of the low frequencies that are put back."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from models.volume.finishing.low_frequencies import return_low_frequencies

SPACING = (1.0, 0.8, 0.8)
SHAPE = (20, 96, 96)
FRACTION = 0.25


@pytest.fixture(scope="module")
def noise() -> np.ndarray:
    return np.random.default_rng(0).normal(size=SHAPE).astype(np.float32)


def returned(removed: np.ndarray, fraction: float = FRACTION) -> np.ndarray:
    images = np.zeros_like(removed)
    return_low_frequencies(images, removed, SPACING, -np.inf, fraction)
    return images


@pytest.mark.parametrize("fraction", [0.1, 0.25])
def test_of_noise_at_most_the_fraction_comes_back(noise: np.ndarray, fraction: float) -> None:
    assert 0.5 * fraction < returned(noise, fraction=fraction).std() < 1.1 * fraction


def test_what_is_wide_comes_back_whole_and_what_is_narrow_does_not(noise: np.ndarray) -> None:
    z, y, x = np.indices(SHAPE)
    wide = 3 * np.exp(-0.5 * (((z - 10) * 1.0) ** 2 + ((y - 48) * 0.8) ** 2 + ((x - 48) * 0.8) ** 2) / 6**2)
    change = returned((noise + wide).astype(np.float32)) - returned(noise)
    assert change[10, 48, 48] > 0.9 * wide.max()
    narrow = np.zeros(SHAPE, np.float32)
    narrow[10, 48, 48] = 3
    assert (returned(noise + narrow) - returned(noise)).max() < 0.3 * 3


def test_an_offset_comes_back(noise: np.ndarray) -> None:
    assert np.allclose(returned(noise + 5) - returned(noise), 5, atol=1e-4)


def test_the_width_is_the_same_along_all_axes_in_mm() -> None:
    point = np.zeros((9, 9, 9), np.float32)
    point[4, 4, 4] = 1
    images = np.zeros_like(point)
    width = return_low_frequencies(images, point, (2.0, 1.0, 0.5), np.inf, FRACTION)
    assert width > 0
    expected = gaussian_filter(point, (width / 2, width, width / 0.5), truncate=3.0)
    assert np.allclose(images[4, 4, 4], expected[4, 4, 4], rtol=0.05)
    assert images[4, 5, 4] == pytest.approx(images[4, 4, 6], rel=0.15)  # of a G sampled at 0.6 pixels


def test_thick_slices_do_not_mix() -> None:
    removed = np.zeros((7, 48, 48), np.float32)
    removed[3] = np.random.default_rng(1).normal(size=(48, 48))
    images = np.zeros_like(removed)
    return_low_frequencies(images, removed, (8.0, 0.7, 0.7), -np.inf, FRACTION)
    assert images[3].std() > 0
    assert np.abs(images[[2, 4]]).max() < 0.05 * np.abs(images[3]).max()
