"""What DICOM series of volumes and of ultrasound clips have in common: identity, numbers, and how files are saved."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydicom.dataset import Dataset

from operators.dicom.attributes import series_number
from operators.dicom.encapsulated_pdf import Reported, encapsulated_pdf
from operators.dicom.parts import Part
from operators.dicom.provenance import DerivedSettings, Provenance
from operators.dicom.reading import Instance, Series
from operators.sources.derived_series import Kind, SeriesPlan, WrittenSeries
from operators.sources.image import Images
from operators.sources.source import METHOD_OF_MODALITY, Key


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
        """Pixels of all frames; 0 for a refused series."""
        return self.series.voxel_count

    @property
    def headers(self) -> tuple[Dataset, ...]:
        """Of each instance."""
        return tuple(instance.header for instance in self.series.instances)

    @property
    def takes_pdf(self) -> bool:
        """A PDF is an object of the study as any other."""
        return True

    def check(self) -> None:
        """Raise the reason for which the series is refused as a whole, if there is one."""
        self.series.check()

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
