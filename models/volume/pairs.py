"""Random pairs of neighbouring crops of one volume, drawn where there is tissue."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from models.volume.measured_volume import MeasuredVolume
from models.volume.noise.noise_level import MAP_STEP

CROPS, SIDE = 8, 64  # pairs in a batch, pixels a side
TISSUE_FRACTION = 0.25  # of a crop must exceed the tissue threshold, else another is drawn
TRIES = 8  # crops drawn at most; a volume may hold hardly any tissue
ORIENTATIONS = 8  # of a square: mirrored or not along rows, columns and the diagonal
TISSUE_STEP = 4  # pixels between those by which the tissue of a crop is judged

Place = tuple[int, int, int, int]  # slice i, slice j, top and left of a crop


@dataclass(frozen=True)
class SlicePair:
    """A batch of pairs of crops, each (B, 1, S, S).

    Attributes:
        x_i: crops of slices i, in the network's units.
        x_j: the same crops of slices i + gap or i - gap.
        relative_noise: of slice i.
        valid: 1 where neither slice is padding, else 0.
        guides: guide images of both slices, where guides were given.
    """

    x_i: Tensor
    x_j: Tensor
    relative_noise: Tensor
    valid: Tensor
    guides: tuple[Tensor, Tensor] | None


class PairDrawer:
    """Draws batches of pairs of slices ``gap`` apart with a generator of its own."""

    def __init__(self, volume: MeasuredVolume, guides: Tensor | None, *, gap: int, seed: int) -> None:
        """Take guide images, (slices, channels, rows, columns), or None."""
        self.volume, self.guides, self.gap = volume, guides, gap
        self.size = (min(SIDE, volume.size[0]), min(SIDE, volume.size[1]))
        self.generator = torch.Generator().manual_seed(seed)

    def draw(self) -> SlicePair:
        """Return the next batch, on the device of the volume, in an orientation drawn at random.

        In one orientation alone a network learns a small volume by heart, noise and all.
        """
        places, scaling, valid = [self._place() for _ in range(CROPS)], self.volume.scaling, self.volume.valid
        x_i, x_j = (scaling.scaled(self._cut(self.volume.voxels, places, end)) for end in (0, 1))
        noise = torch.stack([scaling.relative_noise_at(i, top, left, self.size) for i, _, top, left in places])
        both_valid = (self._cut(valid, places, 0) & self._cut(valid, places, 1)).float()
        turned = partial(in_orientation, self._integer(ORIENTATIONS))
        guides = None
        if self.guides is not None:
            guides = (turned(self._cut(self.guides, places, 0)), turned(self._cut(self.guides, places, 1)))
        return SlicePair(turned(x_i), turned(x_j), turned(noise), turned(both_valid), guides)

    def _place(self) -> Place:
        for _ in range(TRIES):
            i, j = self._neighbours(len(self.volume.voxels))
            top, left = (self._start(length, side) for length, side in zip(self.volume.size, self.size, strict=True))
            rows, columns = (slice(at, at + side, TISSUE_STEP) for at, side in zip((top, left), self.size, strict=True))
            crop = self.volume.voxels[i, 0, rows, columns]
            if float((crop > self.volume.tissue.threshold).float().mean()) >= TISSUE_FRACTION:
                break
        return i, j, top, left

    def _neighbours(self, slices: int) -> tuple[int, int]:
        first = self._integer(slices - self.gap)
        return (first, first + self.gap) if self._integer(2) else (first + self.gap, first)

    def _start(self, length: int, side: int) -> int:
        return MAP_STEP * self._integer((length - side) // MAP_STEP + 1)

    def _integer(self, limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=self.generator))

    def _cut(self, source: Tensor, places: list[Place], end: int) -> Tensor:
        rows, columns = self.size
        return torch.stack([source[p[end], :, p[2] : p[2] + rows, p[3] : p[3] + columns] for p in places])


def in_orientation(number: int, x: Tensor) -> Tensor:
    """Return (B, 1, H, W) in one of its eight orientations: 0 as it is, from 4 on with H and W swapped."""
    for bit, dim in ((1, -1), (2, -2)):
        x = x.flip(dim) if number & bit else x
    return x.transpose(-1, -2) if number & 4 else x
