"""Stored values and real values of a CT, MR or PT frame, exactly both ways.

Real = slope x stored + intercept, or a modality look-up table; per slice in PET, per frame in enhanced
objects. The way back moves each stored value by the change of its real value, so that no change gives the
stored value back for every sign, depth and slope, whatever float32 can hold. Rounding comes last and is to
the nearest; values are clipped to the stored range and stay out of the padding range.
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset
from pydicom.valuerep import format_number_as_ds

from operators.dicom.decoding import Words, decoded_frames, repacked, stored_range, unpacked
from operators.dicom.errors import UnusableValueError
from operators.dicom.frames import frame_headers, whole_dataset
from operators.dicom.geometry import Stack
from operators.dicom.reading import Instance
from operators.dicom.values import items, number, numbers, value

Stored = npt.NDArray[np.int64]
Real = npt.NDArray[np.float64]
DS_STEP = 1e-9  # relative, coarser than 16 characters of a decimal string: a grown slope is never rounded too low


@dataclass(frozen=True)
class Linear:
    """Real = slope x stored + intercept."""

    slope: float = 1.0
    intercept: float = 0.0

    def real(self, stored: Stored) -> Real:
        """The real values."""
        return np.asarray(stored * self.slope + self.intercept)

    def moved(self, stored: Stored, change: Real) -> Stored:
        """The stored values nearest to the real values after the change."""
        return np.asarray(stored + np.rint(change / self.slope).astype(np.int64))


@dataclass(frozen=True, eq=False)
class Table:
    """Real values listed for stored values from ``first`` on; beyond the ends the end values hold."""

    first: int
    entries: Real

    def real(self, stored: Stored) -> Real:
        """The real values."""
        return np.asarray(self.entries[np.clip(stored - self.first, 0, len(self.entries) - 1)])

    def moved(self, stored: Stored, change: Real) -> Stored:
        """The stored values whose entries are nearest to the real values after the change."""
        wanted = self.real(stored) + change
        order = np.argsort(self.entries, kind="stable")
        above = np.clip(np.searchsorted(self.entries[order], wanted), 1, len(order) - 1)
        lower, upper = order[above - 1], order[above]
        nearer = np.where(wanted - self.entries[lower] <= self.entries[upper] - wanted, lower, upper)
        return np.asarray(np.where(change == 0, stored, nearer + self.first))


@dataclass(frozen=True, eq=False)
class FrameScale:
    """How the words of one frame are understood."""

    header: Dataset  # of the instance
    mapping: Linear | Table
    padding: tuple[int, int] | None  # stored values from and to, both within

    def valid(self, stored: Stored) -> npt.NDArray[np.bool_]:
        """Which stored values are measured, not padding."""
        if self.padding is None:
            return np.ones(stored.shape, bool)
        return np.asarray((stored < self.padding[0]) | (stored > self.padding[1]))

    def changed(self, words: Words, denoised: npt.NDArray[np.float32], strength: float) -> Words:
        """The words after ``strength`` percent of the change from their real values to ``denoised``."""
        stored, valid, after = self._after(words, denoised, strength)
        new = self.mapping.moved(stored, after - self.mapping.real(stored))
        return self._written(words, np.where(valid, new, stored))

    def regrown(self, words: Words, denoised: npt.NDArray[np.float32], strength: float) -> tuple[Words, Linear | None]:
        """As ``changed``, but with a larger slope where the stored range would clip a value.

        Returns:
            The words, and the new mapping, None where the old one serves.
        """
        stored, valid, after = self._after(words, denoised, strength)
        grown = _grown(self.mapping, after[valid], stored_range(self.header))
        if grown is None:
            return self.changed(words, denoised, strength), None
        new = np.rint((after - grown.intercept) / grown.slope).astype(np.int64)
        return self._written(words, np.where(valid, new, stored)), grown

    def _after(
        self, words: Words, denoised: npt.NDArray[np.float32], strength: float
    ) -> tuple[Stored, npt.NDArray[np.bool_], Real]:
        """Stored values, which are valid, and the real values after the change; none where the float32 are equal."""
        stored = unpacked(words, self.header)
        before = self.mapping.real(stored)
        change = denoised.astype(np.float64) - before.astype(np.float32)
        return stored, self.valid(stored), before + strength / 100 * change

    def _written(self, words: Words, stored: Stored) -> Words:
        old = unpacked(words, self.header)
        inside = np.clip(stored, *stored_range(self.header))
        moved = np.where(self.valid(old), self._out_of_padding(inside), old)
        return repacked(words, moved, self.header)

    def _out_of_padding(self, stored: Stored) -> Stored:
        """Values that fell on padding, moved to the nearest value beside it."""
        if self.padding is None:
            return stored
        low, high = self.padding
        least, most = stored_range(self.header)
        beside = np.where((stored - low <= high - stored) & (low > least) | (high >= most), low - 1, high + 1)
        return np.asarray(np.where(self.valid(stored), stored, beside))


@dataclass(frozen=True, eq=False)
class Volume:
    """The decoded frames of one stack."""

    voxels: npt.NDArray[np.float32]  # (slices, rows, columns), real units
    valid: npt.NDArray[np.bool_]  # the same shape; False for padding


def read_volume(stack: Stack) -> Volume:
    """Decode a stack.

    Raises:
        Refusal: pixel data that are broken or have no decoder.
    """
    first = stack.places[0].instance
    shape = (len(stack.places), first.rows, first.columns)
    volume = Volume(np.empty(shape, np.float32), np.empty(shape, bool))
    slots: dict[Instance, list[tuple[int, int]]] = defaultdict(list)
    for slot, place in enumerate(stack.places):
        slots[place.instance].append((place.frame, slot))
    for instance, wanted in slots.items():
        scales = frame_scales(instance)
        ordered = sorted(wanted)
        decoded = decoded_frames(whole_dataset(instance), [frame for frame, _ in ordered])
        for (frame, slot), (words, _) in zip(ordered, decoded, strict=True):
            stored = unpacked(words, instance.header)
            volume.voxels[slot] = scales[frame].mapping.real(stored)
            volume.valid[slot] = scales[frame].valid(stored)
    return volume


def frame_scales(instance: Instance) -> tuple[FrameScale, ...]:
    """How the words of each frame are understood, in frame order."""
    padding = _padding(instance.header)
    headers = frame_headers(instance)
    return tuple(FrameScale(instance.header, _mapping(header), padding) for header in headers)


def _mapping(header: Dataset) -> Linear | Table:
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
    """Numbers of an attribute that is US, SS or OW; implicit syntaxes do not tell which."""
    found = value(dataset, keyword)
    if isinstance(found, bytes):
        order = "<u2" if header.original_encoding[1] is not False else ">u2"
        return [int(word) for word in np.frombuffer(found[: len(found) // 2 * 2], order)]
    return [int(word) for word in numbers(dataset, keyword) or ()]


def _as_stored(word: int, header: Dataset) -> int:
    """A number of the header read as the pixels are: masked, signed or not."""
    mask: int = 2 ** int(header.BitsAllocated) - 1
    signed = bool(header.get("PixelRepresentation")) and (word & mask) > mask // 2
    return (word & mask) - (mask + 1 if signed else 0)


def _padding(header: Dataset) -> tuple[int, int] | None:
    ends = [
        _as_stored(word, header)
        for keyword in ("PixelPaddingValue", "PixelPaddingRangeLimit")
        for word in _whole_numbers(header, keyword, header)[:1]
    ]
    return (min(ends), max(ends)) if ends else None


def _grown(mapping: Linear | Table, real: Real, limits: tuple[int, int]) -> Linear | None:
    """A mapping whose stored range holds the real values, None where the old one does or none can."""
    if isinstance(mapping, Table) or not real.size:
        return None
    least, most = limits
    stored = (real - mapping.intercept) / mapping.slope
    factor = max(float(stored.max()) / most, float(stored.min()) / least if least else 0.0)
    if factor <= 1 + 0.5 / most:
        return None
    slope = float(format_number_as_ds(mapping.slope * factor * (1 + DS_STEP)))
    return Linear(slope, mapping.intercept)
