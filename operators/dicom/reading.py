"""Read one study: a folder of any depth, or one file, into series of instances, without pixel data.

In: a path. Out: a ``Study``; every file ends in a ``Series`` or among ``unread``, save the neighbours that
hosts lay beside images. A series that must not be denoised as a whole carries the reason in ``refusal``.
Nothing depends on file names or on their order, and no message holds one.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset

from operators.dicom.classes import MODALITY_OF_CLASS, REFUSED_IMAGES
from operators.dicom.duplicates import same_object
from operators.dicom.errors import ConflictingDuplicatesError, NotAnImageError, Refusal, TooLargeError
from operators.dicom.files import UnreadableError, input_files, read_dataset
from operators.dicom.values import integer, text

UID_FORM = re.compile(r"[0-9.]{1,64}")  # PS3.5 9.1; anything else could carry text into a log


@dataclass(frozen=True)
class ReadingLimits:
    """What one input may ask for before a byte of pixels is decoded."""

    values_per_instance: int = 2**29  # rows x columns x frames x samples; twice a CT of 1000 slices


@dataclass(frozen=True, eq=False)
class Instance:
    """One SOP instance: where it lies, and its header without pixels. Compared by identity."""

    path: Path = field(repr=False)
    header: Dataset = field(repr=False)

    @property
    def uid(self) -> str:
        """SOP Instance UID."""
        return text(self.header, "SOPInstanceUID")

    @property
    def sop_class(self) -> str:
        """SOP Class UID."""
        return text(self.header, "SOPClassUID")

    @property
    def rows(self) -> int:
        """Rows, 0 where there are no pixels."""
        return integer(self.header, "Rows") or 0

    @property
    def columns(self) -> int:
        """Columns, 0 where there are no pixels."""
        return integer(self.header, "Columns") or 0

    @property
    def frame_count(self) -> int:
        """Frames, 1 for a single-frame image."""
        return integer(self.header, "NumberOfFrames") or 1

    @property
    def samples(self) -> int:
        """Samples per pixel, 1 for grey and palette."""
        return integer(self.header, "SamplesPerPixel") or 1

    @property
    def voxel_count(self) -> int:
        """Pixels of all frames, before decoding."""
        return self.rows * self.columns * self.frame_count


@dataclass(frozen=True, eq=False)
class Series:
    """The instances of one series, by SOP Instance UID, and why they are refused as a whole, if they are."""

    instances: tuple[Instance, ...]
    refusal: Refusal | None

    @property
    def uid(self) -> str:
        """Series Instance UID."""
        return text(self.instances[0].header, "SeriesInstanceUID")

    @property
    def study_uid(self) -> str:
        """Study Instance UID, empty where absent."""
        return text(self.instances[0].header, "StudyInstanceUID")

    @property
    def modality(self) -> str:
        """CT, MR, PT or US by storage class; for any other class what the header says, if it is a code."""
        first = self.instances[0]
        written = text(first.header, "Modality")
        return MODALITY_OF_CLASS.get(first.sop_class) or (written if re.fullmatch(r"[A-Z]{2,16}", written) else "")

    @property
    def number(self) -> int | None:
        """Series number."""
        return integer(self.instances[0].header, "SeriesNumber")

    @property
    def voxel_count(self) -> int:
        """Pixels of all frames of all instances, before decoding; 0 for a refused series."""
        return 0 if self.refusal else sum(instance.voxel_count for instance in self.instances)

    def check(self) -> None:
        """Raise the reason for which the series is refused as a whole, if there is one."""
        if self.refusal is not None:
            raise self.refusal


@dataclass(frozen=True)
class Unread:
    """A file that belongs to no series; the reason holds neither its name nor its content."""

    reason: str


@dataclass(frozen=True)
class Study:
    """What an input holds: series by study, number and UID, and the files that are none."""

    series: tuple[Series, ...]
    unread: tuple[Unread, ...]

    def series_numbers(self, study_uid: str) -> frozenset[int]:
        """The series numbers used in one study, so that a new one can stay clear of them."""
        numbers = (_number(series) for series in self.series if series.study_uid == study_uid)
        return frozenset(number for number in numbers if number is not None)


def read_study(path: Path, limits: ReadingLimits | None = None) -> Study:
    """Read the headers of a folder of any depth, or of one file.

    Raises:
        OSError: the path itself cannot be listed.
    """
    found: dict[tuple[str, str], list[Instance]] = defaultdict(list)
    unread = []
    for file in input_files(path):
        try:
            instance = _read_instance(file)
        except (UnreadableError, Refusal) as error:
            unread.append(Unread(str(error)))
        else:
            key = (text(instance.header, "StudyInstanceUID"), text(instance.header, "SeriesInstanceUID"))
            found[key].append(instance)
    series = [_series(instances, limits or ReadingLimits()) for instances in found.values()]
    return Study(tuple(sorted(series, key=_order)), tuple(sorted(unread, key=lambda one: one.reason)))


def _read_instance(file: Path) -> Instance:
    instance = Instance(file, read_dataset(file, header_only=True))
    for keyword in ("SOPInstanceUID", "SeriesInstanceUID"):
        uid = text(instance.header, keyword)
        if not UID_FORM.fullmatch(uid):
            raise UnreadableError(f"a DICOM file whose {keyword} is " + ("not a UID" if uid else "absent"))
    return instance


def _series(instances: Iterable[Instance], limits: ReadingLimits) -> Series:
    ordered = sorted(instances, key=lambda instance: instance.uid)
    try:
        for instance in ordered:
            _check_instance(instance, limits)
        kept = tuple(_without_duplicates(ordered))
    except Refusal as refusal:
        return Series(tuple(ordered), refusal)
    return Series(kept, None)


def _without_duplicates(ordered: list[Instance]) -> Iterator[Instance]:
    previous: Instance | None = None
    for instance in ordered:
        if previous is None or instance.uid != previous.uid:
            yield instance
            previous = instance
        elif not same_object(previous.path, instance.path):
            raise ConflictingDuplicatesError(instance.uid)


def _check_instance(instance: Instance, limits: ReadingLimits) -> None:
    if instance.sop_class in REFUSED_IMAGES:
        raise NotAnImageError(instance.sop_class, REFUSED_IMAGES[instance.sop_class])
    if instance.sop_class not in MODALITY_OF_CLASS:
        raise NotAnImageError(instance.sop_class)
    if instance.voxel_count * instance.samples > limits.values_per_instance:
        size = (instance.rows, instance.columns, instance.frame_count, instance.samples)
        raise TooLargeError(*size, limits.values_per_instance)


def _number(series: Series) -> int | None:
    try:
        return series.number
    except Refusal:
        return None


def _order(series: Series) -> tuple[str, int, str]:
    return series.study_uid, _number(series) or 0, series.uid
