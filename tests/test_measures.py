"""The validation kit's measures: analytic cases, and one figure each of other people's programs."""

import math

import numpy as np
import pytest
from scipy import ndimage, optimize, special

from validation.kit.not_measured import NotMeasuredError
from validation.kit.site import uniform_field
from validation.measures import edge_transfer, false_structures, intervals, noise_power_spectrum, observer, ultrasound


def noise(seed, shape, sd=1.0):
    return np.random.default_rng(seed).normal(0, sd, shape).astype(np.float32)


class TestIntervals:
    def test_the_interval_of_a_mean_is_that_of_the_normal_law(self):
        measured = intervals.mean_of(noise(0, 400, 2.0).astype(float))
        assert (measured.high - measured.low) / 2 == pytest.approx(1.96 * 2 / 20, rel=0.15)
        assert measured.low < measured.value < measured.high
        assert measured.repeats == 400

    def test_one_repeat_says_nothing_about_the_spread(self):
        assert math.isnan(intervals.mean_of(np.array([3.0])).low)

    def test_a_count_has_the_interval_of_poisson(self):
        assert intervals.rate(0, 0.08, 80).high == pytest.approx(3.689 / 0.08, rel=1e-3)
        assert intervals.rate(10, 1, 1).low == pytest.approx(4.795, rel=1e-3)

    def test_the_largest_is_told_as_a_size_and_the_least_as_it_is(self):
        values = np.array([[1.0, -3.0], [1.0, -5.0]])
        assert intervals.largest_of(values).value == 4
        assert intervals.least_of(values).value == -4


class TestNoiseSpectrum:
    def test_white_noise_has_the_power_of_its_variance_at_every_frequency(self):
        power = noise_power_spectrum.power_of(noise(1, (400, 32, 32), 5.0), 0.5)
        np.testing.assert_allclose(power[:, 2:].mean(axis=0), 25 * 0.25, rtol=0.05)

    def test_cupping_is_no_noise(self):
        y, x = np.mgrid[-1:1:32j, -1:1:32j]
        bowl = (40 * (x**2 + y**2) + 7 * x * y).astype(np.float32)
        assert noise_power_spectrum.sds_of(bowl[None])[0] < 1e-4

    def test_it_agrees_with_pylinac(self):
        """pylinac 3.49, noise_power_spectrum_2d averaged over rings of 4 to 11 periods in the region."""
        theirs = [101.5263, 69.8408, 44.8997, 28.8104, 17.9683, 8.7397, 3.7438, 1.843]
        drawn = np.random.default_rng(5).normal(0, 20, (40, 32, 32))
        rois = ndimage.gaussian_filter(drawn, (0, 1, 1), mode="wrap").astype(np.float32)
        power = noise_power_spectrum.power_of(rois, 0.7).mean(axis=0)
        np.testing.assert_allclose(power[3:11], theirs, rtol=0.03)

    def test_the_mean_frequency_falls_when_noise_is_smoothed(self):
        fine = noise(2, (50, 32, 32))
        coarse = ndimage.gaussian_filter(fine, (0, 1, 1))
        spectra = [
            noise_power_spectrum.spectrum_of(noise_power_spectrum.power_of(rois, 1.0), 32, 1.0)
            for rois in (fine, coarse)
        ]
        assert spectra[1].mean_frequency < 0.6 * spectra[0].mean_frequency


class TestEdges:
    @pytest.mark.parametrize("sigma", [0.7, 1.0, 1.6])
    def test_a_blurred_disc_has_the_transfer_of_its_blur(self, sigma):
        """A Gaussian of sd s passes exp(-2 (pi s f)^2), a pixel sinc(f); the edge rises over 2.563 sd of both."""
        fine = 8
        y, x = np.mgrid[: 64 * fine, : 64 * fine]
        disc = (np.hypot(y + 0.5 - 32.3 * fine, x + 0.5 - 31.8 * fine) < 12 * fine).astype(np.float32)
        image = ndimage.gaussian_filter(disc, sigma * fine).reshape(64, fine, 64, fine).mean(axis=(1, 3))
        outward = edge_transfer.distances((64, 64), (31.8, 31.3), 12)
        sums, counts = edge_transfer.profile_sums(image[None], outward)
        edge = edge_transfer.profile(sums, counts[None])
        half = optimize.brentq(lambda f: np.exp(-2 * (np.pi * sigma * f) ** 2) * np.sinc(f) - 0.5, 0.01, 1)
        assert edge_transfer.frequency_at(edge) == pytest.approx(half, rel=0.03)
        assert edge_transfer.width(edge) == pytest.approx(2.563 * np.hypot(sigma, 12**-0.5), rel=0.05)

    def test_it_agrees_with_pylinac(self):
        """pylinac 3.49, EdgeSpreadFunctionMTF, no window: 50 % at 0.16562 and 20 % at 0.31001 of this edge."""
        x = (np.arange(edge_transfer.BINS) + 0.5) * edge_transfer.STEP - edge_transfer.REACH
        edge = 0.7 * special.ndtr(x / 0.8) + 0.3 * special.ndtr(x / 2.5)
        assert edge_transfer.frequency_at(edge, 0.5) == pytest.approx(0.16562, rel=0.03)
        assert edge_transfer.frequency_at(edge, 0.2) == pytest.approx(0.31001, rel=0.03)

    def test_many_noisy_edges_of_low_contrast_tell_what_one_does_not(self):
        sigma, slices = 1.0, 400
        outward = edge_transfer.distances((48, 48), (23.5, 23.5), 11)
        clean = 10 * special.ndtr(-outward / sigma)
        sums, counts = edge_transfer.profile_sums(clean + noise(4, (slices, 48, 48), 10.0), outward)
        edge = edge_transfer.profile(sums, np.tile(counts, (slices, 1)))
        assert edge_transfer.frequency_at(edge) == pytest.approx(0.1874 / sigma, rel=0.1)


