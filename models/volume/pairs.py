"""Random pairs of neighbouring crops of one volume, drawn where there is tissue."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from models.volume.noise.noise_level import LEVEL_STEP
from models.volume.scaling import Scaling

CROPS, SIDE = 8, 64  # pairs in a batch, pixels a side
TISSUE_FRACTION = 0.25  # of a crop must exceed the tissue threshold, else another is drawn
TRIES = 8  # crops drawn at most; a volume may hold hardly any tissue
ORIENTATIONS = 8  # of a square: mirrored or not along rows, columns and the diagonal
EVERY = 4  # pixels between those looked at to judge a crop


@dataclass(frozen=True)
class SlicePair:
    """A batch of pairs; all but the indices are (B, 1, S, S).

    Attributes:
        x_i: crops of slices i, in the network's units.
        x_j: the same crops of slices i + gap or i - gap.
        level: relative noise level of slice i.
        valid: 1 where neither slice is padding, else 0.
        guides: of both slices, where guides were given.
    """

    x_i: Tensor
    x_j: Tensor
    level: Tensor
    valid: Tensor
    guides: tuple[Tensor, Tensor] | None


class PairDrawer:
    """Draws batches from (slices, 1, rows, columns) volumes with a generator of its own."""

    def __init__(
        self,
        volume: Tensor,
        valid: Tensor,
        scaling: Scaling,
        *,
        gap: int,
        threshold: float,
        seed: int,
        guides: Tensor | None = None,
    ) -> None:
        self.volume, self.valid, self.scaling, self.guides = volume, valid, scaling, guides
        self.gap, self.threshold = gap, threshold
        self.size = (min(SIDE, volume.shape[-2]), min(SIDE, volume.shape[-1]))
        self.generator = torch.Generator().manual_seed(seed)

    def draw(self) -> SlicePair:
        """The next batch, on the device of the volume, in an orientation drawn at random.

        In one orientation alone a small volume is learnt by heart, noise and all.
        """
        places = [self._place() for _ in range(CROPS)]
        x_i, x_j = (self.scaling.scaled(self._cut(self.volume, places, end)) for end in (0, 1))
        level = torch.stack([self.scaling.level_at(i, top, left, self.size) for i, _, top, left in places])
        valid = (self._cut(self.valid, places, 0) & self._cut(self.valid, places, 1)).float()
        turned = partial(in_orientation, self._integer(ORIENTATIONS))
        guides = None
        if self.guides is not None:
            guides = (turned(self._cut(self.guides, places, 0)), turned(self._cut(self.guides, places, 1)))
        return SlicePair(turned(x_i), turned(x_j), turned(level), turned(valid), guides)

    def _place(self) -> tuple[int, int, int, int]:
        """Slice i, slice j, top and left of a crop."""
        slices, _, rows, columns = self.volume.shape
        for _ in range(TRIES):
            i, j = self._neighbours(slices)
            top, left = (self._start(length, side) for length, side in zip((rows, columns), self.size, strict=True))
            crop = self.volume[i, 0, top : top + self.size[0] : EVERY, left : left + self.size[1] : EVERY]
            if float((crop > self.threshold).float().mean()) >= TISSUE_FRACTION:
                break
        return i, j, top, left

    def _neighbours(self, slices: int) -> tuple[int, int]:
        first = self._integer(slices - self.gap)
        return (first, first + self.gap) if self._integer(2) else (first + self.gap, first)

    def _start(self, length: int, side: int) -> int:
        return LEVEL_STEP * self._integer((length - side) // LEVEL_STEP + 1)

    def _integer(self, limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=self.generator))

    def _cut(self, source: Tensor, places: list[tuple[int, int, int, int]], end: int) -> Tensor:
        rows, columns = self.size
        return torch.stack([source[p[end], :, p[2] : p[2] + rows, p[3] : p[3] + columns] for p in places])


def in_orientation(number: int, x: Tensor) -> Tensor:
    """(B, 1, H, W) in one of its eight orientations, 0 as it is and the upper four with H and W swapped."""
    for bit, dim in ((1, -1), (2, -2)):
        x = x.flip(dim) if number & bit else x
    return x.transpose(-1, -2) if number & 4 else x
