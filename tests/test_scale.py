"""docs/scale.md holds what bench/scale.py computes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bench import scale

DOCS = Path(__file__).parent.parent / "docs" / "scale.md"


@pytest.mark.parametrize("made", [scale.needs, scale.allowed])
def test_every_table_is_the_computed_one(made: Callable[[], str]) -> None:
    assert made() in DOCS.read_text()


def test_every_cost_is_reported() -> None:
    """All but the last column, which follows from how the application plans."""
    for row in scale.costs().splitlines():
        assert row.rsplit(" | ", 1)[0] in DOCS.read_text()


def test_a_study_costs_its_start_once_and_every_fit() -> None:
    for kind in scale.KINDS:
        assert kind.whole == pytest.approx(kind.run + (kind.fits - 1) * (kind.run - scale.START))
        assert kind.default <= scale.CORES * scale.BUDGET
