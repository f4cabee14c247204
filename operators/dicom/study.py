"""What reading finds: instances, series, the study, and the files that are none. Headers only, no pixels."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.dataset import Dataset
from pydicom.tag import BaseTag

from operators.dicom.classes import MODALITIES, MODALITY_OF_CLASS
from operators.dicom.decoding import is_lossy
from operators.dicom.errors import Refusal, UnusableValueError, named
from operators.dicom.values import integer, text


@dataclass(frozen=True, eq=False)
class Instance:
    """One SOP instance: where it lies, and its header without pixels. Compared by identity."""

    path: Path = field(repr=False)
    header: Dataset = field(repr=False)
    left_out: tuple[BaseTag, ...] = ()  # attributes that cannot be written again; taken out of the header

    @property
    def uid(self) -> str:
        """SOP Instance UID."""
        return text(self.header, "SOPInstanceUID")

    @property
    def series_uid(self) -> str:
        """Series Instance UID."""
        return text(self.header, "SeriesInstanceUID")

    @property
    def study_uid(self) -> str:
        """Study Instance UID, empty where absent."""
        return text(self.header, "StudyInstanceUID")

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
    left_out: Mapping[str, int] = field(default_factory=dict)  # images of other kinds among them, by the reason
    maps: frozenset[str] = frozenset()  # the kinds of computed maps that the settings let through

    @property
    def uid(self) -> str:
        """Series Instance UID."""
        return self.instances[0].series_uid

    @property
    def study_uid(self) -> str:
        """Study Instance UID, empty where absent."""
        return self.instances[0].study_uid

    @property
    def modality(self) -> str:
        """CT, MR, PT or US by storage class; for any other class what the header says, if it is a code."""
        first = self.instances[0]
        written = text(first.header, "Modality")
        return MODALITY_OF_CLASS.get(first.sop_class) or (written if written in MODALITIES else "")

    @property
    def attributes_left_out(self) -> Mapping[str, int]:
        """Objects by the attribute that cannot be written again and is missing in what is derived of them."""
        return Counter(named(tag) for instance in self.instances for tag in instance.left_out)

    @property
    def lossy(self) -> bool:
        """Whether any object was ever compressed with loss, as far as its header says."""
        return any(is_lossy(instance.header) for instance in self.instances)

    @property
    def number(self) -> int | None:
        """Series number, None where absent or no number."""
        try:
            return integer(self.instances[0].header, "SeriesNumber")
        except UnusableValueError:
            return None

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
    """What an input holds: series by study, number and UID, and the files that hold no image."""

    series: tuple[Series, ...]
    unread: tuple[Unread, ...]
