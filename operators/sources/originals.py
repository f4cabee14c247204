"""The original images of a series after its fit: some still in memory, the others decoded again.

Check and report need them. The original of a series of one volume stays in memory as the fit has decoded it: the fit
holds it anyway. Several volumes stay while they are small; a long time series is decoded again, one volume at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from operators.sources.image import Image
from operators.sources.source import Key, Source

MEMORY_VOXELS = 2**26  # of a series of several images: 0.3 GB, beside the 0.8 GB that the process takes without any


@dataclass(frozen=True, eq=False)
class Originals:
    """The images of one source before they were denoised; those in memory can't be written to."""

    source: Source
    in_memory: Mapping[Key, Image] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for image in self.in_memory.values():
            image.values.setflags(write=False)
            image.valid.setflags(write=False)

    def read(self, key: Key, indices: Sequence[int] | None = None) -> Image:
        """Return one image, or some of its slices or frames."""
        image = self.in_memory.get(key)
        if image is None:
            return self.source.read(key, indices)
        return image if indices is None else image.taken(indices)


def may_stay(images: int, voxels: int) -> bool:
    """Return whether the originals of a series of so many images with so many voxels in all may stay in memory."""
    return images == 1 or voxels <= MEMORY_VOXELS
