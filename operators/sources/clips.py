"""A DICOM series of ultrasound stills and cines: each object is one image, known by its `Instance`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pydicom.dataset import Dataset

from operators.dicom.cine import read_clip
from operators.dicom.deriving import derive_clip_series
from operators.dicom.errors import Refusal
from operators.dicom.reading import Instance
from operators.dicom.regions import pixel_size
from operators.sources.derived_series import SeriesPlan
from operators.sources.dicom_series import DicomSeries
from operators.sources.image import Display, Image, Images
from operators.sources.source import Key


@dataclass(frozen=True, eq=False)
class ClipSeries(DicomSeries):
    """A series of clips; those that hold no grey tissue are left out."""

    @property
    def display(self) -> Display:
        """Grey without a unit; names may be burned in outside the tissue."""
        return Display(only_valid=True)

    def sizes(self) -> Mapping[Key, int]:
        """Return the pixels of each clip."""
        return {instance: instance.voxel_count for instance in self.series.instances}

    def images(self, left_out: Counter[str]) -> Iterator[tuple[Key, Image]]:
        """Decode one clip after another; one that is refused counts as one image left out."""
        left_out.update(self.series.left_out)
        refusals: list[Refusal] = []
        for instance in self.series.instances:
            try:
                image = self.read(instance)
            except Refusal as refusal:
                refusals.append(refusal)
                left_out[str(refusal)] += 1
            else:
                yield instance, image
                del image
        if len(refusals) == len(self.series.instances):
            raise refusals[0]

    def read(self, key: Key, indices: Sequence[int] | None = None) -> Image:
        """Decode a clip, or some of its frames: their tissue is that of the whole clip."""
        instance = cast(Instance, key)
        clip = read_clip(instance)
        height, width = pixel_size(instance.header) or (0.0, 0.0)
        image = Image(clip.frames, clip.tissue, (0.0, height, width), clip.maximum)
        return image if indices is None else image.taken(indices)

    def _derived(self, images: Mapping[Key, Images], plan: SeriesPlan) -> Iterator[Dataset]:
        clips = cast(Mapping[Instance, Images], images)
        return derive_clip_series(self.series, clips, plan.provenance, plan.naming, plan.used_numbers)

    def _denoised(self, images: Mapping[Key, Images]) -> frozenset[Instance]:
        return frozenset(cast(Mapping[Instance, Images], images))
