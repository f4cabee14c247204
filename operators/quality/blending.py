"""Blend the original back into an output, and remember how much of it was restored where."""

from dataclasses import dataclass, field

import numpy as np
from skimage.measure import block_reduce

from operators.quality.bias import Images, Mask

RestoredMap = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]  # percent restored, in blocks of COARSE x COARSE pixels
COARSE = 4  # pixels; fine enough for a picture, a sixteenth of the memory
NOTABLE = 0.1  # of the original, from which a voxel counts as restored
Box = tuple[slice, ...] | int


@dataclass(frozen=True, eq=False)
class Blend:
    """An output into which the original is blended, in place; both (slices, rows, columns), real units.

    Attributes:
        before: the original.
        images: the output, changed by `restore` in place: a copy of all would exceed the memory that a fit needs.
        fraction: of the original in each voxel by now, the same shape, half precision.
        outputs: the slices that were changed, as they were, by index.
    """

    before: Images
    images: Images
    fraction: np.ndarray[tuple[int, ...], np.dtype[np.float16]]
    outputs: dict[int, Images] = field(default_factory=dict)

    def restore(self, box: Box, fraction: Images | np.float32) -> None:
        """Blend so much of the original into one part of the output."""
        first = box if isinstance(box, int | np.integer) else box[0]
        chosen = range(len(self.images))[first] if isinstance(first, slice) else (int(first),)
        for index in chosen:
            if index not in self.outputs:
                self.outputs[index] = self.images[index].copy()
        self.images[box] += fraction * (self.before[box] - self.images[box])
        self.fraction[box] = 1 - (1 - self.fraction[box].astype(np.float32)) * (1 - fraction)

    def undo(self) -> None:
        """Give the output back as it was."""
        for index, output in self.outputs.items():
            self.images[index] = output

    def coarse(self) -> RestoredMap:
        """Return the largest percent that was restored in each block of pixels, (slices, rows / 4, columns / 4)."""
        blocks = [block_reduce(fraction, (COARSE, COARSE), np.max) for fraction in self.fraction]
        return np.asarray(np.rint(100 * np.stack(blocks)), np.uint8)

    def percent(self, tissue: Mask) -> float:
        """Return the percent of the tissue's voxels that were restored notably."""
        inside = np.count_nonzero(tissue)
        return 100 * np.count_nonzero((self.fraction >= NOTABLE) & tissue) / inside if inside else 0.0


def restored_at(restored: RestoredMap, index: int, shape: tuple[int, ...]) -> Images:
    """Return the fraction that was restored in each pixel of one slice (rows, columns)."""
    blocks = np.repeat(np.repeat(restored[index], COARSE, axis=0), COARSE, axis=1)
    return np.asarray(blocks[: shape[0], : shape[1]] / 100, np.float32)


def blend_of(before: Images, after: Images) -> Blend:
    """Return a blend that changes ``after`` itself, nothing restored yet."""
    return Blend(before, after, np.zeros(after.shape, np.float16))
