"""What every operator may ask of a series, whatever its files are.

A `Source` holds one or several images (volumes, or ultrasound clips), each known by a key and denoised by itself.
Operators never ask for its type: ``method`` says which network is for it, and it reads, writes and files its own
objects. The keys mean something to their source alone, so that a source may also be a set over several series.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from operators.dicom.parts import Part
from operators.dicom.provenance import DerivedSettings, Provenance

Key = Hashable
Images = npt.NDArray[np.float32]  # (slices or frames, rows, columns)
Kind = Literal["denoised", "removed part", "noise map", "report"]  # of what is written

DERIVED_NIFTI = ".nii.gz"  # ending of a derived file that is not of DICOM
METHODS = {"CT": "volume", "MR": "volume", "PT": "volume", "US": "ultrasound"}  # by modality


@dataclass(frozen=True, eq=False)
class Image:
    """One volume or clip as it was acquired."""

    values: Images  # real units; of ultrasound stored luminance
    valid: npt.NDArray[np.bool_]  # like ``values``, False on padding; of ultrasound (rows, columns), False off tissue
    spacing: tuple[float, float, float]  # mm between slices, rows, columns; 0 where unknown, and between frames
    maximum: float = np.inf  # the largest value that can be stored

    def taken(self, indices: Sequence[int]) -> "Image":
        """Return some of its slices or frames."""
        chosen = list(indices)
        valid = self.valid if self.valid.ndim == 2 else self.valid[chosen]
        return replace(self, values=self.values[chosen], valid=valid)


@dataclass(frozen=True)
class Display:
    """How images of a source are shown to people."""

    unit: str = ""  # of the values, empty where they have none
    window: tuple[float, float] | None = None  # values shown black and white, as the header asks
    inverse: bool = False  # low values are shown white
    only_valid: bool = False  # pixels that are not valid may show a name, so they are cut away


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
        """What the names of other files that belong to it begin with."""
        return self.series_uid.removesuffix(DERIVED_NIFTI)


@dataclass(frozen=True)
class WrittenSeries:
    """A derived series in the output folder."""

    series_uid: str
    strength: float  # percent of the change that was applied
    files: int
    series_number: int | None = None  # None in NIfTI
    kind: Kind = "denoised"


class Source(Protocol):
    """One series of the input, read-only; compared by identity."""

    @property
    def uid(self) -> str:
        """What tells it from the others of its study."""

    @property
    def study_uid(self) -> str:
        """Study Instance UID, empty where there is none."""

    @property
    def number(self) -> int | None:
        """Series number, None where there is none."""

    @property
    def modality(self) -> str:
        """A defined term of DICOM, or empty."""

    @property
    def method(self) -> str:
        """Which method denoises it: a value of `METHODS`, empty where none does."""

    @property
    def instance_count(self) -> int:
        """Files that it consists of."""

    @property
    def voxel_count(self) -> int:
        """Voxels of all its images, before decoding."""

    @property
    def headers(self) -> Sequence[Dataset]:
        """The DICOM header of each file, none where it is not of DICOM."""

    @property
    def display(self) -> Display:
        """How its images are shown."""

    @property
    def takes_pdf(self) -> bool:
        """Whether a PDF can be filed beside it, in its study."""

    def check(self) -> None:
        """Raise the `Refusal` for which it must not be denoised as a whole, if there is one."""

    def sizes(self) -> Mapping[Key, int]:
        """Return the voxels of each image that ``images`` may yield, in its order, before decoding.

        Raises:
            Refusal: there is none.
        """

    def images(self, left_out: Counter[str]) -> Iterator[tuple[Key, Image]]:
        """Decode one image after another; none is kept, so that one is in memory at a time.

        Args:
            left_out: the count of slices or frames that are not denoised, by the reason; added to.

        Raises:
            Refusal: there is none.
        """

    def read(self, key: Key, indices: Sequence[int] | None = None) -> Image:
        """Decode one image, or some of its slices or frames, again."""

    def plan(self, provenance: Provenance, naming: DerivedSettings, used_numbers: frozenset[int]) -> SeriesPlan:
        """Return what the derived series with this provenance will be."""

    def write(self, images: Mapping[Key, Images], plan: SeriesPlan, folder: Path) -> WrittenSeries:
        """Write the derived series into ``folder``, a file at a time.

        Args:
            images: denoised, by the keys of ``images``; the plan's strength is applied here.
        """

    def write_part(
        self, part: Part, images: Mapping[Key, Images], noise_sd: float, plan: SeriesPlan, folder: Path
    ) -> WrittenSeries | None:
        """Write one part of the change as a series of its own; None where this kind of source has none.

        Args:
            noise_sd: of the noise before, in real units; sets the window.
            plan: of the derived series, with the series numbers that are used by now.
        """

    def write_pdf(
        self, pdf: bytes, images: Mapping[Key, Images], plan: SeriesPlan, folder: Path
    ) -> WrittenSeries | None:
        """File the report of a derived series in its study; None where there is none.

        Args:
            images: as for ``write``; they tell to which objects the report refers.
            plan: as for ``write_part``.
        """
