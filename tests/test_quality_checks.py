"""What the gate must see and what it must let pass, on one small volume of known truth."""

from collections.abc import Callable

import numpy as np
import pytest
from scipy import ndimage

from models.volume.finishing.rician import remove_rician_bias, return_rician_bias
from operators.quality.clip_checks import ClipPair, assess_clip
from operators.quality.gate_settings import GateSettings
from operators.quality.local_change import local_change
from operators.quality.restoring import restore_small_structures
from operators.quality.volume_checks import Images, VolumePair, assess_volume

SHAPE, NOISE = (16, 96, 96), 20.0


def truth() -> Images:
    """Discs of soft tissue and bone that grow from slice to slice, with edges of about a pixel."""
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    image = np.full(SHAPE, -100.0, np.float32)
    for row, column, radius, value in ((48, 48, 36, 50), (34, 40, 10, 400), (62, 60, 8, -60)):
        image[np.hypot(y - row, x - column) + 0 * z < radius + 0.3 * z] = value
    return ndimage.gaussian_filter(image, (0, 0.8, 0.8))


BEFORE_NOISE = (NOISE * np.random.default_rng(0).standard_normal(SHAPE)).astype(np.float32)


def faults(change: Callable[[Images], Images], modality: str = "CT", strength: float = 100) -> set[str]:
    after = change((truth() + 0.3 * BEFORE_NOISE).astype(np.float32))
    pair = VolumePair(truth() + BEFORE_NOISE, after, np.ones(SHAPE, bool), (1.0, 1.0, 1.0), -950.0, modality)
    return {light.name for light in assess_volume(pair.at(strength), strength, GateSettings()).faults}


def swapped(image: Images) -> Images:
    return image[[0, 1, 2, 9, 4, 5, 6, 7, 8, 3, *range(10, 16)]]


def test_an_honest_output_passes() -> None:
    assert not faults(lambda image: image)


@pytest.mark.parametrize(
    ("light", "spoil"),
    [
        ("mean_bias", lambda image: image + 3),
        ("level_bias", lambda image: 50 + 1.1 * (image - 50)),
        ("edge_width", lambda image: ndimage.gaussian_filter(image, (0, 0.6, 0.6))),
        ("residual_structure", lambda image: ndimage.gaussian_filter(image, (0, 0.6, 0.6))),
        ("slice_order", swapped),
        ("range", lambda image: 3 * image),
    ],
)
def test_a_spoiled_output_is_seen(light: str, spoil: Callable[[Images], Images]) -> None:
    assert light in faults(spoil)


def test_what_cannot_be_measured_is_said_and_left_to_the_other_checks() -> None:
    few = truth()[:, 40:56, 40:56]
    pair = VolumePair(few, few + 1, np.ones(few.shape, bool), (1.0, 1.0, 1.0), -950.0, "CT")
    assessment = assess_volume(pair, 100, GateSettings())
    found = {light.name: light.value for light in assessment.checks}
    assert found["slice_bias"] is found["edge_width"] is None
    assert assessment.passed
    assert "not measured" in str(assessment.checks[2])
    spoiled = VolumePair(pair.before, np.full_like(few, np.nan), pair.valid, pair.spacing, pair.threshold, "CT")
    assert not assess_volume(spoiled, 100, GateSettings()).passed


def test_a_lesion_erased_is_seen_and_one_that_is_mostly_left_is_not_called_so() -> None:
    z, y, x = np.ogrid[: SHAPE[0], : SHAPE[1], : SHAPE[2]]
    ball = (((z - 8) ** 2 + (y - 50) ** 2 + (x - 62) ** 2) < 6).astype(np.float32)
    lesion = ball * np.float32(3 * NOISE)

    def light(after: Images, strength: float) -> float | None:
        pair = VolumePair(truth() + lesion + BEFORE_NOISE, after, np.ones(SHAPE, bool), (1.0, 1.0, 1.0), -950.0, "CT")
        checks = assess_volume(pair.at(strength), strength, GateSettings()).checks
        return next(one.value for one in checks if one.name == "local_change")

    kept = (truth() + lesion + 0.3 * BEFORE_NOISE).astype(np.float32)
    assert light(kept, 100) == 0
    erased = light(kept - lesion, 100)
    assert erased is not None
    assert erased > GateSettings().local_sd
    assert light(kept - lesion, 40) == 0


@pytest.mark.parametrize("sign", [-1, 1])
def test_the_original_is_kept_where_something_small_was_erased_or_invented_and_nowhere_else(sign: int) -> None:
    line = np.zeros(SHAPE, np.float32)
    line[8, 50, 50:64] = sign * 3 * NOISE
    before = (truth() + BEFORE_NOISE).astype(np.float32)
    harmless = (truth() + 0.3 * BEFORE_NOISE).astype(np.float32)
    valid = np.ones(SHAPE, bool)
    assert restore_small_structures(before, harmless.copy(), valid, valid, NOISE, GateSettings().local_sd) == 0
    after = harmless + line
    assert restore_small_structures(before, after, valid, valid, NOISE, GateSettings().local_sd) > 0
    assert np.abs(after - before)[8, 50, 52:62].mean() < np.abs(harmless + line - before)[8, 50, 52:62].mean() / 2
    light = local_change(before, after, valid, valid, NOISE)
    assert light is not None
    assert light <= GateSettings().local_sd
    near = np.zeros(SHAPE, bool)
    near[5:12, 35:66, 35:80] = True
    assert np.array_equal(after[~near], harmless[~near])


def test_less_strength_does_less_harm() -> None:
    assert "mean_bias" not in faults(lambda image: image + 3, strength=50)


def test_changed_padding_is_seen() -> None:
    before = truth() + BEFORE_NOISE
    after, valid = before.copy(), np.ones(SHAPE, bool)
    valid[:, :4] = False
    after[0, 0, 0] += 1
    checks = assess_volume(VolumePair(before, after, valid, (1.0, 1.0, 1.0), -950.0, "CT"), 100, GateSettings()).faults
    assert [light.name for light in checks] == ["padding"]


def test_the_rician_correction_is_known_and_taken_back() -> None:
    magnitude = np.linspace(1.3 * NOISE, 30 * NOISE, 600, dtype=np.float32).reshape(1, 20, 30)
    back = return_rician_bias(remove_rician_bias(magnitude, NOISE), NOISE)
    assert np.allclose(back, magnitude, atol=0.02 * NOISE)


def test_contrast_and_flicker_of_a_clip() -> None:
    frames = np.tile(np.repeat(np.linspace(40, 200, 8, dtype=np.float32), 16)[None, None], (3, 64, 1))
    tissue = np.ones(frames.shape[1:], bool)

    def of(after: Images) -> set[str]:
        return {light.name for light in assess_clip(ClipPair(frames, after, tissue, 255.0), 100, GateSettings()).faults}

    assert not of(frames)
    assert "contrast" in of(120 + 1.1 * (frames - 120))
    assert "flicker" in of(frames + np.float32([0, 8, 0])[:, None, None])
