"""Blend the original back into an output, and remember how much of it was restored where."""

from dataclasses import dataclass, field

import numpy as np

from operators.quality.bias import Images, Mask

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

    def percent(self, tissue: Mask) -> float:
        """Return the percent of the tissue's voxels that were restored notably."""
        inside = np.count_nonzero(tissue)
        return 100 * np.count_nonzero((self.fraction >= NOTABLE) & tissue) / inside if inside else 0.0


def blend_of(before: Images, after: Images) -> Blend:
    """Return a blend that changes ``after`` itself, nothing restored yet."""
    return Blend(before, after, np.zeros(after.shape, np.float16))
