"""Every series that was found, and its outcome, so that none is lost in silence.

``found`` once, ``record`` once per series, ``settle`` after the run.
"""

from collections import Counter
from collections.abc import Iterable

from operators.dicom.reading import Unread
from operators.messages import LedgerEntry, entry_of, key_of
from operators.sources.source import Source

LOST = "the pipeline reported no outcome for this series"


class RecordedTwiceError(RuntimeError):
    """A series reached two ends of the graph."""

    def __init__(self, series_uid: str) -> None:
        super().__init__(f"series {series_uid} was recorded twice; each series may have only one outcome")


class Ledger:
    """The series of one run."""

    def __init__(self) -> None:
        self._found: tuple[Source, ...] = ()
        self._entries: dict[tuple[str, str], LedgerEntry] = {}
        self._reserved: dict[str, frozenset[int]] = {}  # series numbers by study
        self.unread: dict[str, int] = {}  # files by the reason they could not be read

    def found(self, series: Iterable[Source], unread: Iterable[Unread]) -> None:
        """Enter what the input holds."""
        self._found = tuple(series)
        self.unread = dict(sorted(Counter(file.reason for file in unread).items()))

    def used_numbers(self, study_uid: str) -> frozenset[int]:
        """Return the series numbers taken in a study: found, reserved, or written so far."""
        numbers = {series.number for series in self._found if series.study_uid == study_uid}
        entries = (entry for entry in self._entries.values() if entry.study_uid == study_uid)
        written = {series.series_number for entry in entries for series in entry.written}
        reserved = self._reserved.get(study_uid, frozenset())
        return reserved.union(number for number in numbers | written if number is not None)

    def reserve(self, study_uid: str, numbers: Iterable[int]) -> None:
        """Take series numbers for what is not written yet."""
        self._reserved[study_uid] = self._reserved.get(study_uid, frozenset()).union(numbers)

    def record(self, entry: LedgerEntry) -> None:
        """Enter the outcome of a series.

        Raises:
            RecordedTwiceError: it has an entry already.
        """
        if key_of(entry) in self._entries:
            raise RecordedTwiceError(entry.series_uid)
        self._entries[key_of(entry)] = entry

    def settle(self) -> tuple[LedgerEntry, ...]:
        """Return one entry for each series found, in the order found; a series without one has failed."""
        return tuple(self._entries.get(key_of(series)) or entry_of(series, "failed", LOST) for series in self._found)
