"""Each operator alone, with ports of a test's own."""

import dataclasses
import hashlib
import math
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from dicom_builders import save, speckle, ultrasound
from monai.deploy.core import Application

from models.compute import choose_compute
from models.ultrasound.speckle2self import Speckle2SelfSettings
from models.volume.ns_n2n import NSN2NSettings
from operators.check_quality import CheckQualityOperator
from operators.denoise_ultrasound import DenoiseUltrasoundOperator
from operators.denoise_volume import DenoiseVolumeOperator
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.reading import read_study
from operators.dicom.reading_limits import ReadingLimits
from operators.ledger import Ledger
from operators.load_study import LoadStudyOperator
from operators.messages import FoundSeries, LedgerEntry, SelectedSeries, entry_of
from operators.output_folder import OutputFolder
from operators.quality.gate_settings import GateSettings
from operators.report_series import Reporting, ReportSeriesOperator
from operators.route_modality import RouteModalityOperator
from operators.select_series import Demands, SelectSeriesOperator
from operators.selection import Rule, SelectionSettings
from operators.series_costs import Pricing
from operators.sources.finding import source_of
from operators.sources.nifti_settings import NiftiSettings
from operators.sources.source import Source
from operators.time_budget import SeriesNeed, SeriesTime, whole_run
from operators.write_series import PORTS, WriteSeriesOperator
from tests.small_study import write_series

CPU = choose_compute("cpu")
NO_TIME = SeriesTime(whole_run(0), SeriesNeed((), 0.0), ())
PRICING = Pricing(CPU, NSN2NSettings(steps=2), Speckle2SelfSettings(steps=1, search_offsets=4))
LENIENT = GateSettings(**{field.name: 1e9 for field in dataclasses.fields(GateSettings) if field.name != "on_failure"})


class Ports:
    """What was put in comes out of ``receive``; what is emitted stays."""

    def __init__(self, **given: Any) -> None:
        self.given, self.emitted = given, []

    def receive(self, name: str) -> Any:
        return self.given.pop(name, None)

    def emit(self, value: Any, name: str) -> None:
        self.emitted.append((name, value))


@pytest.fixture(scope="module")
def fragment() -> Application:
    return Application([sys.executable])


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Source, ...]:
    for number, (modality, slices) in enumerate((("CT", 6), ("MR", 4), ("SR", 1)), 1):
        write_series(tmp_path, modality, number, slices)
    return tuple(map(source_of, read_study(tmp_path).series))


def computed(operator: Any, **given: Any) -> Any:
    """Name of the port, and the one message."""
    ports = Ports(**given)
    operator.compute(ports, ports, None)
    ((name, message),) = ports.emitted
    return name, message