class TestObserver:
    def test_a_known_signal_in_white_noise_has_its_analytic_detectability(self):
        """A signal that is a channel itself is seen as by the ideal observer: d' = |signal less its mean| / sd."""
        channels = observer.laguerre_gauss(33, 9.0)
        signal = 12 * channels[1] / np.linalg.norm(channels[1])
        absent, present = (noise(seed, (4000, 33, 33), 8.0) for seed in (1, 2))
        seen = [observer.responses(rois, channels) for rois in (present + signal, absent)]
        assert observer.detectability(*seen) == pytest.approx(np.linalg.norm(signal - signal.mean()) / 8, rel=0.04)

    def test_no_signal_is_not_detected_however_few_the_regions(self):
        channels = observer.laguerre_gauss(17, 10.0)
        squares = [
            observer.detectability(*(observer.responses(noise(2 * n + i, (20, 17, 17)), channels) for i in (0, 1))) ** 2
            for n in range(60)
        ]
        assert np.mean(squares) < 0.35  # resubstitution without the correction gives more than 0.5

    def test_it_agrees_with_the_tool_of_the_fda(self):
        """LCD-CT's LG_CHO gives 1.80126 when it is tested on the regions it was trained on."""
        rng = np.random.default_rng(7)
        absent = ndimage.gaussian_filter(rng.normal(0, 20, (300, 17, 17)), (0, 1, 1)).astype(np.float32)
        y, x = np.mgrid[:17, :17] - 8
        present = ndimage.gaussian_filter(rng.normal(0, 20, (300, 17, 17)), (0, 1, 1)) + 6 * (np.hypot(y, x) <= 3.3)
        channels = observer.laguerre_gauss(17, 10.0)
        seen = [observer.responses(rois.astype(np.float32), channels) for rois in (present, absent)]
        unbiased = np.sqrt(1.8012585873569353**2 * (598 - 6) / 598 - 5 * 2 / 300)
        assert observer.detectability(*seen) == pytest.approx(unbiased, rel=1e-4)

    def test_gabor_channels_see_the_same_signal(self):
        y, x = np.mgrid[:17, :17] - 8
        signal = 0.8 * (np.hypot(y, x) <= 3.3)
        seen = [
            observer.responses(noise(s, (500, 17, 17)) + on * signal, observer.gabor(17)) for s, on in ((1, 1), (2, 0))
        ]
        assert 2 < observer.detectability(*seen) < np.linalg.norm(signal)


class TestFalseStructures:
    def test_noise_holds_none_and_a_blob_that_was_not_there_is_one(self):
        before = noise(6, (12, 64, 64), 15.0)
        after = ndimage.gaussian_filter(before, (0, 0.7, 0.7))
        assert false_structures.count(before, after, 6.0) == 0
        y, x = np.mgrid[:64, :64]
        blob = (30 * np.exp(-((y - 30) ** 2 + (x - 20) ** 2) / 8)).astype(np.float32)
        made, kept = after.copy(), before.copy()
        made[5] += blob
        kept[5] += 3 * blob
        assert false_structures.count(before, made, 6.0) == 1
        assert false_structures.count(kept, made, 6.0) == 0


class TestUltrasound:
    def test_gcnr_is_0_for_the_same_and_1_for_what_never_overlaps(self):
        frame = np.tile(np.arange(64, dtype=np.float32), (64, 1))
        left, right = np.indices(frame.shape)[1] < 32, np.indices(frame.shape)[1] >= 32
        top = np.indices(frame.shape)[0] < 32
        assert ultrasound.gcnr(frame, left, right) == 1
        assert ultrasound.gcnr(frame, top, ~top) == pytest.approx(0)

    def test_contrast_is_told_in_decibels_of_the_display(self):
        frame = np.array([[0.0, 255.0]], np.float32)
        assert ultrasound.contrast_db(frame, frame == 0, frame > 0) == pytest.approx(-60)

    def test_a_gaussian_peak_has_its_half_width_and_no_peak_has_none(self):
        x = np.arange(-20, 21)
        assert ultrasound.half_width(5 + np.exp(-(x**2) / (2 * 3**2))) == pytest.approx(2.355 * 3, rel=0.02)
        assert ultrasound.half_width(np.ones(41)) == math.inf


class TestUniformField:
    def test_it_lies_where_the_phantom_is_uniform(self):
        volume = noise(8, (6, 128, 128), 10.0)
        volume[:, 8:120, 8:120] += 1000
        volume[:, 8:48, 8:120:12] += 80  # line pairs above, nothing below
        rows, columns = np.nonzero(uniform_field(volume).all(axis=0))
        assert rows.min() >= 48
        assert rows.max() < 120
        assert columns.min() >= 8
        assert columns.max() < 120

    def test_structure_everywhere_is_told(self):
        y = np.arange(96)[None, :, None]
        volume = np.broadcast_to(100 * np.sin(y / 3), (4, 96, 96)) + noise(9, (4, 96, 96))
        with pytest.raises(NotMeasuredError, match="no uniform field"):
            uniform_field(volume.astype(np.float32))
