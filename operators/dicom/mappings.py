"""From stored to real values and back: a rescale slope, or a modality look-up table (PS3.3 C.11.1)."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.valuerep import format_number_as_ds

from operators.dicom.errors import UnusableValueError
from operators.dicom.values import integer, items, number, numbers, required_integer, value

Stored = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]
DS_STEP = 1e-9  # relative, coarser than 16 characters of a decimal string: a grown slope is never rounded too low


@dataclass(frozen=True)
class Linear:
    """Real = slope x stored + intercept."""

    slope: float = 1.0
    intercept: float = 0.0

    def real(self, stored: Stored) -> Real:
        """Return the real values."""
        return np.asarray(stored * self.slope + self.intercept)

    def moved(self, stored: Stored, change: Real) -> Stored:
        """Return the stored values nearest to the real values after the change."""
        return np.asarray(stored + np.rint(change / self.slope).astype(np.int64))


@dataclass(frozen=True, eq=False)
class Table:
    """Real values listed for stored values from ``first`` on; beyond the ends the end values hold."""

    first: int
    entries: Real

    def real(self, stored: Stored) -> Real:
        """Return the real values."""
        return np.asarray(self.entries[np.clip(stored - self.first, 0, len(self.entries) - 1)])

    def moved(self, stored: Stored, change: Real) -> Stored:
        """Return the stored values whose entries are nearest to the real values after the change."""
        wanted = self.real(stored) + change
        order = np.argsort(self.entries, kind="stable")
        above = np.clip(np.searchsorted(self.entries[order], wanted), 1, len(order) - 1)
        lower, upper = order[above - 1], order[above]
        nearer = np.where(wanted - self.entries[lower] <= self.entries[upper] - wanted, lower, upper)
        return np.asarray(np.where(change == 0, stored, nearer + self.first))


def mapping_of(header: Dataset) -> Linear | Table:
    """Return the mapping of a frame, from its flat header."""
    for item in items(header, "ModalityLUTSequence")[:1]:
        return _table(item, header)
    slope, intercept = number(header, "RescaleSlope"), number(header, "RescaleIntercept")
    if slope == 0:
        raise UnusableValueError("RescaleSlope")
    return Linear(1.0 if slope is None else slope, intercept or 0.0)


def _table(item: Dataset, header: Dataset) -> Table:
    descriptor, data = _whole_numbers(item, "LUTDescriptor", header), _whole_numbers(item, "LUTData", header)
    if len(descriptor) != 3 or len(data) < max(2, descriptor[0]):
        raise UnusableValueError("LUTDescriptor")
    first, entries = _as_stored(descriptor[1], header), np.array(data[: descriptor[0] or 2**16], np.float64)
    return Table(first, entries)


def _whole_numbers(dataset: Dataset, keyword: str, header: Dataset) -> list[int]:
    """Return numbers of an attribute that is US, SS or OW; implicit syntaxes do not say which."""
    numeric = value(dataset, keyword)
    if isinstance(numeric, bytes):
        order = "<u2" if header.original_encoding[1] is not False else ">u2"
        return [int(word) for word in np.frombuffer(numeric[: len(numeric) // 2 * 2], order)]
    return [int(word) for word in numbers(dataset, keyword) or ()]


def _as_stored(word: int, header: Dataset) -> int:
    """Return a number of the header read as the pixels are: masked, signed or not."""
    mask: int = 2 ** required_integer(header, "BitsAllocated", "padding has as many") - 1
    signed = bool(integer(header, "PixelRepresentation")) and (word & mask) > mask // 2
    return (word & mask) - (mask + 1 if signed else 0)


def padding_of(header: Dataset) -> tuple[int, int] | None:
    """Return the first and the last stored value that mean padding, None where none does."""
    ends = [
        _as_stored(word, header)
        for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
        for word in _whole_numbers(header, keyword, header)[:1]
    ]
    return (min(ends), max(ends)) if ends else None


def grown_for(mapping: Linear | Table, real: Real, limits: tuple[int, int]) -> Linear | None:
    """Return a mapping whose stored range holds the real values, None where the old one does or none can."""
    if isinstance(mapping, Table) or not real.size:
        return None
    least, most = limits
    stored = (real - mapping.intercept) / mapping.slope
    factor = max(float(stored.max()) / most, float(stored.min()) / least if least else 0.0)
    if factor <= 1 + 0.5 / most:
        return None
    slope = float(format_number_as_ds(mapping.slope * factor * (1 + DS_STEP)))
    return Linear(slope, mapping.intercept)