@pytest.mark.parametrize(("smallest_first", "expected"), [(False, [0, 1, 2]), (True, [2, 1, 0])])
def test_load_emits_one_series_per_tick_in_order_and_stops(
    fragment: Application,
    sources: tuple[Source, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    smallest_first: bool,
    expected: list[int],
) -> None:
    ledger, limits, nifti = Ledger(), ReadingLimits(), NiftiSettings()
    load = LoadStudyOperator(
        fragment, name="load", path=tmp_path, ledger=ledger, limits=limits, nifti=nifti, smallest_first=smallest_first
    )
    stops: list[int] = []
    monkeypatch.setattr(load, "stop_execution", lambda: stops.append(1))
    ticks: list[tuple[str, int]] = []
    while not stops:
        ticks.append((computed(load)[1].source.uid, len(stops)))
    assert [uid for uid, _ in ticks] == [sources[index].uid for index in expected]
    assert len(ledger.settle()) == len(sources)


def test_load_of_nothing_only_stops(fragment: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = LoadStudyOperator(
        fragment, name="load", path=tmp_path, ledger=Ledger(), limits=ReadingLimits(), nifti=NiftiSettings()
    )
    stops: list[int] = []
    monkeypatch.setattr(load, "stop_execution", lambda: stops.append(1))
    ports = Ports()
    load.compute(ports, ports, None)
    assert (ports.emitted, stops) == ([], [1])


def selected_of(
    fragment: Application, sources: tuple[Source, ...], settings: SelectionSettings, memory: float = math.inf
) -> Iterator[tuple[str, Any]]:
    demands = Demands(settings, memory)
    operator = SelectSeriesOperator(fragment, name="select", demands=demands, run=whole_run(1000), pricing=PRICING)
    for series in sources:
        yield computed(operator, series=FoundSeries(series, sources))


def test_select_divides_the_time_among_what_can_be_denoised(fragment: Application, sources: tuple[Source, ...]) -> None:
    (first, ct), (second, mr), (third, sr) = selected_of(fragment, sources, SelectionSettings())
    assert (first, second, third) == ("selected", "selected", "refused")
    assert sr.modality == "SR"
    following = mr.time.need.whole.most
    (slot,) = ct.time.slots
    assert slot.later.most == pytest.approx(slot.following + following), "what is refused takes no time from others"


def test_a_series_too_large_for_the_memory_granted_is_refused_with_both_figures(
    fragment: Application, sources: tuple[Source, ...]
) -> None:
    (port, ct), *_ = selected_of(fragment, sources, SelectionSettings(), memory=0.7e9)
    assert (port, "about 0.8 GB of memory and the host grants 0.7 GB" in ct.reason) == ("refused", True)


def test_select_refuses_what_a_site_does_not_want(fragment: Application, sources: tuple[Source, ...]) -> None:
    settings = SelectionSettings((Rule("MR alone", keyword="Modality", equals="MR"),))
    (port, ct), *_ = selected_of(fragment, sources, settings)
    assert (port, "'MR alone'" in ct.reason) == ("refused", True)


@pytest.mark.parametrize(
    ("modality", "port"),
    [("CT", "volume"), ("MR", "volume"), ("PT", "volume"), ("US", "ultrasound"), ("SR", "refused")],
)
def test_route_by_modality(fragment: Application, tmp_path: Path, modality: str, port: str) -> None:
    series = source_of(read_study(write_series(tmp_path, modality, 1, 1)).series[0])
    name, message = computed(RouteModalityOperator(fragment, name="route"), selected=SelectedSeries(series, NO_TIME))
    assert name == port
    assert isinstance(message, LedgerEntry if port == "refused" else SelectedSeries)


def digest(part: Any) -> str:
    """A hash of everything in a message, arrays by their bytes."""
    if isinstance(part, np.ndarray):
        return hashlib.sha256(part.tobytes()).hexdigest()
    if isinstance(part, Mapping):
        return digest([item for key, value in part.items() for item in (key, value)])
    if isinstance(part, tuple | list | frozenset):
        return hashlib.sha256("".join(map(digest, part)).encode()).hexdigest()
    if dataclasses.is_dataclass(part):
        return digest([getattr(part, field.name) for field in dataclasses.fields(part)])
    return hashlib.sha256(str(part).encode()).hexdigest()


@pytest.mark.parametrize("modality", ["CT", "MR", "PT", "US"])
def test_no_operator_changes_the_message_that_it_received(fragment: Application, tmp_path: Path, modality: str) -> None:
    if modality == "US":
        save(tmp_path / "in", ultrasound(speckle(2), "MONOCHROME2"))
    else:
        write_series(tmp_path / "in", modality, 1)
    source = source_of(read_study(tmp_path / "in").series[0])
    branch, ledger, folder = source.method, Ledger(), OutputFolder(tmp_path / "out")
    ledger.found([source], ())
    folder.prepare()
    cpu = {"compute": CPU, "seed": 0}
    denoise: dict[str, Any] = {
        "volume": partial(DenoiseVolumeOperator, settings=NSN2NSettings(steps=2), gate=GateSettings()),
        "ultrasound": partial(
            DenoiseUltrasoundOperator,
            settings=Speckle2SelfSettings(steps=1, search_offsets=4),
            gate=GateSettings(),
        ),
    }
    demands = Demands(SelectionSettings())
    reporting = Reporting("1", DerivedSettings())
    select = SelectSeriesOperator(fragment, name="select", demands=demands, run=whole_run(1000), pricing=PRICING)
    line = [
        ("series", select),
        ("selected", RouteModalityOperator(fragment, name="route")),
        (branch, denoise[branch](fragment, name="denoise", **cpu)),
        (branch, CheckQualityOperator(fragment, name="check", strengths=(60.0, 100.0), settings=LENIENT)),
        (branch, ReportSeriesOperator(fragment, name="report", reporting=reporting, ledger=ledger)),
        (branch, WriteSeriesOperator(fragment, name="write", residual=True, folder=folder, ledger=ledger)),
    ]
    message: Any = FoundSeries(source, (source,))
    for port, operator in line:
        ports, received = Ports(**{port: message}), digest(message)
        operator.compute(ports, ports, None)
        assert digest(message) == received, operator.name
        message = ports.emitted[0][1] if ports.emitted else None
    (entry,) = ledger.settle()
    assert (entry.status, message) == ("denoised", None), entry.reason


def test_write_settles_what_stands_at_any_of_its_ports(
    fragment: Application, sources: tuple[Source, ...], tmp_path: Path
) -> None:
    ledger = Ledger()
    ledger.found(sources, ())
    write = WriteSeriesOperator(
        fragment,
        name="write",
        residual=False,
        folder=OutputFolder(tmp_path / "out"),
        ledger=ledger,
    )
    entries = [entry_of(series, "refused", port) for series, port in zip(sources, PORTS, strict=False)]
    ports = Ports(**{entry.reason: entry for entry in entries})
    write.compute(ports, ports, None)
    assert ledger.settle() == tuple(entries)
