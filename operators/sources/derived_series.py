"""A derived series: planned, so that its report can name it, then written."""

from dataclasses import dataclass
from typing import Literal

from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.provenance import Provenance

Kind = Literal["denoised", "removed part", "noise map", "report"]  # of what is written
DERIVED_NIFTI = ".nii.gz"  # ending of a derived file that is not of DICOM


@dataclass(frozen=True)
class SeriesPlan:
    """A derived series before it is written: its identity, how it is made, and how it is named."""

    series_uid: str  # of NIfTI the name of the file
    series_number: int | None  # None in NIfTI
    provenance: Provenance
    naming: DerivedSettings
    used_numbers: frozenset[int]  # the series numbers of the study that were taken before this one

    @property
    def strength(self) -> float:
        """Percent of the change that is applied."""
        return self.provenance.strength

    @property
    def stem(self) -> str:
        """The stem of the names of all files that belong to it."""
        return self.series_uid.removesuffix(DERIVED_NIFTI)


@dataclass(frozen=True)
class WrittenSeries:
    """A derived series in the output folder."""

    series_uid: str
    strength: float  # percent of the change that was applied
    files: int
    series_number: int | None = None  # None in NIfTI
    kind: Kind = "denoised"
