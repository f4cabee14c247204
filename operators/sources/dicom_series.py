"""What DICOM series of volumes and of ultrasound clips have in common: identity, numbers, and how files are saved."""

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from pydicom.dataset import Dataset

from operators.dicom.attributes import series_number
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.encapsulated_pdf import Reported, encapsulated_pdf
from operators.dicom.errors import Refusal, UnusableValueError, kept
from operators.dicom.parts import Part
from operators.dicom.provenance import Provenance
from operators.dicom.study import Instance, Series
from operators.sources.derived_series import Kind, SeriesPlan, WrittenSeries
from operators.sources.image import Image, Images
from operators.sources.source import METHOD_OF_MODALITY, Key, Size


@dataclass(frozen=True, eq=False)
class DicomSeries(ABC):
    """A series as `read_study` found it."""

    series: Series

    @property
    def uid(self) -> str:
        """Series Instance UID."""
        return self.series.uid

    @property
    def study_uid(self) -> str:
        """Study Instance UID."""
        return self.series.study_uid

    @property
    def number(self) -> int | None:
        """Series number."""
        return self.series.number

    @property
    def modality(self) -> str:
        """By storage class."""
        return self.series.modality

    @property
    def method(self) -> str:
        """By modality."""
        return METHOD_OF_MODALITY.get(self.modality, "")

    @property
    def instance_count(self) -> int:
        """SOP instances."""
        return len(self.series.instances)

    @property
    def voxel_count(self) -> int:
        """Pixels of all frames as far as headers say, 0 of the rest: it orders and prices series and judges none."""
        return sum(map(_pixels, self.series.instances))

    @property
    def headers(self) -> tuple[Dataset, ...]:
        """Of each instance."""
        return tuple(instance.header for instance in self.series.instances)

    @property
    def attributes_left_out(self) -> Mapping[str, int]:
        """Of the headers, asked before any fit."""
        return self.series.attributes_left_out

    @property
    def lossy(self) -> bool:
        """By header and transfer syntax."""
        return self.series.lossy

    @property
    def takes_pdf(self) -> bool:
        """A PDF is an object of the study as any other."""
        return True

    @cached_property
    def refusal(self) -> Refusal | None:
        """By headers, by lengths and marks of the pixel data, and by a few decoded images."""
        try:
            self.series.check()
            self._examine()
        except Refusal as refusal:
            return kept(refusal)
        return None

    def images(self, left_out: Counter[str]) -> Iterator[tuple[Key, Image]]:
        """Decode one image after another; one that is refused after all is left out, too."""
        left_out.update(self.series.left_out)
        left_out.update(self._left_out())
        refusals: list[Refusal] = []
        keys = tuple(self.sizes())
        for key in keys:
            try:
                image = self.read(key)
            except Refusal as refusal:
                refusals.append(kept(refusal))
                left_out[str(refusal)] += self._image_count(key)
            else:
                yield key, image
                del image
        if len(refusals) == len(keys):
            raise refusals[0]

    def label(self, key: Key) -> str:
        """Return nothing, unless a kind of series says otherwise."""
        return ""

    def plan(self, provenance: Provenance, naming: DerivedSettings, used_numbers: frozenset[int]) -> SeriesPlan:
        """Return what the derived series with this provenance will be."""
        number = series_number(self.headers[0], naming, used_numbers)
        return SeriesPlan(provenance.uid_for(self.uid), number, provenance, naming, used_numbers)

    def write(self, images: Mapping[Key, Images], plan: SeriesPlan, folder: Path) -> WrittenSeries:
        """Write one derived object after another."""
        return saved(self._derived(images, plan), plan, "denoised", folder)

    def write_part(
        self, part: Part, images: Mapping[Key, Images], noise_sd: float, plan: SeriesPlan, folder: Path
    ) -> WrittenSeries | None:
        """Write nothing, unless a kind of series says otherwise."""
        return None

    def write_pdf(self, pdf: bytes, images: Mapping[Key, Images], plan: SeriesPlan, folder: Path) -> WrittenSeries:
        """File a PDF that refers to every derived object."""
        denoised, provenance = self._denoised(images), plan.provenance
        references = tuple(
            (instance.sop_class, provenance.uid_for(instance.uid))
            for instance in self.series.instances
            if instance in denoised
        )
        number = series_number(self.headers[0], plan.naming, plan.used_numbers)
        reported = Reported(plan.series_uid, references)
        return saved([encapsulated_pdf(pdf, self.headers[0], reported, provenance, number)], plan, "report", folder)

    @abstractmethod
    def sizes(self) -> Mapping[Key, Size]:
        """Return the size of each image."""

    @abstractmethod
    def read(self, key: Key, indices: Sequence[int] | None = None) -> Image:
        """Decode one image, or some of its slices or frames."""

    @abstractmethod
    def _examine(self) -> None:
        """Raise the `Refusal` that can be known before a fit, if there is one."""

    @abstractmethod
    def _left_out(self) -> Counter[str]:
        """Return how many slices or frames are left out for which reason, beside those of `Series.left_out`."""

    @abstractmethod
    def _image_count(self, key: Key) -> int:
        """Return how many are left out where an image is refused."""

    @abstractmethod
    def _derived(self, images: Mapping[Key, Images], plan: SeriesPlan) -> Iterator[Dataset]:
        """Derive one object after another."""

    @abstractmethod
    def _denoised(self, images: Mapping[Key, Images]) -> frozenset[Instance]:
        """Return the instances that ``images`` replace."""


def saved(datasets: Iterable[Dataset], plan: SeriesPlan, kind: Kind, folder: Path) -> WrittenSeries:
    """Save the objects of one series, at least one, by their UIDs; one is in memory at a time."""
    uid, number, files = "", 0, 0
    for dataset in datasets:
        dataset.save_as(folder / f"{dataset.SOPInstanceUID}.dcm", enforce_file_format=True)
        uid, number, files = str(dataset.SeriesInstanceUID), int(dataset.SeriesNumber), files + 1
    return WrittenSeries(uid, plan.strength, files, number, kind)


def _pixels(instance: Instance) -> int:
    try:
        return instance.voxel_count
    except UnusableValueError:
        return 0
