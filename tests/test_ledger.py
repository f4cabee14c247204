"""What was found against what became of it, and the boundary around a series."""

import errno
import time
from pathlib import Path

import pytest

from app.exit_codes import ExitCode
from app.result_json import verdict
from operators.boundary import within_boundary
from operators.dicom.errors import NoTissueError
from operators.dicom.reading import Study, Unread, read_study
from operators.ledger import LOST, Ledger, RecordedTwiceError
from operators.messages import LedgerEntry, Source, Status, WrittenSeries, entry_of
from operators.time_budget import FIXED_VOXELS, TimeSlot, TimeSpentError
from tests.small_study import CANARY, series_uid, write_series


@pytest.fixture
def study(tmp_path: Path) -> Study:
    write_series(tmp_path, "CT", 1, 1)
    write_series(tmp_path, "MR", 2, 1)
    return read_study(tmp_path)


def test_every_series_found_has_one_entry_in_the_order_found(study: Study) -> None:
    ledger = Ledger()
    ledger.found(study.series, study.unread)
    for series in reversed(study.series):
        ledger.record(entry_of(series, "refused", "why"))
    assert [entry.series_uid for entry in ledger.settle()] == [series_uid(1), series_uid(2)]


def test_a_series_that_nobody_spoke_of_has_failed(study: Study) -> None:
    ledger = Ledger()
    ledger.found(study.series, ())
    ledger.record(entry_of(study.series[0], "denoised"))
    lost = ledger.settle()[1]
    assert (lost.series_uid, lost.status, lost.reason) == (series_uid(2), "failed", LOST)
    assert verdict(ledger.settle()) is ExitCode.FAILED


def test_a_series_has_one_end(study: Study) -> None:
    ledger = Ledger()
    ledger.found(study.series, ())
    ledger.record(entry_of(study.series[0], "denoised"))
    with pytest.raises(RecordedTwiceError):
        ledger.record(entry_of(study.series[0], "refused"))


def test_unread_files_are_counted_by_reason(study: Study) -> None:
    ledger = Ledger()
    ledger.found(study.series, [Unread("b"), Unread("a"), Unread("b")])
    assert ledger.unread == {"a": 1, "b": 2}


def test_series_numbers_found_and_written_are_taken(study: Study) -> None:
    ledger = Ledger()
    ledger.found(study.series, ())
    ledger.record(entry_of(study.series[0], "denoised", written=(WrittenSeries("1.2", 100, 1, 1001),)))
    assert ledger.used_numbers(study.series[0].study_uid) == {1, 2, 1001}
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


def test_a_refusal_keeps_its_sentence(study: Study) -> None:
    entry = outcome_of(study.series[0], NoTissueError("all black"))
    assert (entry.status, entry.reason) == ("refused", "no grey B-mode tissue to denoise: all black")


def test_a_failure_tells_type_and_place_but_not_its_text(study: Study) -> None:
    entry = outcome_of(study.series[0], KeyError(CANARY))
    assert entry.status == "failed"
    assert entry.reason.startswith("KeyError at test_ledger.py:")


def test_the_system_s_word_on_a_failure_is_told(study: Study) -> None:
    entry = outcome_of(study.series[0], OSError(errno.ENOSPC, CANARY))
    assert entry.reason.startswith("OSError (No space left on device) at ")


def test_time_is_shared_by_voxels(study: Study) -> None:
    voxels = [3 * FIXED_VOXELS, 0, FIXED_VOXELS]
    slots = [TimeSlot(1000, 140).share(index, voxels) for index in range(3)]
    assert [slot.start for slot in slots] == pytest.approx([1000, 1080, 1100])
    assert [slot.seconds for slot in slots] == pytest.approx([80, 20, 40])


def test_past_the_deadline_nothing_begins(study: Study) -> None:
    with pytest.raises(TimeSpentError):
        TimeSlot(0, time.monotonic()).deadline()
    entry = outcome_of(study.series[0], TimeSpentError())
    assert (entry.status, "--time-budget" in entry.reason) == ("failed", True)
