"""What was found against what became of it, and the boundary around a series."""

import errno
from pathlib import Path

import pytest

from app.exit_codes import ExitCode
from app.result_json import verdict
from models.fitting import FitRecord
from operators.boundary import within_boundary
from operators.derived_plans import provenance_of
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.errors import NoTissueError
from operators.dicom.reading import Unread, read_study
from operators.ledger import LOST, Ledger, RecordedTwiceError
from operators.messages import FitSummary, LedgerEntry, Status, entry_of
from operators.sources.derived_series import WrittenSeries
from operators.sources.finding import source_of
from operators.sources.source import Source
from tests.small_study import CANARY, series_uid, write_series


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Source, ...]:
    write_series(tmp_path, "CT", 1, 1)
    write_series(tmp_path, "MR", 2, 1)
    return tuple(map(source_of, read_study(tmp_path).series))


def test_every_series_found_has_one_entry_in_the_order_found(sources: tuple[Source, ...]) -> None:
    ledger = Ledger()
    ledger.found(sources, ())
    for series in reversed(sources):
        ledger.record(entry_of(series, "refused", "why"))
    assert [entry.series_uid for entry in ledger.settle()] == [series_uid(1), series_uid(2)]


def test_a_series_without_an_outcome_has_failed(sources: tuple[Source, ...]) -> None:
    ledger = Ledger()
    ledger.found(sources, ())
    ledger.record(entry_of(sources[0], "denoised"))
    lost = ledger.settle()[1]
    assert (lost.series_uid, lost.status, lost.reason) == (series_uid(2), "failed", LOST)
    assert verdict(ledger.settle()) is ExitCode.FAILED


def test_a_series_has_one_end(sources: tuple[Source, ...]) -> None:
    ledger = Ledger()
    ledger.found(sources, ())
    ledger.record(entry_of(sources[0], "denoised"))
    with pytest.raises(RecordedTwiceError):
        ledger.record(entry_of(sources[0], "refused"))


def test_unread_files_are_counted_by_reason(sources: tuple[Source, ...]) -> None:
    ledger = Ledger()
    ledger.found(sources, [Unread("b"), Unread("a"), Unread("b")])
    assert ledger.unread == {"a": 1, "b": 2}


def test_series_numbers_found_and_written_are_taken(sources: tuple[Source, ...]) -> None:
    ledger = Ledger()
    ledger.found(sources, ())
    ledger.record(entry_of(sources[0], "denoised", written=(WrittenSeries("1.2", 100, 1, 1001),)))
    assert ledger.used_numbers(sources[0].study_uid) == {1, 2, 1001}
    assert not ledger.used_numbers("1.9")


def test_a_reserved_series_number_is_taken_in_its_study_alone(sources: tuple[Source, ...]) -> None:
    ledger, study_uid = Ledger(), sources[0].study_uid
    ledger.found(sources, ())
    ledger.reserve(study_uid, [1001])
    ledger.reserve(study_uid, [1002])
    assert ledger.used_numbers(study_uid) == {1, 2, 1001, 1002}
    assert not ledger.used_numbers("1.9")


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ((), ExitCode.NOTHING_WRITTEN),
        (("refused",), ExitCode.NOTHING_WRITTEN),
        (("denoised", "refused"), ExitCode.WRITTEN),
        (("denoised", "failed"), ExitCode.FAILED),
        (("refused", "failed"), ExitCode.FAILED),
    ],
)
def test_the_verdict(states: tuple[Status, ...], expected: ExitCode) -> None:
    assert verdict([LedgerEntry("1", "2", "CT", state) for state in states]) is expected


def outcome_of(source: Source, error: Exception) -> LedgerEntry:
    def work() -> LedgerEntry:
        raise error

    return within_boundary(source, work)


def test_a_refusal_keeps_its_sentence(sources: tuple[Source, ...]) -> None:
    entry = outcome_of(sources[0], NoTissueError("all black"))
    assert (entry.status, entry.reason) == ("refused", "no grey B-mode tissue to denoise: all black")


def test_a_failure_reports_type_and_location_but_not_its_text(sources: tuple[Source, ...]) -> None:
    entry = outcome_of(sources[0], KeyError(CANARY))
    assert entry.status == "failed"
    assert entry.reason.startswith("KeyError at test_ledger.py:")


def test_the_system_error_of_a_failure_is_reported(sources: tuple[Source, ...]) -> None:
    entry = outcome_of(sources[0], OSError(errno.ENOSPC, CANARY))
    assert entry.reason.startswith("OSError (No space left on device) at ")


def test_with_few_of_its_steps_a_fit_is_called_an_initial_estimate() -> None:
    def summary(taken: int) -> FitSummary:
        record = FitRecord("NS-N2N", "default", "cpu", "float32", "one thread", 0, 100, taken, {})
        return FitSummary((record,), {}, {}, 0.0)

    methods = [provenance_of(summary(taken), 100, "1", DerivedSettings()).method for taken in (100, 10, 9)]
    assert methods == ["NS-N2N", "NS-N2N", "initial estimate of NS-N2N"]
