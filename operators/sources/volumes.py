"""A DICOM series of CT, MR or PET slices: each of its volumes is one image, known by its `Stack`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

from pydicom.dataset import Dataset

from models.volume.dct import FEWEST_SLICES
from operators.dicom.deriving import derive_volume_series
from operators.dicom.errors import UnusableValueError
from operators.dicom.geometry import Stack, Volumes, volumes_in
from operators.dicom.parts import Part, can_be_parted, derive_part, part_derivation
from operators.dicom.pixels import images_among, read_volume
from operators.dicom.study import Instance
from operators.dicom.values import numbers, text
from operators.sources.derived_series import SeriesPlan, WrittenSeries
from operators.sources.dicom_series import DicomSeries, saved
from operators.sources.image import Display, Image, Images
from operators.sources.source import Key, Size

PET_UNITS = {"BQML": "Bq/ml", "CNTS": "counts", "GML": "g/ml"}  # by the header's code, as a reader writes them
NARROWEST_WINDOW = 1.0  # values; PS3.3 C.11.2.1.2 allows none below


@dataclass(frozen=True, eq=False)
class VolumeSeries(DicomSeries):
    """A series of one or several volumes; also one of any other modality, which is refused before it is read."""

    @cached_property
    def _volumes(self) -> Volumes:
        return images_among(volumes_in(self.series, FEWEST_SLICES))

    @property
    def display(self) -> Display:
        """Unit and window as the first header gives them."""
        header = self.headers[0]
        window = _window(header)
        inverse = window is not None and text(header, "PhotometricInterpretation") == "MONOCHROME1"
        return Display("HU" if self.modality == "CT" else _unit(header), window, inverse)

    def sizes(self) -> Mapping[Key, Size]:
        """Return the slices of each volume and the voxels of one."""
        return {stack: _size(stack) for stack in self._volumes.stacks}

    def label(self, key: Key) -> str:
        """Return what the header distinguishes a volume by."""
        return cast(Stack, key).label

    def read(self, key: Key, indices: Sequence[int] | None = None) -> Image:
        """Decode a volume, or some of its slices."""
        stack = cast(Stack, key)
        volume = read_volume(stack if indices is None else stack.taken(indices))
        return Image(volume.voxels, volume.valid, volume.spacing)

    def write_part(
        self, part: Part, images: Mapping[Key, Images], noise_sd: float, plan: SeriesPlan, folder: Path
    ) -> WrittenSeries | None:
        """Write one part of the change; of enhanced objects there is none."""
        if not can_be_parted(self.series):
            return None
        stacks = cast(Mapping[Stack, Images], images)
        derivation = part_derivation(self.series, part, plan.provenance, plan.naming, plan.used_numbers)
        datasets = derive_part(self.series, stacks, part, noise_sd, derivation)
        return saved(datasets, plan, part.word, folder)

    def _examine(self) -> None:
        self.sizes()

    def _left_out(self) -> Counter[str]:
        return self._volumes.left_out

    def _image_count(self, key: Key) -> int:
        return len(cast(Stack, key).places)

    def _derived(self, images: Mapping[Key, Images], plan: SeriesPlan) -> Iterator[Dataset]:
        stacks = cast(Mapping[Stack, Images], images)
        return derive_volume_series(self.series, stacks, plan.provenance, plan.naming, plan.used_numbers)

    def _denoised(self, images: Mapping[Key, Images]) -> frozenset[Instance]:
        stacks = cast(Mapping[Stack, Images], images)
        return frozenset(place.instance for stack in stacks for place in stack.places)


def _size(stack: Stack) -> Size:
    first = stack.places[0].instance
    return len(stack.places), first.rows * first.columns


def _unit(header: Dataset) -> str:
    """The unit of PET; MR has none."""
    try:
        return PET_UNITS.get(text(header, "Units"), "")
    except UnusableValueError:
        return ""


def _window(header: Dataset) -> tuple[float, float] | None:
    """What is shown black and white, None where the header gives no window that can be used."""
    try:
        centre, width = numbers(header, "WindowCenter"), numbers(header, "WindowWidth")
    except UnusableValueError:
        return None
    if not centre or not width or width[0] < NARROWEST_WINDOW:
        return None
    return centre[0] - width[0] / 2, centre[0] + width[0] / 2
