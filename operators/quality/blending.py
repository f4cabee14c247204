"""Blend the original back into an output, and remember how much of it was restored where."""

from dataclasses import dataclass, field

import numpy as np
from skimage.measure import block_reduce

from operators.quality.bias import Images, Mask

RestoredMap = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]  # percent restored, in blocks of COARSE x COARSE pixels
COARSE = 4  # pixels; fine enough for a picture, a sixteenth of the memory
NOTABLE = 0.1  # of the original, from which a voxel counts as restored
WHOLE = 255  # of the original, as `Blend.fraction` counts it
Box = tuple[slice, ...] | int
Indices = np.ndarray[tuple[int], np.dtype[np.uint32]]


@dataclass(frozen=True, eq=False)
class Blend:
    """An output into which the original is blended, in place; both (slices, rows, columns), real units.

    Attributes:
        before: the original.
        images: the output, changed by `restore` in place: a copy of all would exceed the memory that a fit needs.
        fraction: of the original in each voxel by now, the same shape, in parts of ``WHOLE``.
        replaced: what `undo` puts back: parts of the output, indices into them, and the values there before.
    """

    before: Images
    images: Images
    fraction: np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
    replaced: list[tuple[Box, Indices, Images]] = field(default_factory=list)

    def restore(self, box: Box, fraction: Images) -> None:
        """Blend so much of the original into one part of the output."""
        known, images = self.fraction[box], self.images[box]
        changed = np.flatnonzero((known == 0) & (fraction > 0)).astype(np.uint32)
        self.replaced.append((box, changed, np.take(images, changed)))
        images += fraction * (self.before[box] - images)
        known[...] = np.rint(WHOLE - (WHOLE - known.astype(np.float32)) * (1 - fraction))

    def undo(self) -> None:
        """Give the output back as it was."""
        for box, indices, values in reversed(self.replaced):
            np.put(self.images[box], indices, values)

    def coarse(self) -> RestoredMap:
        """Return the largest percent that was restored in each block of pixels, (slices, rows / 4, columns / 4)."""
        blocks = [block_reduce(fraction, (COARSE, COARSE), np.max) for fraction in self.fraction]
        return np.asarray(np.rint(100 / WHOLE * np.stack(blocks)), np.uint8)

    def percent(self, tissue: Mask) -> float:
        """Return the percent of the tissue's voxels that were restored notably."""
        inside = np.count_nonzero(tissue)
        return 100 * np.count_nonzero((self.fraction >= NOTABLE * WHOLE) & tissue) / inside if inside else 0.0


def restored_at(restored: RestoredMap, index: int, shape: tuple[int, ...]) -> Images:
    """Return the fraction that was restored in each pixel of one slice (rows, columns)."""
    blocks = np.repeat(np.repeat(restored[index], COARSE, axis=0), COARSE, axis=1)
    return np.asarray(blocks[: shape[0], : shape[1]] / 100, np.float32)


def blend_of(before: Images, after: Images) -> Blend:
    """Return a blend that changes ``after`` itself, nothing restored yet."""
    return Blend(before, after, np.zeros(after.shape, np.uint8))
