"""What every operator may ask of a series, whatever its files are.

A `Source` holds one or several images (volumes, or ultrasound clips), each known by a key and denoised by itself.
Operators never ask for its type: ``method`` says which network is for it, and it reads, writes and files its own
objects. The keys mean something to their source alone, so that a source may also be a set over several series.
"""

from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pydicom.dataset import Dataset

from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.errors import Refusal
from operators.dicom.parts import Part
from operators.dicom.provenance import Provenance
from operators.sources.derived_series import SeriesPlan, WrittenSeries
from operators.sources.image import Display, Image, Images

Key = Hashable
Size = tuple[int, int]  # slices or frames of an image, and the pixels of one

METHOD_OF_MODALITY = {"CT": "volume", "MR": "volume", "PT": "volume", "US": "ultrasound"}  # by modality


class Source(Protocol):
    """One series of the input, read-only; compared by identity."""

    @property
    def uid(self) -> str:
        """What identifies it within its study."""

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
        """Which method denoises it: a value of `METHOD_OF_MODALITY`, empty where none does."""

    @property
    def instance_count(self) -> int:
        """Files that it consists of."""

    @property
    def voxel_count(self) -> int:
        """Voxels of all its images by their headers, of a refused series too."""

    @property
    def headers(self) -> Sequence[Dataset]:
        """The DICOM header of each file, none where it is not of DICOM."""

    @property
    def attributes_left_out(self) -> Mapping[str, int]:
        """How many derived objects lack an attribute that could not be written again, by keyword or tag."""

    @property
    def lossy(self) -> bool:
        """Whether its images were ever compressed with loss, as far as it says."""

    @property
    def display(self) -> Display:
        """How its images are shown."""

    @property
    def takes_pdf(self) -> bool:
        """Whether a PDF can be filed beside it, in its study."""

    @property
    def refusal(self) -> Refusal | None:
        """Why it must not be denoised as a whole, if so: all that can be known before a fit, sought once."""

    def sizes(self) -> Mapping[Key, Size]:
        """Return the size of each image that ``images`` may yield, in its order; only where it is not refused."""

    def images(self, left_out: Counter[str]) -> Iterator[tuple[Key, Image]]:
        """Decode one image after another, holding none, so that one is in memory at a time.

        Args:
            left_out: the count of slices or frames that are not denoised, by the reason; added to.

        Raises:
            Refusal: pixel data of every image turn out to be damaged.
        """

    def label(self, key: Key) -> str:
        """Return what distinguishes an image in its series, such as a b-value; empty for the only one."""

    def read(self, key: Key, indices: Sequence[int] | None = None) -> Image:
        """Decode one image, or some of its slices or frames, again."""

    def plan(self, provenance: Provenance, naming: DerivedSettings, used_numbers: frozenset[int]) -> SeriesPlan:
        """Return what the derived series with this provenance will be."""

    def write(self, images: Mapping[Key, Images], plan: SeriesPlan, folder: Path) -> WrittenSeries:
        """Write the derived series into ``folder``, a file at a time.

        Args:
            images: denoised at the plan's strength, by the keys of ``images``.
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
            images: as for ``write``; the report refers to their derived objects.
            plan: as for ``write_part``.
        """
