"""Laws of the time budget, by a clock of the tests' own: work takes what the table of costs says, times a slowness."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest
import torch

from app.series_rows import row_of
from models.compute import choose_compute
from models.costs import costs_of
from models.fitting import GIVEN_UP, FitContext, FitRecord
from models.pace import TOLERATED, Pace
from models.training_loop import fit
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.volume import slice_fit
from models.volume.ns_n2n_settings import NSN2NSettings
from operators.boundary import within_boundary
from operators.denoise_volume import denoise
from operators.dicom.reading import read_study
from operators.messages import DenoisedSeries, LedgerEntry, SelectedSeries, are_fits
from operators.quality.gate_settings import GateSettings
from operators.report.cautions import cautions_for
from operators.series_costs import Pricing
from operators.sources.finding import source_of
from operators.sources.source import Source
from operators.time_budget import ImageNeed, Need, RunTime, SeriesNeed, timetable
from tests.small_study import write_series

CPU = choose_compute("cpu")
SETTINGS = NSN2NSettings()
PRICING = Pricing(CPU, SETTINGS, Speckle2SelfSettings())
STUDY = 12  # series
OVERRUN = 1.1  # of the budget, at most


class SimulatedPace(Pace):
    """The record of a machine on which work takes ``slowness`` times what the table says."""

    def __init__(self, slowness: float) -> None:
        self.now, self.factor = 1000.0, slowness
        super().__init__(lambda: self.now)

    def work(self, planned: float) -> None:
        self.now += self.factor * planned

    @contextmanager
    def stage(self, unit: str, voxels: float, planned: float) -> Iterator[None]:
        with super().stage(unit, voxels, planned):
            yield
            self.work(planned)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> tuple[Source, ...]:
    folder = tmp_path_factory.mktemp("study")
    for number in range(1, STUDY + 1):
        write_series(folder, "MR", number, slices=5 + number % 3)
    return tuple(sorted(map(source_of, read_study(folder).series), key=lambda source: source.voxel_count))


def needed(study: tuple[Source, ...]) -> Need:
    return sum((PRICING.need(source).whole for source in study), Need())


def outcomes(
    study: tuple[Source, ...], budget: float, slowness: float, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[DenoisedSeries | LedgerEntry], float]:
    """What becomes of the series, and the time that all take over the budget."""
    pace = SimulatedPace(slowness)
    run = RunTime(pace.now, pace.now + budget, pace)
    cost, loss = costs_of(CPU)["step"].of(0), slice_fit.confirmed_loss

    def timed_loss(*given: object) -> torch.Tensor:
        pace.work(cost)
        return loss(*given)

    monkeypatch.setattr(slice_fit, "confirmed_loss", timed_loss)
    made: list[DenoisedSeries | LedgerEntry] = []
    for source, time in zip(study, timetable(run, 0.0, [PRICING.need(source) for source in study]), strict=True):
        selected = SelectedSeries(source, time)
        pace.work(sum(image.decoding for image in time.need.images))
        made.append(within_boundary(source, partial(denoise, selected, SETTINGS, GateSettings(), CPU, 0)))
        if isinstance(made[-1], DenoisedSeries):
            pace.work(time.need.following)
    return made, (pace.now - run.start) / budget


@pytest.mark.slow
@pytest.mark.parametrize("slowness", [1.0, 2.0])
def test_at_a_quarter_of_the_time_it_needs_a_study_is_denoised_in_time_and_whole(
    study: tuple[Source, ...], slowness: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = needed(study)
    budget = max(whole.most / 4, 1.1 * slowness * whole.least)
    made, taken = outcomes(study, budget, slowness, monkeypatch)
    assert all(isinstance(one, DenoisedSeries) for one in made)
    assert any(one.summary.given_up for one in made if isinstance(one, DenoisedSeries))
    assert taken <= OVERRUN


@pytest.mark.slow
def test_what_not_even_an_initial_estimate_fits_is_refused_and_the_smallest_are_denoised(
    study: tuple[Source, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    made, taken = outcomes(study, 0.6 * needed(study).least, 1.0, monkeypatch)
    refused = [isinstance(one, LedgerEntry) for one in made]
    assert refused == sorted(refused), "the smallest come first"
    assert 0 < sum(refused) < STUDY
    for one in made:
        if isinstance(one, LedgerEntry):
            assert (one.status, one.reason_code, "--time-budget" in one.reason) == ("refused", "time-spent", True)
    assert taken <= OVERRUN


def series_of(*needs: tuple[float, float], following: float = 1.0) -> list[SeriesNeed]:
    return [SeriesNeed((ImageNeed(0.5, Need(*need), 0.5),), following) for need in needs]


def contexts(budget: float, slowness: float, needs: list[SeriesNeed], used: float = 1.0) -> list[FitContext]:
    """Of fits that take what they are planned for, or a part of it, on a machine of that slowness."""
    pace = SimulatedPace(slowness)
    made = []
    for time in timetable(RunTime(pace.now, pace.now + budget, pace), 0.0, needs):
        for slot in time.slots:
            pace.work(slot.need.decoding)
            made.append(slot.context(CPU, 0, "test", "MR"))
            for planned in (used * min(made[-1].budget, slot.need.denoising.most), slot.need.restoring):
                with pace.stage("all", 0, planned):
                    pass
        pace.work(time.need.following)
    return made


NEEDS = series_of((2.0, 10.0), (4.0, 20.0), (10.0, 80.0))
WHOLE = sum((need.whole for need in NEEDS), Need())


@pytest.mark.parametrize("used", [1.0, 0.6])
@pytest.mark.parametrize("budget", [WHOLE.least, WHOLE.most / 2, WHOLE.most, 5 * WHOLE.most])
def test_on_a_machine_that_is_as_fast_as_the_table_or_faster_plans_do_not_depend_on_the_clock(
    budget: float, used: float
) -> None:
    planned = [fit.budget for fit in contexts(budget, 1.0, NEEDS, used)]
    for slowness in (0.1, 0.7, 1.03):
        assert [fit.budget for fit in contexts(budget, slowness, NEEDS, used)] == planned


def test_what_a_volume_has_no_use_for_is_passed_on_to_those_after_it() -> None:
    budget = WHOLE.most / 2
    all_, half = ([fit.budget for fit in contexts(budget, 1.0, NEEDS, used)] for used in (1.0, 0.5))
    assert half[0] == all_[0]
    assert half[-1] >= all_[-1] + 0.4 * (all_[0] + all_[1])


def test_time_is_divided_by_what_may_be_given_up_above_what_must_be_done() -> None:
    fits = contexts(0.6 * WHOLE.most, 1.0, NEEDS)
    parts = [
        (fit.budget - need.images[0].denoising.least) / need.images[0].denoising.extra
        for fit, need in zip(fits, NEEDS, strict=True)
    ]
    assert min(parts) > 0
    assert max(parts) == pytest.approx(min(parts), rel=0.1)


def test_with_time_enough_everything_is_planned() -> None:
    for fit_, need in zip(contexts(1.2 * WHOLE.most, 1.0, NEEDS), NEEDS, strict=True):
        assert fit_.budget >= need.images[0].denoising.most


def test_a_slow_machine_is_known_after_some_work_and_what_it_had_to_give_up_is_less_planned() -> None:
    budget = 0.6 * WHOLE.most
    quick, slow = (contexts(budget, slowness, NEEDS) for slowness in (1.0, 2.0))
    assert slow[0].budget == pytest.approx(quick[0].budget, rel=0.02)
    assert slow[-1].budget < 0.6 * quick[-1].budget
    assert slow[-1].pace.slowness == pytest.approx(2, abs=0.3)


def test_short_measurements_and_faster_machines_count_for_nothing() -> None:
    for slowness, planned in ((2.0, 0.05), (0.2, 100.0), (1.05, 100.0)):
        pace = SimulatedPace(slowness)
        with pace.stage("transform", 0, planned):
            pass
        assert pace.slowness == 1.0
    assert SimulatedPace(1).slowness < TOLERATED


@pytest.mark.parametrize(("slowness", "taken"), [(0.5, 100), (1.0, 100), (2.0, 50), (4.0, 25)])
def test_a_slow_fit_takes_fewer_steps_and_still_ends_its_cycle(slowness: float, taken: int) -> None:
    pace, network, rates = SimulatedPace(slowness), torch.nn.Linear(1, 1), []
    context = FitContext(CPU, 0, math.inf, pace.now + 100.5, "test", pace)

    def draw_loss() -> torch.Tensor:
        pace.work(1.0)
        return network(torch.ones(1)).square().sum()

    def keep_rate(optimiser: torch.optim.Optimizer, *_: object) -> None:
        rates.append(optimiser.param_groups[0]["lr"])

    with pytest.MonkeyPatch.context() as patch:
        step = torch.optim.AdamW.step
        patch.setattr(torch.optim.AdamW, "step", lambda self, *given: (keep_rate(self), step(self, *given))[1])
        assert fit(network, draw_loss, context, steps=100, learning_rate=0.1) == taken
    assert rates[-1] < 0.1 * max(rates)


def test_what_follows_is_kept_free_and_more_of_it_on_a_slow_machine() -> None:
    pace = SimulatedPace(3.0)
    context = FitContext(CPU, 0, math.inf, pace.now + 100, "test", pace, following=10.0).before(5.0)
    assert context.latest == pace.now + 100 - 15
    with pace.stage("transform", 0, 10.0):
        pass
    assert context.latest == pytest.approx(1100 - 15 * pace.slowness)
    assert context.has_time_for(0.0)
    assert not context.has_time_for(20.0)


@pytest.mark.parametrize("what", GIVEN_UP)
def test_what_was_given_up_stands_in_the_row_of_the_series_and_in_its_report(what: str) -> None:
    record = FitRecord("NS-N2N", "default", "cpu", "float32", "one thread", 0, 100, 100, {}, (what,))
    assert row_of(LedgerEntry("1", "2", "CT", "denoised", fits=(record, record)))["given_up"] == [what]
    assert GIVEN_UP[what] in cautions_for("CT", "fitted", [what])[-1]
    assert are_fits([record]) == (what != "network")
