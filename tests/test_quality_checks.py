"""What the gate must see and what it must let pass, on one small volume of known truth."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage, special

from models.compute import PROCESSOR
from models.volume.finishing.rician import remove_rician_bias, return_rician_bias
from models.volume.tissue import tissue_of
from operators.quality.bias import Images
from operators.quality.blending import COARSE
from operators.quality.clip_checks import ClipPair, assess_clip
from operators.quality.gate_settings import GateSettings
from operators.quality.intensity_checks import intensity_checks
from operators.quality.restoring import clip, restore
from operators.quality.slice_order import slice_place
from operators.quality.structure_loss import structure_loss
from operators.quality.volume_checks import PLACE_LIMIT, assess_volume, edges_of
from operators.quality.volume_pair import VolumePair
from validation.phantoms.pet_phantom import pet_phantom

SHAPE, NOISE = (16, 96, 96), 20.0


def truth() -> Images:
    """Discs of soft tissue and bone that grow from slice to slice, with edges of about a pixel."""
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    image = np.full(SHAPE, -100.0, np.float32)
    for row, column, radius, value in ((48, 48, 36, 50), (34, 40, 10, 400), (62, 60, 8, -60)):
        image[np.hypot(y - row, x - column) + 0 * z < radius + 0.3 * z] = value
    return ndimage.gaussian_filter(image, (0, 0.8, 0.8))


BEFORE_NOISE = (NOISE * np.random.default_rng(0).standard_normal(SHAPE)).astype(np.float32)


def pair_of(before: Images, after: Images, modality: str = "CT", threshold: float = -950.0) -> VolumePair:
    before, after = (np.asarray(images, np.float32) for images in (before, after))
    return VolumePair(before, after, np.ones(before.shape, bool), (1.0, 1.0, 1.0), threshold, modality)


def faults(change: Callable[[Images], Images], modality: str = "CT", strength: float = 100) -> set[str]:
    after = change((truth() + 0.3 * BEFORE_NOISE).astype(np.float32))
    pair = pair_of(truth() + BEFORE_NOISE, after, modality)
    return {check.name for check in assess_volume(pair, strength, GateSettings()).faults}


def swapped(image: Images) -> Images:
    return image[[0, 1, 2, 9, 4, 5, 6, 7, 8, 3, *range(10, 16)]]


def test_an_honest_output_passes() -> None:
    assert not faults(lambda image: image)


@pytest.mark.parametrize(
    ("check", "spoil"),
    [
        ("mean_bias", lambda image: image + 3),
        ("level_bias", lambda image: 50 + 1.1 * (image - 50)),
        ("residual_structure", lambda image: ndimage.gaussian_filter(image, (0, 0.8, 0.8))),
        ("slice_order", swapped),
        ("range", lambda image: 3 * image),
    ],
)
def test_a_spoiled_output_is_seen(check: str, spoil: Callable[[Images], Images]) -> None:
    assert check in faults(spoil)


def edges(width: float, shape: tuple[int, int, int] = (8, 128, 128)) -> Images:
    """Steps of 60 noise sd at many angles, each an error function of so many pixels (sd)."""
    _, y, x = np.ogrid[: shape[0], : shape[1], : shape[2]]
    radius = np.hypot(y - 64.3, x - 63.6) + np.zeros(shape)
    steps = [special.erf((radius - at) / width / np.sqrt(2)) for at in (36, 58)]
    return np.asarray(30 * NOISE * (steps[0] - steps[1]), np.float32)


@pytest.mark.parametrize("width", [0.6, 0.8, 1.2, 2.0])
@pytest.mark.parametrize("percent", [0, 5, 10, 20])
def test_error_function_edges_read_what_they_were_widened_by(width: float, percent: int) -> None:
    noise = (NOISE * np.random.default_rng(1).standard_normal((8, 128, 128))).astype(np.float32)
    pair = pair_of(edges(width) + noise, edges(width * (1 + percent / 100)))
    found = edges_of(pair, pair.tissue)
    assert found.growth is not None
    assert abs(found.growth - percent) <= 1 + (percent > 10)


def test_noise_retained_at_edges_is_no_blur() -> None:
    noise = (NOISE * np.random.default_rng(1).standard_normal((8, 128, 128))).astype(np.float32)
    sharp = edges(0.8) / 8  # a step of 7.5 noise sd
    steep = ndimage.maximum_filter(ndimage.gaussian_gradient_magnitude(sharp, 1), (1, 5, 5)) > NOISE
    pair = pair_of(sharp + noise, sharp + np.where(steep, 0.5, 0.15) * noise)
    found = edges_of(pair, pair.tissue)
    assert found.growth is not None
    assert found.structure is None or abs(found.structure) < 0.05
    assert abs(found.growth) <= 2


def test_a_check_with_too_little_data_reports_so_and_is_skipped() -> None:
    few = truth()[:, 40:56, 40:56]
    assessment = assess_volume(pair_of(few, few + 1), 100, GateSettings())
    found = {check.name: check.value for check in assessment.checks}
    assert found["slice_bias"] is found["edge_width"] is None
    assert assessment.passed
    assert "not measured" in str(assessment.checks[2])
    assert not assess_volume(pair_of(few, np.full_like(few, np.nan)), 100, GateSettings()).passed


def ball(sds: float, square_radius: float = 6) -> Images:
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    inside = (z - 8) ** 2 + (y - 50) ** 2 + (x - 62) ** 2 < square_radius
    return np.asarray(sds * NOISE * inside, np.float32)


@pytest.mark.parametrize("sds", [4, 12])
def test_a_lesion_erased_is_seen_and_one_that_is_mostly_left_is_not_called_so(sds: float) -> None:
    lesion = ball(sds)

    def value(after: Images, strength: float) -> float:
        pair = pair_of(truth() + lesion + BEFORE_NOISE, after)
        found = {check.name: check.value for check in assess_volume(pair, strength, GateSettings()).checks}
        return found["local_change"] or 0.0

    kept = truth() + lesion + 0.3 * BEFORE_NOISE
    assert value(kept, 100) == 0
    assert value(kept - lesion, 100) > GateSettings().local_sd
    assert value(kept - lesion / 2, 100) > GateSettings().local_sd
    assert value(kept - lesion, 20) < GateSettings().local_sd


def test_in_pet_whose_noise_follows_the_activity_a_faint_focus_that_lost_half_is_seen() -> None:
    activity = np.where(truth() > -50, 4000, 400).astype(np.float32)
    noise = 4 * np.sqrt(activity) * BEFORE_NOISE / NOISE
    focus = ball(1, 8) / NOISE * 4 * np.sqrt(activity) * 6

    def value(lost: float) -> float:
        after = activity + (1 - lost) * focus + 0.3 * noise
        checks = assess_volume(pair_of(activity + focus + noise, after, "PT", 1000.0), 100, GateSettings()).checks
        return {check.name: check.value for check in checks}["local_change"] or 0.0

    assert value(0) == 0
    assert value(0.5) > GateSettings().local_sd


@pytest.mark.parametrize("sign", [-1, 1])
@pytest.mark.slow
def test_the_original_is_restored_where_something_small_was_erased_or_invented_and_nowhere_else(sign: int) -> None:
    line = np.zeros(SHAPE, np.float32)
    line[8, 50, 50:64] = sign * 3 * NOISE
    before, harmless = truth() + BEFORE_NOISE, truth() + np.float32(0.3) * BEFORE_NOISE
    assert restore(pair_of(before, harmless), GateSettings()).percent == 0
    after = harmless + line
    received = after.copy()
    restored = restore(pair_of(before, after), GateSettings())
    assert restored.images is after  # in place: a copy of a long CT would exceed the memory of its fit
    assert restored.locations > 0
    assert restored.coarse is not None
    left = np.abs(restored.images - before)[8, 50, 52:62].mean()
    assert left < np.abs(received - before)[8, 50, 52:62].mean() / 2
    assert restored.coarse[8, 50 // COARSE, 56 // COARSE] > 50
    assert not restored.coarse[0].any()
    near = np.zeros(SHAPE, bool)
    near[4:13, 24:77, 24:91] = True
    assert np.array_equal(restored.images[~near], received[~near])
    assert not assess_volume(pair_of(before, restored.images), 100, GateSettings()).faults


@pytest.mark.slow
def test_wide_edges_are_restored_until_they_pass_and_even_tissue_is_not() -> None:
    shape = (8, 160, 160)
    noise = (NOISE * np.random.default_rng(1).standard_normal(shape)).astype(np.float32)
    before, after = edges(0.8, shape) / 4 + noise, edges(1.0, shape) / 4 + np.float32(0.2) * noise
    assert "edge_width" in {check.name for check in assess_volume(pair_of(before, after), 100, GateSettings()).faults}
    restored = restore(pair_of(before, after), GateSettings())
    assert "edge_width" in restored.by_check
    delivered = pair_of(before, restored.images)
    assert not assess_volume(delivered, 100, GateSettings()).faults
    even = np.hypot(*np.ogrid[-64:96, -64:96]) < 10
    assert np.array_equal(restored.images[:, even], after[:, even])


def test_similar_slices_are_in_place_and_swapped_ones_are_not() -> None:
    z = np.arange(12, dtype=np.float32)[:, None, None]
    noise = ndimage.gaussian_filter(np.random.default_rng(2).standard_normal((12, 160, 160)), 1.2, mode="wrap").astype(
        np.float32
    )
    smooth, tissue = noise / noise.std() + 0.1 * z, np.ones((12, 160, 160), bool)
    place = slice_place(smooth, ndimage.gaussian_filter(smooth, (1, 2, 2)), tissue, PROCESSOR)
    assert place is not None
    assert place < PLACE_LIMIT
    different = smooth + 4 * np.sin(np.arange(160) / 5 + 2 * z)
    assert (slice_place(different, different[[0, 1, 3, 2, *range(4, 12)]], tissue, PROCESSOR) or 0) > 0.65


def test_a_slice_is_not_taken_for_its_neighbour_because_its_noise_is_stronger() -> None:
    noise = np.random.default_rng(3).standard_normal((12, 120, 120)).astype(np.float32)
    noise[::2] *= 2
    place = slice_place(noise, np.zeros_like(noise), np.ones(noise.shape, bool), PROCESSOR)
    assert place == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize(("modality", "least"), [("CT", -3.0), ("MR", 0.0), ("PT", 0.0)])
def test_nothing_is_handed_out_beyond_what_can_be_measured(modality: str, least: float) -> None:
    before = np.full((4, 8, 8), 2.0 if modality != "CT" else -3.0, np.float32)
    images = before - 5
    clip(images, pair_of(before, before, modality))
    assert images.min() == least


def test_less_strength_does_less_harm() -> None:
    assert "mean_bias" not in faults(lambda image: image + 3, strength=50)


def test_changed_padding_is_seen() -> None:
    before = truth() + BEFORE_NOISE
    after, valid = before.copy(), np.ones(SHAPE, bool)
    valid[:, :4] = False
    after[0, 0, 0] += 1
    checks = assess_volume(VolumePair(before, after, valid, (1.0, 1.0, 1.0), -950.0, "CT"), 100, GateSettings()).faults
    assert [check.name for check in checks] == ["padding"]


def test_the_rician_correction_is_known_and_taken_back() -> None:
    magnitude = np.linspace(1.3 * NOISE, 30 * NOISE, 600, dtype=np.float32).reshape(1, 20, 30)
    back = return_rician_bias(remove_rician_bias(magnitude, NOISE), NOISE)
    assert np.allclose(back, magnitude, atol=0.02 * NOISE)


@pytest.mark.parametrize(("fraction", "seen"), [(1.0, False), (0.9, True)])
def test_the_truth_of_a_noisy_pet_keeps_its_levels_and_less_in_its_hot_places_does_not(
    fraction: float, seen: bool
) -> None:
    phantom = pet_phantom((24, 200, 200), seed=7)
    after = np.where(phantom.truth > 4000, fraction * phantom.truth, phantom.truth)
    threshold = tissue_of(phantom.noisy, "PT").threshold
    pair = pair_of(phantom.noisy, after, "PT", threshold)
    checks, _ = intensity_checks(pair, pair.after, pair.tissue, GateSettings())
    assert {check.passed for check in checks if check.name == "level_bias"} == {not seen}


def test_contrast_and_flicker_of_a_clip() -> None:
    frames = np.tile(np.repeat(np.linspace(40, 200, 8, dtype=np.float32), 16)[None, None], (3, 64, 1))
    tissue = np.ones(frames.shape[1:], bool)

    def of(after: Images) -> set[str]:
        return {check.name for check in assess_clip(ClipPair(frames, after, tissue, 255.0), 100, GateSettings()).faults}

    assert not of(frames)
    assert "contrast" in of(120 + 1.1 * (frames - 120))
    assert "flicker" in of(frames + np.float32([0, 8, 0])[:, None, None])


def test_where_most_tissue_would_be_restored_the_output_is_given_back_as_it_was() -> None:
    before = truth() + BEFORE_NOISE
    after = ndimage.gaussian_filter(before, (0, 3, 3)) + np.float32(30)
    received = after.copy()
    restored = restore(pair_of(before, after), GateSettings())
    assert restored.coarse is None
    assert np.array_equal(restored.images, received)


def folds(lost: float) -> tuple[Images, Images]:
    """Return faint stripes of 1 noise sd that go through all slices, with noise, and what is left of them without."""
    shape = (12, 96, 96)
    stripes = np.sin(2 * np.pi * np.arange(96) / 7) + np.zeros(shape)
    noise = np.random.default_rng(3).standard_normal(shape)
    before = NOISE * (5 + stripes + noise)
    return before.astype(np.float32), (before - NOISE * (0.8 * noise + lost * stripes)).astype(np.float32)


@pytest.mark.parametrize("lost", [0.0, 0.25, 0.5])
def test_the_loss_of_faint_structures_is_their_lost_fraction_whatever_is_retained_of_the_noise(lost: float) -> None:
    before, after = folds(lost)
    found = structure_loss(pair_of(before, after, "MR", 1.0), np.ones(before.shape, bool))
    assert found is not None
    assert abs(found.percent - 100 * lost) < 3
    assert found.error < 2


def test_no_loss_of_faint_structures_is_reported_where_slices_share_noise_or_are_too_few() -> None:
    before, after = folds(0.5)
    inside = np.ones(before.shape, bool)
    assert structure_loss(pair_of(before, after, "PT", 1.0), inside) is None
    assert structure_loss(pair_of(before[:6], after[:6], "MR", 1.0), inside[:6]) is None
