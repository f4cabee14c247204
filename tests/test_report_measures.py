"""What a report measures: noise power against known noise, levels against known bias, windows as readers choose."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from report_content import NOISE, SIDE, assessment, sample
from scipy.ndimage import gaussian_filter

from operators.quality.assessment import Check
from operators.report.content import content_of
from operators.report.histogram import histogram_of
from operators.report.noise_map import noise_map
from operators.report.noise_power import radial, spectrum_2d, spectrum_of, without_surface
from operators.report.pdf import page_pdf
from operators.report.sample import FEWEST_IMAGES, MOST_IMAGES, MOST_PIXELS, ImagePair, Sample, spread
from operators.report.verdict import verdict_of
from operators.report.window import SOFT_TISSUE, Window, window_of


def noise_squares(sigma: float, count: int = 400, side: int = 32) -> np.ndarray:
    white = np.random.default_rng(0).normal(0, NOISE, (count, side, side))
    return np.stack([gaussian_filter(one, sigma, mode="wrap") for one in white])


class TestNoisePower:
    def test_white_noise_has_the_same_power_everywhere_and_its_variance_as_integral(self) -> None:
        spacing = (0.5, 0.8)
        power = spectrum_2d(noise_squares(0), spacing)
        assert power.sum() / (32 * 32 * 0.5 * 0.8) == pytest.approx(NOISE**2, rel=0.01)
        frequency, mean = radial(power, spacing)
        assert frequency[-1] == pytest.approx(1 / (2 * 0.8))
        np.testing.assert_allclose(mean, NOISE**2 * 0.5 * 0.8, rtol=0.1)

    def test_filtered_noise_has_the_power_of_its_filter(self) -> None:
        sigma, spacing = 1.0, (0.7, 0.7)
        frequency, mean = radial(spectrum_2d(noise_squares(sigma), spacing), spacing)
        expected = (NOISE * 0.7) ** 2 * np.exp(-((2 * np.pi * frequency * sigma * 0.7) ** 2))
        np.testing.assert_allclose(mean[:8], expected[:8], rtol=0.2)

    def test_a_surface_of_second_degree_is_no_noise(self) -> None:
        y, x = np.mgrid[:16, :16]
        bent = (3.0 + x - 2 * y + 0.1 * x * x - 0.2 * x * y + 0.3 * y * y)[None]
        np.testing.assert_allclose(without_surface(bent), 0, atol=1e-9)

    def test_of_a_series_it_tells_the_noise_before_and_after(self) -> None:
        found = spectrum_of(sample())
        assert found is not None
        assert found.sd_before == pytest.approx(NOISE, rel=0.12), "the edge of the insert is in some squares"
        assert found.sd_after / found.sd_before == pytest.approx(0.5, abs=0.05)

    def test_where_nothing_is_flat_there_is_none(self) -> None:
        edge = np.repeat([0.0, 1000.0], 8) * np.ones((24, 1))
        assert spectrum_of(Sample((pair_of(edge, edge),), 1, None, "")) is None


class TestNoiseMap:
    @pytest.mark.parametrize("shape", [(64, 64), (101, 53), (16, 200)])
    def test_it_tells_white_noise(self, shape: tuple[int, int]) -> None:
        image = np.random.default_rng(1).normal(100, NOISE, shape).astype(np.float32)
        found = noise_map(image, np.ones(shape, bool))
        assert found.shape == shape
        assert found.mean() == pytest.approx(NOISE, rel=0.08)

    def test_an_edge_is_no_noise_and_what_is_not_valid_has_none(self) -> None:
        image = np.random.default_rng(1).normal(0, 1, (96, 96)).astype(np.float32)
        image[:, 48:] += 50
        valid = np.ones(image.shape, bool)
        valid[:10] = False
        found = noise_map(image, valid)
        assert found[20:].max() < 3
        assert not found[:10].any()

    def test_it_follows_noise_that_grows(self) -> None:
        image = np.random.default_rng(1).normal(0, 1, (128, 128)).astype(np.float32)
        image[64:] *= 4
        found = noise_map(image, np.ones(image.shape, bool))
        assert found[96:].mean() / found[:32].mean() == pytest.approx(4, rel=0.1)


class TestHistogram:
    def test_shares_and_bins_are_those_of_the_values(self) -> None:
        before = np.repeat([0.0, 100.0], 3200).reshape(80, 80)
        found = histogram_of(Sample((pair_of(before, before[::-1]),), 1, None, ""))
        assert found.before.sum() == pytest.approx(1)
        np.testing.assert_array_equal(found.before, found.after)
        assert found.before[[0, -1]].tolist() == [0.5, 0.5]


class TestVerdict:
    def test_of_several_images_the_worst_is_told(self) -> None:
        mild, bad = Check("mean_bias", 0.5, 2, "HU", ""), Check("mean_bias", -1.9, 2, "HU", "")
        made = [replace(assessment(), checks=(check,)) for check in (mild, bad, mild)]
        found = verdict_of(made, "", 0)
        assert [(light.name, light.measured, light.limit) for light in found.lights] == [
            ("mean bias", "-1.9 HU", "2 HU")
        ]
        assert found.as_asked
        assert found.sentence == "Passed all 1 checks at 60 percent strength"

    def test_a_lowered_strength_is_told(self) -> None:
        found = verdict_of([assessment()], "why", 2)
        assert not found.as_asked
        assert "lower than asked for" in found.sentence

    def test_where_the_original_was_kept_is_told_and_is_no_lowering(self) -> None:
        found = verdict_of([assessment()], "", 2)
        assert found.as_asked
        assert found.sentence.endswith("the original is kept at small places, 2 in all")


def pair_of(before: np.ndarray, after: np.ndarray) -> ImagePair:
    return ImagePair(1, before.astype(np.float32), after.astype(np.float32), np.ones(before.shape, bool))


class TestWindow:
    def test_the_header_s_window_is_used_where_it_shows_something(self) -> None:
        assert window_of("CT", sample(), Window(-200, 300)) == Window(-200, 300)
        assert window_of("CT", sample(), Window(5000, 6000)) == Window(*SOFT_TISSUE)
        assert window_of("CT", sample(), None) == Window(*SOFT_TISSUE)

    def test_pet_is_read_inverse_from_zero(self) -> None:
        found = window_of("PT", sample(modality="PT"), Window(1, 2))
        assert (found.low, found.inverse) == (0, True)
        assert found.grey(np.array([[0, 1e9]], np.float32)).tolist() == [[255, 0]]

    def test_ultrasound_is_shown_as_it_is_stored(self) -> None:
        grey = np.arange(64, dtype=np.float32).reshape(8, 8)
        found = window_of("US", Sample((pair_of(grey, grey),), 1, None, ""), None)
        assert np.array_equal(found.grey(grey), grey)


class TestSpread:
    @given(st.integers(1, 5000), st.integers(1, 2**26))
    def test_it_is_even_ordered_and_bounded(self, total: int, pixels: int) -> None:
        found = spread(total, pixels)
        assert found == sorted(set(found))
        assert 0 <= found[0] <= found[-1] < total
        assert min(total, FEWEST_IMAGES) <= len(found) <= MOST_IMAGES
        assert len(found) <= FEWEST_IMAGES or len(found) * pixels <= MOST_PIXELS
        steps = np.diff(found)
        assert not steps.size or np.ptp(steps) <= 1


@settings(max_examples=50, deadline=None)
@given(array_shapes(min_dims=2, max_dims=2, max_side=40), st.sampled_from(["zero", "flat", "noise", "invalid"]),
       st.sampled_from(["CT", "MR", "PT", "US"]))  # fmt: skip
def test_no_image_is_too_odd_for_a_page(shape: tuple[int, int], kind: str, modality: str) -> None:
    values = {"zero": 0.0, "flat": 7.0}.get(kind) or np.random.default_rng(0).normal(0, 9, shape) * (kind != "zero")
    image = np.full(shape, values, np.float32) if np.ndim(values) == 0 else values.astype(np.float32)
    valid = np.ones(shape, bool)
    valid[0] = kind != "invalid" or shape[0] == 1
    odd = Sample((ImagePair(1, image, image * np.float32(0.5), valid),), 1, None, "")
    made = content_of(modality, "series 1", {}, (), "", odd, window_of(modality, odd, None))
    assert made.noise_before.shape == shape


@pytest.mark.parametrize("shape", [(1, 1), (3, 40)])
def test_an_empty_image_still_has_a_page(shape: tuple[int, int]) -> None:
    image = np.zeros(shape, np.float32)
    odd = Sample((pair_of(image, image),), 1, None, "")
    assert page_pdf(content_of("MR", "series 1", {}, (), "", odd, window_of("MR", odd, None))).startswith(b"%PDF")


def test_the_side_of_the_phantom_is_large_enough_for_squares() -> None:
    assert SIDE >= 3 * 32
