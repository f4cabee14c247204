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
from operators.report.content import Content, Subject, content_of
from operators.report.flat_squares import noise_power_of
from operators.report.histogram import histogram_of
from operators.report.noise_map import noise_map
from operators.report.noise_power import detrended, power_of, spectrum_of
from operators.report.pdf import page_pdf
from operators.report.pictures import MOST_TINT, SPECK, grey_before, removed
from operators.report.plots import plots_png
from operators.report.sample import FEWEST_IMAGES, MOST_IMAGES, MOST_PIXELS, ImagePair, Sample, spread
from operators.report.structure import most_structured, structure_of
from operators.report.verdict import HandedOut, verdict_of
from operators.report.window import SOFT_TISSUE, Window, window_of


def noise_squares(sigma: float, count: int = 400, side: int = 32) -> np.ndarray:
    white = np.random.default_rng(0).normal(0, NOISE, (count, side, side))
    return np.stack([gaussian_filter(one, sigma, mode="wrap") for one in white])


class TestNoisePower:
    def test_white_noise_has_the_same_power_everywhere_also_in_oblong_pixels(self) -> None:
        spacing = (0.5, 0.8)
        spectrum = spectrum_of(power_of(noise_squares(0), spacing), 32, spacing)
        assert spectrum.frequencies[0] == pytest.approx(1 / (32 * 0.8))
        assert spectrum.frequencies[-1] < 1 / (2 * 0.8)
        np.testing.assert_allclose(spectrum.power[2:], NOISE**2 * 0.5 * 0.8, rtol=0.1)

    def test_filtered_noise_has_the_power_of_its_filter(self) -> None:
        sigma, spacing = 1.0, (0.7, 0.7)
        spectrum = spectrum_of(power_of(noise_squares(sigma), spacing), 32, spacing)
        expected = (NOISE * 0.7) ** 2 * np.exp(-((2 * np.pi * spectrum.frequencies * sigma * 0.7) ** 2))
        np.testing.assert_allclose(spectrum.power[2:8], expected[2:8], rtol=0.2)

    def test_a_surface_of_second_degree_is_no_noise(self) -> None:
        y, x = np.mgrid[:16, :16]
        bent = (3.0 + x - 2 * y + 0.1 * x * x - 0.2 * x * y + 0.3 * y * y)[None]
        np.testing.assert_allclose(detrended(bent), 0, atol=1e-9)

    def test_of_a_series_it_reports_the_noise_before_and_after(self) -> None:
        found = noise_power_of(sample())
        assert found is not None
        assert found.sd_before == pytest.approx(NOISE, rel=0.12), "the edge of the insert is in some squares"
        assert found.sd_after / found.sd_before == pytest.approx(0.5, abs=0.05)

    def test_where_nothing_is_flat_there_is_none(self) -> None:
        edge = np.repeat([0.0, 1000.0], 8) * np.ones((24, 1))
        assert noise_power_of(Sample((pair_of(edge, edge),), 1, None, "")) is None


class TestNoiseMap:
    @pytest.mark.parametrize("shape", [(64, 64), (101, 53), (16, 200)])
    def test_it_measures_white_noise(self, shape: tuple[int, int]) -> None:
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
    def test_fractions_and_bins_are_those_of_the_values(self) -> None:
        before = np.repeat([0.0, 100.0], 3200).reshape(80, 80)
        found = histogram_of(Sample((pair_of(before, before[::-1]),), 1, None, ""))
        assert found.before.sum() == pytest.approx(1)
        np.testing.assert_array_equal(found.before, found.after)
        assert found.before[[0, -1]].tolist() == [0.5, 0.5]


def handed_out(*checks: Check, **more: object) -> HandedOut:
    """One volume for each check."""
    assessments = tuple(replace(assessment(), checks=(check,)) for check in checks)
    return HandedOut(assessments, tuple("" for _ in checks), **more)


class TestVerdict:
    GOOD = Check("mean_bias", 0.5, 2, "HU", "")

    def test_of_several_volumes_the_worst_is_shown(self) -> None:
        verdict = verdict_of(handed_out(self.GOOD, Check("mean_bias", -1.9, 2, "HU", ""), self.GOOD))
        (check,) = verdict.checks
        assert (check.name, check.measured, check.sure, check.limit) == ("mean bias", "-1.9 HU", "", "2 HU")
        assert (verdict.status, verdict.headline) == ("as asked", "Handed out at 60 % strength, as asked for")
        assert verdict.details == ("All 1 check passed.",)

    def test_what_is_measured_and_what_of_it_is_sure_stand_apart(self) -> None:
        (check,) = verdict_of(handed_out(Check("level_bias", -0.4, 2, "%", "", raw=-3.0))).checks
        assert (check.measured, check.sure, check.result) == ("-3 %", "-0.4 %", "passed")

    def test_a_lowered_strength_is_no_fault_and_has_its_reason(self) -> None:
        verdict = verdict_of(handed_out(self.GOOD, reason="strength 100 percent did not pass"))
        assert (verdict.status, verdict.headline) == ("lowered", "Handed out at 60 % strength, less than asked for")
        assert verdict.details[-1] == "Strength 100 percent did not pass."

    def test_a_failed_check_is_in_the_headline(self) -> None:
        verdict = verdict_of(handed_out(Check("mean_bias", 3, 2, "HU", "")))
        assert verdict.status == "failed"
        assert "1 of 1 checks failed" in verdict.headline
        assert verdict.details == ("Failed: mean bias.", "0 checks passed.")

    def test_what_is_not_measured_has_not_passed(self) -> None:
        verdict = verdict_of(handed_out(Check("edge_width", None, 10, "%", "")))
        assert verdict.checks[0].result == "not measured"
        assert verdict.details == ("0 checks passed.", "Too little data to measure: edge width.")

    def test_restored_places_are_reported_and_are_no_lowering(self) -> None:
        clause = "the original was restored in 2 percent of the tissue (edge_width)"
        verdict = verdict_of(handed_out(self.GOOD, restored=clause))
        assert verdict.status == "as asked"
        assert verdict.details[-1] == "The original was restored in 2 percent of the tissue (edge_width)."


