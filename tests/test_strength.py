"""Laws of a strength below 100 percent: contrast comes back first, then texture; the same pixels for check and file."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from models.fitting import FitRecord
from models.volume.finishing.rician import remove_rician_bias, return_rician_bias
from operators.derived_plans import plan_series
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.reading import read_study
from operators.image_checks import image_at
from operators.messages import CheckedSeries, DenoisedSeries, FitSummary
from operators.quality.assessment import Assessment
from operators.quality.bias import Images
from operators.quality.strength import WHOLE_FROM, at_strength
from operators.report.noise_power import power_of, spectrum_of
from operators.report.sampling import sample_of
from operators.residual_series import write_parts
from operators.sources.finding import source_of
from operators.sources.originals import Originals
from tests.small_study import write_series
from validation.read_back import read_series

SHAPE, NOISE = (6, 96, 96), 20.0
STRENGTHS = (100.0, 95.0, 90.0, 75.0, 60.0, 40.0, 20.0, 5.0)  # percent
ALL = np.ones(SHAPE, bool)
ROUNDED = 0.501  # stored values of slope 1


def noise(seed: int) -> Images:
    return (NOISE * np.random.default_rng(seed).standard_normal(SHAPE)).astype(np.float32)


def smoothed(images: Images) -> Images:
    return np.asarray(ndimage.gaussian_filter(images, (0, 1.5, 1.5)))


def frequency(images: Images) -> float:
    return spectrum_of(power_of(images, (1.0, 1.0)), SHAPE[-1], (1.0, 1.0)).mean_frequency


def test_in_full_the_output_is_handed_out_itself() -> None:
    after = smoothed(noise(0))
    assert at_strength(noise(0), after, ALL, 100) is after


@pytest.mark.parametrize("strength", STRENGTHS)
def test_where_nothing_was_removed_nothing_comes_back(strength: float) -> None:
    before = noise(0)
    assert np.array_equal(at_strength(before, before.copy(), ALL, strength), before)


def test_less_strength_leaves_more_noise_of_a_finer_grain_and_never_jumps() -> None:
    before = noise(0)
    after = smoothed(before)
    left = [at_strength(before, after, ALL, strength) for strength in STRENGTHS]
    sds = np.array([images.std() for images in left])
    assert (np.diff(sds) > 0).all()
    assert sds[1] - sds[0] < 0.2 * NOISE
    assert frequency(after) < frequency(left[-3]) < frequency(left[-1])


@pytest.mark.parametrize("strength", [s for s in STRENGTHS if s <= 100 * (1 - WHOLE_FROM)])
def test_a_wide_contrast_that_was_removed_comes_back_whole(strength: float) -> None:
    rows, columns = np.ogrid[: SHAPE[1], : SHAPE[2]]
    wide = np.broadcast_to(10 * np.exp(-((rows - 48) ** 2 + (columns - 48) ** 2) / 2 / 8**2), SHAPE).astype(np.float32)
    returned = at_strength(wide, np.zeros_like(wide), ALL, strength)
    assert returned[:, 48, 48].min() > 0.95 * 10


def test_what_was_not_measured_stays_and_its_values_bound_nothing() -> None:
    before = noise(0)
    after = smoothed(before)
    valid = ALL.copy()
    valid[:, :10] = False
    before[:, :10] = after[:, :10] = -2000
    result = at_strength(before, after, valid, 50)
    assert (result[:, :10] == -2000).all()
    assert result[valid].min() >= before[valid].min()
    assert result[valid].max() <= before[valid].max()


@pytest.mark.parametrize("strength", [25, 60, 100])
def test_a_known_correction_is_whole_at_any_strength(strength: float) -> None:
    magnitude = np.linspace(1.3 * NOISE, 30 * NOISE, 600, dtype=np.float32).reshape(1, 20, 30)
    amplitude = remove_rician_bias(magnitude, NOISE)  # nothing denoised
    result = at_strength(magnitude, amplitude, np.ones(magnitude.shape, bool), strength, rician_sd=NOISE)
    assert np.allclose(result, amplitude, atol=0.05 * NOISE)


def test_noise_that_comes_back_brings_no_bias_with_it() -> None:
    amplitude = np.full(SHAPE, 2 * NOISE, np.float32)  # where Rician noise lifts the mean by a quarter of its sd
    magnitude = np.hypot(amplitude + noise(0), noise(1))
    half = at_strength(magnitude, amplitude, ALL, 50, rician_sd=NOISE)
    assert return_rician_bias(amplitude, NOISE).mean() > amplitude.mean() + 0.2 * NOISE
    assert abs(half.mean() - amplitude.mean()) < 0.02 * NOISE


@pytest.mark.parametrize("modality", ["CT", "MR", "PT"])
def test_check_report_and_parts_show_the_pixels_that_are_written(tmp_path: Path, modality: str) -> None:
    (series,) = read_study(write_series(tmp_path / "in", modality, 1)).series
    source = source_of(series)
    ((key, image),) = source.images(Counter())
    record = FitRecord("NS-N2N", "default", "cpu", "float32", "AVX2", 0, 1, 1, {"rician_sd": 20.0 * (modality == "MR")})
    images = {key: smoothed(image.values)}
    denoised = DenoisedSeries(source, Originals(source), images, FitSummary((record,), {}, {}, 0.0))
    checked = CheckedSeries(denoised, (50.0,), {key: (Assessment(50.0, (), NOISE, NOISE / 2, "", ()),)})
    (plan,) = plan_series(checked, "1", DerivedSettings(), frozenset())
    wanted, out = image_at(denoised, key, 50), tmp_path / "out"
    out.mkdir()
    written, (removed, _) = source.write({key: wanted}, plan, out), write_parts(checked, plan, out)
    assert np.abs(read_series(out, written.series_uid) - wanted).max() <= ROUNDED
    assert np.abs(read_series(out, removed.series_uid) - (image.values - wanted)).max() <= ROUNDED
    sample = sample_of(checked, 50)
    assert np.array_equal([pair.after for pair in sample.pairs], wanted[[pair.number - 1 for pair in sample.pairs]])
    assert np.array_equal(image_at(denoised, key, 50, [4, 1]), wanted[[4, 1]])
