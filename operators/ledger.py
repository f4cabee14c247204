"""What was found against what became of it, so that no series is ever lost in silence.

``found`` once, ``record`` once per series, ``settle`` after the run.
"""

from collections import Counter
from collections.abc import Iterable

from operators.dicom.study import Series, Study, Unread
from operators.messages import LedgerEntry, Source, entry_of, key_of
from operators.reason_codes import NO_OUTCOME

LOST = "no word came back from the pipeline about this series"


class RecordedTwiceError(RuntimeError):
    """A series reached two ends of the graph."""

    def __init__(self, series_uid: str) -> None:
        super().__init__(f"series {series_uid} was recorded twice; each series may have only one outcome")


class Ledger:
    """The book of one run."""

    def __init__(self) -> None:
        self._found: tuple[Source, ...] = ()
        self._entries: dict[tuple[str, str], LedgerEntry] = {}
        self.unread: dict[str, int] = {}  # files by the reason they could not be read

    def found(self, series: Iterable[Source], unread: Iterable[Unread]) -> None:
        """Write down what the input holds."""
        self._found = tuple(series)
        self.unread = dict(sorted(Counter(file.reason for file in unread).items()))

    def used_numbers(self, study_uid: str) -> frozenset[int]:
        """The series numbers taken in a study, by what was found and by what was written so far."""
        found = Study(tuple(series for series in self._found if isinstance(series, Series)), ())
        entries = (entry for entry in self._entries.values() if entry.study_uid == study_uid)
        written = {series.series_number for entry in entries for series in entry.written}
        return found.series_numbers(study_uid) | {number for number in written if number is not None}

    def record(self, entry: LedgerEntry) -> None:
        """Write down what became of a series.

        Raises:
            RecordedTwiceError: it has an entry already.
        """
        if key_of(entry) in self._entries:
            raise RecordedTwiceError(entry.series_uid)
        self._entries[key_of(entry)] = entry

    def settle(self) -> tuple[LedgerEntry, ...]:
        """One entry for each series found, in the order found; a series without one has failed."""
        return tuple(self._entries.get(key_of(series)) or _lost(series) for series in self._found)


def _lost(series: Source) -> LedgerEntry:
    return entry_of(series, "failed", LOST, reason_code=NO_OUTCOME)