class TestStructure:
    def test_noise_alone_has_little_at_any_strength_and_scale(self) -> None:
        pair = sample(images=1).pairs[0]
        scores = [
            structure_of(replace(pair, before=scale * pair.before, after=scale * pair.after), scale * -500)
            for scale in (1, 40)
        ]
        assert scores[0] == pytest.approx(scores[1], rel=1e-3)
        assert scores[0] < 0.7

    @pytest.mark.parametrize("lost", [0, 4])
    def test_the_image_that_lost_a_vessel_is_chosen(self, lost: int) -> None:
        pairs = list(sample().pairs)
        after = pairs[lost].after.copy()
        after[40:60, 30:33] -= 2 * NOISE
        pairs[lost] = replace(pairs[lost], after=after)
        assert most_structured(replace(sample(), pairs=tuple(pairs))) == lost

    def test_where_nothing_was_removed_there_is_none(self) -> None:
        flat = np.ones((32, 32))
        assert structure_of(pair_of(flat, flat), 0) == 0


class TestPictures:
    def page(self, valid: np.ndarray, modality: str) -> tuple[Content, ImagePair]:
        image = np.full(valid.shape, 200, np.float32)
        pair = ImagePair(1, image, image - 4, valid)
        shown = Sample((pair,), 1, None, "")
        return content_of(Subject(modality, "", {}), HandedOut((), ()), shown, None), pair

    def test_of_ultrasound_nothing_is_shown_where_a_letter_may_be(self) -> None:
        valid = np.ones((64, 64), bool)
        valid[10:17, 10:13] = False  # the stem of a letter with the margin of the mask
        valid[30:34, 30:34] = False  # a speck
        assert np.count_nonzero(~valid[30:34]) <= SPECK
        grey = grey_before(*self.page(valid, "US"))
        assert np.unique(grey[10:17, 10:13]).tolist() == [63]
        assert (grey[30:34, 30:34] == 200).all()

    def test_what_was_removed_lies_around_middle_grey(self) -> None:
        valid = np.ones((64, 64), bool)
        valid[:32] = False
        grey = removed(*self.page(valid, "MR"))
        assert np.abs(grey[0, 0].astype(int) - 127).max() <= 9
        assert (grey[32:] > grey[0, 0]).all()

    def test_what_was_removed_is_tinted_where_the_original_was_restored(self) -> None:
        content, pair = self.page(np.ones((64, 64), bool), "MR")
        restored = np.zeros((64, 64), np.float32)
        restored[8:16, 8:16], restored[40:48, 40:48] = 1, 0.5
        tinted = removed(content, replace(pair, restored=restored)).astype(int)
        red_over_blue = tinted[..., 0] - tinted[..., 2]
        assert (red_over_blue[restored == 0] == 0).all()
        assert red_over_blue[44, 44] > 30 * MOST_TINT
        assert red_over_blue[12, 12] > 1.8 * red_over_blue[44, 44]


def pair_of(before: np.ndarray, after: np.ndarray) -> ImagePair:
    return ImagePair(1, before.astype(np.float32), after.astype(np.float32), np.ones(before.shape, bool))


class TestWindow:
    def test_the_header_s_window_is_used_where_it_shows_something(self) -> None:
        assert window_of("CT", sample(), Window(-200, 300)) == Window(-200, 300)
        assert window_of("CT", sample(), Window(5000, 6000)) == Window(*SOFT_TISSUE)
        assert window_of("CT", sample(), None) == Window(*SOFT_TISSUE)

    @pytest.mark.parametrize(
        ("low", "high"), [(60, 4000), (-500, 20), (-30000, 30000)], ids=["nearly all black", "nearly all white", "grey"]
    )
    def test_a_window_that_hides_the_picture_is_not_used(self, low: float, high: float) -> None:
        assert window_of("CT", sample(), Window(low, high)) == Window(*SOFT_TISSUE)

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
        assert found[0] == 0
        assert found[-1] == total - 1 or len(found) == 1
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
    made = content_of(Subject(modality, "series 1", {}), HandedOut((), ()), odd, None)
    assert made.noise_before.shape == shape


@pytest.mark.parametrize("shape", [(1, 1), (3, 40)])
def test_an_empty_image_still_has_a_page(shape: tuple[int, int]) -> None:
    image = np.zeros(shape, np.float32)
    odd = Sample((pair_of(image, image),), 1, None, "")
    shown = content_of(Subject("MR", "series 1", {}), HandedOut((), ()), odd, None)
    assert page_pdf(shown, plots_png(shown)).startswith(b"%PDF")


def test_the_side_of_the_phantom_is_large_enough_for_squares() -> None:
    assert SIDE >= 3 * 32
