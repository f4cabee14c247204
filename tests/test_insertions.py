"""Insertions: where they lie, how high they stand, and what is read of them after a change that is known."""

import numpy as np
import pytest

from validation.phantoms.insertions import LINES, PLATES, SPOTS, Shape, draw_insertions, inserted, profile_of, retained

SHAPE, SPACING = (24, 160, 160), (5.0, 0.8, 0.8)


@pytest.fixture(scope="module")
def drawn():
    sd = np.full(SHAPE, 10.0, np.float32)
    return draw_insertions(np.random.default_rng(0), np.ones(SHAPE, bool), SPACING, SPOTS + LINES, (4.0, 8.0), sd)


def test_each_shape_is_drawn_at_each_contrast_bright_and_dark(drawn):
    assert len(drawn) == 2 * len(SPOTS + LINES)
    assert {abs(each.contrast) for each in drawn} == {40.0, 80.0}
    assert {np.sign(each.contrast) for each in drawn} == {-1, 1}


def test_the_peak_is_the_contrast_and_nothing_else_changes(drawn):
    volume = np.full(SHAPE, 100.0, np.float32)
    change = inserted(volume, SPACING, drawn) - volume
    touched = np.zeros(SHAPE, bool)
    for each in drawn:
        box, profile = profile_of(each, SPACING)
        assert not touched[box][profile > 0].any(), "insertions lie apart"
        touched[box] |= profile > 0
        assert np.abs(change[box]).max() == pytest.approx(abs(each.contrast))
        assert change[each.centre] == pytest.approx(each.contrast, rel=0.05)
    assert not change[~touched].any()


def test_a_result_that_halves_everything_retains_half(drawn):
    volume = np.random.default_rng(1).normal(0, 10, SHAPE).astype(np.float32)
    full = inserted(volume, SPACING, drawn)
    assert [retained(each, SPACING, full, volume) for each in drawn] == pytest.approx([1] * len(drawn), rel=1e-4)
    assert [retained(each, SPACING, full / 2, volume / 2) for each in drawn] == pytest.approx(
        [0.5] * len(drawn), rel=1e-4
    )


@pytest.mark.parametrize("shape", [*SPOTS, *LINES, *PLATES])
def test_a_profile_has_the_size_it_says(shape):
    room = np.zeros(SHAPE, bool)
    room[12, 80, 80] = True
    (each,) = draw_insertions(np.random.default_rng(2), room, SPACING, [shape], [5.0], np.ones(SHAPE, np.float32))
    _, profile = profile_of(each, SPACING)
    area = shape.width_mm * shape.length_mm + np.pi * shape.width_mm**2 / 4
    assert len(profile) == shape.slices
    assert (profile[0] >= 0.5).sum() * SPACING[1] * SPACING[2] == pytest.approx(area, rel=0.35)


def test_without_room_nothing_is_drawn():
    room = np.zeros(SHAPE, bool)
    room[0, 0, 0] = True
    assert not draw_insertions(np.random.default_rng(0), room, SPACING, [Shape(4.0)], [5.0], np.ones(SHAPE, np.float32))
