"""docs/figures/scale.txt holds what bench/scale.py computes from the table of costs, and the table prices all work."""

from pathlib import Path

import pytest

from bench import scale
from models.compute import Compute
from models.costs import costs_of
from models.volume.slice_plan import LADDERS, SLICES_ALONE, unit_of

FIGURES = Path(__file__).parent.parent / "docs" / "figures" / "scale.txt"


def test_the_figures_are_the_computed_ones() -> None:
    made = "\n\n".join((scale.costs(), scale.needs(), scale.allowed()))
    assert FIGURES.read_text().rstrip() == made, "run make costs, or bench.scale and validation.figures"


@pytest.mark.parametrize("compute", [scale.TASK, scale.GPU])
def test_a_study_costs_its_start_once_and_every_fit(compute: Compute) -> None:
    for kind in scale.KINDS:
        start = costs_of(compute)["start"].of(kind.fits * kind.voxels)
        assert kind.whole(compute) - start == pytest.approx(kind.fits * kind.need(compute).whole.most)


def test_the_table_prices_every_pass_of_refinement() -> None:
    for search in {search for ladder in (*LADDERS.values(), SLICES_ALONE) for passes in ladder for search in passes}:
        assert costs_of(scale.TASK)[unit_of(search)].of(1e6) > 0


def test_more_threads_never_cost_more() -> None:
    by_threads = [costs_of(Compute(scale.TASK.device, scale.TASK.dtype, threads)) for threads in (1, 2, 4, 16)]
    for unit in by_threads[0]:
        seconds = [costs[unit].of(1e7) for costs in by_threads]
        assert seconds == sorted(seconds, reverse=True)
