"""A DICOM series of ultrasound stills and cines: each object is one image, known by its `Instance`."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from pydicom.dataset import Dataset

from operators.dicom.cine import read_clip
from operators.dicom.deriving import derive_clip_series
from operators.dicom.regions import pixel_size
from operators.dicom.study import Instance
from operators.sources.derived_series import SeriesPlan
from operators.sources.dicom_series import DicomSeries
from operators.sources.image import Display, Image, Images
from operators.sources.source import Key, Size


@dataclass(frozen=True, eq=False)
class ClipSeries(DicomSeries):
    """A series of clips; those that hold no grey tissue are left out."""

    @property
    def display(self) -> Display:
        """Grey without a unit; names may be burned in outside the tissue."""
        return Display(only_valid=True)

    def sizes(self) -> Mapping[Key, Size]:
        """Return the frames of each clip and the pixels of one."""
        return {one: (one.frame_count, one.rows * one.columns) for one in self.series.instances}

    def read(self, key: Key, indices: Sequence[int] | None = None) -> Image:
        """Decode a clip, or some of its frames: their tissue is that of the whole clip."""
        instance = cast(Instance, key)
        clip = read_clip(instance)
        height, width = pixel_size(instance.header) or (0.0, 0.0)
        image = Image(clip.frames, clip.tissue, (0.0, height, width), clip.maximum)
        return image if indices is None else image.taken(indices)

    def _examine(self) -> None:
        """Decode clips until one has tissue; the others are examined when it is their turn."""
        next(self.images(Counter()))

    def _left_out(self) -> Counter[str]:
        return Counter()

    def _image_count(self, key: Key) -> int:
        return 1

    def _derived(self, images: Mapping[Key, Images], plan: SeriesPlan) -> Iterator[Dataset]:
        clips = cast(Mapping[Instance, Images], images)
        return derive_clip_series(self.series, clips, plan.provenance, plan.naming, plan.used_numbers)

    def _denoised(self, images: Mapping[Key, Images]) -> frozenset[Instance]:
        return frozenset(cast(Mapping[Instance, Images], images))
