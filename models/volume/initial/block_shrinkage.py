"""Shrinkage of sliding 3-D cosine transforms by the noise that was measured on the volume.

Every 4 x 4 x 4 block is transformed, coefficients below `THRESHOLD_SD` are removed, and overlapping blocks are averaged
with weights of one over the noise left (Guleryuz 2007; Yaroslavsky 2001; in MR: Manjon 2012, ODCT3D).

Where the noise is stronger, its part of every coefficient is larger. The slices themselves are never divided by the
local noise: the slopes of its map would appear in homogeneous tissue and pass together with their noise.

Slices come and leave in order; only the few that a block spans are held. The transform is separable: a slice is
transformed within itself once for both positions of its blocks, and what its layers of blocks leave of it is
transformed back once.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from models.volume.dct import BLOCK, cosine_basis

STRIDE = 2  # pixels between blocks in a slice; every second layer of blocks is shifted by one: 1 gives .1 dB more
BAND = {"cpu": 32, "cuda": 2**15}  # rows at a time, by device: a processor's cache holds few; multiples of STRIDE
THRESHOLD_SD = 2.7  # noise sd below which a coefficient is taken for noise (Manjon 2012)


@dataclass(frozen=True)
class _Transform:
    """The transform along slices and within them, and the noise of each coefficient.

    Attributes:
        along: (slices, slices) of a block.
        within: (BLOCK ** 2, BLOCK ** 2).
        noise: (coefficients, 1) power where the relative noise is 1.
    """

    along: Tensor
    within: Tensor
    noise: Tensor


@dataclass(frozen=True)
class _Held:
    """What is held of a slice's rows: for blocks as they are and shifted by one, from the last layer's on.

    Attributes:
        coefficients: within the slice, (BLOCK ** 2, blocks) each.
        results: weighted coefficients of all layers so far, and below them the weights, (BLOCK ** 2 + 1, blocks) each.
    """

    coefficients: list[Tensor]
    results: list[Tensor]


@dataclass
class _Band:
    """Some rows of every slice, from ``top`` on, and the slices that a block spans."""

    transform: _Transform
    top: int
    height: int
    index: int = 0
    held: deque[_Held] = field(default_factory=deque)

    def push(self, slice_: Tensor, relative_noise: Tensor) -> Tensor | None:
        """Take the next slice, (rows, columns) of whole images, and return the one that all its layers have passed.

        Of that, see `pop`, or None if there is none yet.
        """
        rows = (self._rows(slice_, shift) for shift in range(STRIDE))
        coefficients = [self.transform.within @ functional.unfold(each[None], BLOCK, stride=STRIDE)[0] for each in rows]
        results = [each.new_zeros(len(each) + 1, each.shape[1]) for each in coefficients]
        self.held.append(_Held(coefficients, results))
        shift, self.index = self.index % STRIDE, self.index + 1
        if len(self.held) < len(self.transform.along):
            return None
        self._shrink(shift, functional.avg_pool2d(self._rows(relative_noise, shift), BLOCK, STRIDE).view(1, -1))
        return self.pop(slice_.shape[1])

    def pop(self, columns: int) -> Tensor:
        """Return sums and weights of the oldest slice, (2, rows, ``columns``), and forget it."""
        results = self.held.popleft().results
        total = torch.zeros(2, self.height, columns, device=results[0].device)
        for shift, each in enumerate(results):
            planes = torch.cat([self.transform.within.T @ each[:-1], each[-1:].expand(BLOCK**2, -1)])
            size = (self.height - shift, columns - shift)
            total[:, shift:, shift:] += functional.fold(planes.view(2, BLOCK**2, -1), size, BLOCK, stride=STRIDE)[:, 0]
        return total

    def _shrink(self, shift: int, relative_noise: Tensor) -> None:
        """Add the results of the layer that the held slices make."""
        along, noise, power = self.transform.along, self.transform.noise, relative_noise.square()
        found = along @ torch.stack([each.coefficients[shift] for each in self.held]).flatten(1)
        found = found.view(len(noise), -1)
        kept = found.square().addcmul_(noise, power, value=-(THRESHOLD_SD**2)).gt_(0)
        kept[0] = 1.0  # the mean of a block is kept
        weight = 1 / (noise.T @ kept).mul_(power)
        shrunk = along.T @ found.mul_(kept).mul_(weight).view(len(along), -1)
        for each, coefficients in zip(self.held, shrunk.view(len(along), BLOCK**2, -1), strict=True):
            each.results[shift][:-1] += coefficients
            each.results[shift][-1:] += weight

    def _rows(self, image: Tensor, shift: int) -> Tensor:
        return image[None, self.top + shift : self.top + self.height, shift:]


def shrink(slices: Iterable[tuple[Tensor, Tensor]], coefficient_sd: Tensor, pool: Executor) -> Iterator[Tensor]:
    """Yield the slices of a volume with their blocks shrunk.

    Args:
        slices: each with its relative noise, both (rows, columns), in order; at least those of a block.
        coefficient_sd: (slices * BLOCK ** 2,) noise of each coefficient of a block where the relative noise is 1.
        pool: of workers, which share the rows of each slice.
    """
    depth, device = len(coefficient_sd) // BLOCK**2, coefficient_sd.device
    along, within = cosine_basis(depth).to(device), cosine_basis(BLOCK, BLOCK).to(device)
    transform = _Transform(along, within, coefficient_sd.square()[:, None])
    bands: list[_Band] = []
    size = torch.Size()
    for slice_, relative_noise in slices:
        size, image, noise = slice_.shape, _padded(slice_), _padded(relative_noise)
        bands = bands or _bands(transform, len(image))
        parts = list(pool.map(lambda band, image=image, noise=noise: band.push(image, noise), bands))
        if parts[0] is not None:
            yield _joined(bands, parts, size)
    while bands and bands[0].held:
        yield _joined(bands, [band.pop(size[1] + size[1] % STRIDE + 2 * (BLOCK - STRIDE)) for band in bands], size)


def _bands(transform: _Transform, rows: int) -> list[_Band]:
    """Return bands of all ``rows`` of a padded slice; neighbours share the rows that a block spans of both."""
    count, more = BAND[transform.along.device.type], BLOCK - STRIDE + 1
    tops = range(0, max(1, rows - more - count), count)  # the last band takes what is left, too
    return [_Band(transform, top, rows - top if top == tops[-1] else count + more) for top in tops]


def _joined(bands: list[_Band], parts: list[Tensor], size: torch.Size) -> Tensor:
    """Return a slice of ``size`` from the sums and weights of its bands."""
    joined = parts[0].new_zeros(2, bands[-1].top + bands[-1].height, parts[0].shape[-1])
    for band, part in zip(bands, parts, strict=True):
        joined[:, band.top : band.top + band.height] += part
    total, weight = joined[:, BLOCK - STRIDE :, BLOCK - STRIDE :]
    image: Tensor = (total / weight)[: size[0], : size[1]]
    return image


def _padded(slice_: Tensor) -> Tensor:
    """Return the slice padded, so that as many blocks cover an edge as any other place."""
    most = BLOCK - STRIDE
    rows, columns = slice_.shape
    sides = (most, most + columns % STRIDE, most, most + rows % STRIDE)
    return functional.pad(slice_[None, None], sides, mode="replicate")[0, 0]
