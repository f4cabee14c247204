"""Random pairs of neighbouring crops of one volume, drawn where there is tissue."""

from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from models.volume.measured_volume import MeasuredVolume
from models.volume.noise.noise_level import MAP_STEP

CROPS, SIDE = 8, 64  # pairs in a batch, pixels a side
TISSUE_FRACTION = 0.25  # of a crop must exceed the tissue threshold, else another is drawn
TRIES = 8  # crops drawn at most; a volume may hold hardly any tissue
ORIENTATIONS = 8  # of a square: mirrored or not along rows, columns and the diagonal

Place = tuple[int, int, int, int]  # slice i, slice j, top and left of a crop


@dataclass(frozen=True)
class SlicePair:
    """A batch of B pairs of crops of S x S pixels.

    Attributes:
        x: (2, B, 1, S, S) crops of slices i, and the same crops of slices i + gap or i - gap; in the network's units.
        relative_noise: (B, 1, S, S) of slice i.
        valid: (B, 1, S, S) bool, where neither slice is padding.
        guides: (2, B, channels, S, S) guide images of both slices, where guides were given.
    """

    x: Tensor
    relative_noise: Tensor
    valid: Tensor
    guides: Tensor | None


class PairDrawer:
    """Draws batches of pairs of slices ``gap`` apart with a generator of its own."""

    def __init__(self, volume: MeasuredVolume, guides: Tensor | None, *, gap: int, seed: int) -> None:
        """Take guide images, (slices, channels, rows, columns), or None."""
        self.volume, self.guides, self.gap = volume, guides, gap
        self.size = (min(SIDE, volume.size[0]), min(SIDE, volume.size[1]))
        self.generator = torch.Generator().manual_seed(seed)
        self.usable = _tissue_fraction(volume, self.size).ge(TISSUE_FRACTION).cpu().numpy()

    def draw(self) -> SlicePair:
        """Return the next batch, on the device of the volume, in an orientation drawn at random.

        In one orientation alone a network learns a small volume by heart, noise and all.
        """
        places, scaling = [self._place() for _ in range(CROPS)], self.volume.scaling
        turned = partial(in_orientation, self._integer(ORIENTATIONS))
        noise = scaling.relative_noise_of([(i, top, left) for i, _, top, left in places], self.size)
        valid = self._cut(self.volume.valid, places).all(dim=0)
        guides = None if self.guides is None else turned(self._cut(self.guides, places))
        return SlicePair(
            turned(scaling.scaled(self._cut(self.volume.voxels, places))), turned(noise), turned(valid), guides
        )

    def _place(self) -> Place:
        for _ in range(TRIES):
            i, j = self._neighbours(len(self.volume.voxels))
            top, left = (self._start(length, side) for length, side in zip(self.volume.size, self.size, strict=True))
            if self.usable[i, top // MAP_STEP, left // MAP_STEP]:
                break
        return i, j, top, left

    def _neighbours(self, slices: int) -> tuple[int, int]:
        first = self._integer(slices - self.gap)
        return (first, first + self.gap) if self._integer(2) else (first + self.gap, first)

    def _start(self, length: int, side: int) -> int:
        return MAP_STEP * self._integer((length - side) // MAP_STEP + 1)

    def _integer(self, limit: int) -> int:
        return int(torch.randint(limit, (1,), generator=self.generator).numpy()[0])

    def _cut(self, source: Tensor, places: list[Place]) -> Tensor:
        """Return the crops of both slices of every pair, (2, pairs, channels, rows, columns)."""
        rows, columns = self.size
        ends = ([(p[end], p[2], p[3]) for p in places] for end in (0, 1))
        crops = [source[i, :, top : top + rows, left : left + columns] for end in ends for i, top, left in end]
        return torch.stack(crops).view(2, len(places), -1, rows, columns)


def _tissue_fraction(volume: MeasuredVolume, size: tuple[int, int]) -> Tensor:
    """Return the fraction of tissue in every crop of ``size``, (slices, tops, lefts), `MAP_STEP` pixels apart."""
    sampled = (volume.voxels[..., ::MAP_STEP, ::MAP_STEP] > volume.tissue.threshold).float()
    return functional.avg_pool2d(sampled, [-(-side // MAP_STEP) for side in size], stride=1)[:, 0]


def in_orientation(number: int, x: Tensor) -> Tensor:
    """Return (..., H, W) in one of its eight orientations: 0 as it is, from 4 on with H and W swapped."""
    x = x.flip([dim for bit, dim in ((1, -1), (2, -2)) if number & bit]) if number & 3 else x
    return x.transpose(-1, -2) if number & 4 else x
