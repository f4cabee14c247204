"""Filters on tensors are those of scipy, which keeps the convention of the border."""

import numpy as np
import pytest
import torch
from scipy import ndimage

from models.filters import AXES, gaussian, gradient_magnitude, maximum, slope, uniform

SHAPES = [(3, 40, 31), (2, 5, 4)]  # the second is smaller than the filters, which mirror it again and again
WIDTHS, SIDES = (0.5, 1.0, 6.0), (3, 5, 7, 15)


@pytest.fixture(params=SHAPES, ids=str)
def images(request: pytest.FixtureRequest) -> np.ndarray:
    return np.random.default_rng(0).standard_normal(request.param).astype(np.float32)


@pytest.mark.parametrize("sd", WIDTHS)
def test_gaussians_and_their_slopes_are_those_of_scipy(images: np.ndarray, sd: float) -> None:
    given, within = torch.from_numpy(images), (0, sd, sd)
    assert np.allclose(gaussian(given, sd), ndimage.gaussian_filter(images, within), atol=1e-5)
    assert np.allclose(gaussian(given, sd, 2.5), ndimage.gaussian_filter(images, within, truncate=2.5), atol=1e-5)
    for axis, order in zip(AXES, ((1, 0), (0, 1)), strict=True):
        expected = [ndimage.gaussian_filter(image, sd, order=order) for image in images]
        assert np.allclose(slope(given, sd, axis), expected, atol=1e-5)
    expected = [ndimage.gaussian_gradient_magnitude(image, sd) for image in images]
    assert np.allclose(gradient_magnitude(given, sd), expected, atol=1e-5)


@pytest.mark.parametrize("side", SIDES)
def test_means_and_largest_values_of_squares_are_those_of_scipy(images: np.ndarray, side: int) -> None:
    given, within = torch.from_numpy(images), (0, side, side)
    assert np.allclose(uniform(given, side), ndimage.uniform_filter(images, within), atol=1e-5)
    assert np.array_equal(maximum(given, side), ndimage.maximum_filter(images, within))
    mask = images > 1
    assert np.array_equal(maximum(torch.from_numpy(mask), side), ndimage.maximum_filter(mask, within))


def test_a_single_image_is_filtered_as_one_of_many(images: np.ndarray) -> None:
    given = torch.from_numpy(images)
    for filter_ in (lambda each: gaussian(each, 1.5), lambda each: uniform(each, 5), lambda each: maximum(each, 5)):
        assert torch.allclose(torch.stack([filter_(image) for image in given]), filter_(given), atol=1e-6)
