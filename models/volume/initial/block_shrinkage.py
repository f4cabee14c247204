"""Shrinkage of sliding 3-D cosine transforms by the noise that was measured on the volume.

Every 4 x 4 x 4 block is transformed, the part that noise explains is removed, and overlapping blocks are averaged with
weights of one over the noise left (Guleryuz 2007; Yaroslavsky 2001; in MR: Manjon 2012, ODCT3D). This is done twice:
first coefficients below `THRESHOLD_SD` are removed; the result guides a Wiener filter of the same blocks.

Where the noise is stronger, its part of every coefficient is larger. The slices themselves are never divided by the
local noise: the slopes of its map would appear in homogeneous tissue and pass together with their noise.

Slices come and leave in order; only the few that a block spans are held. The transform is separable: a slice is
transformed within itself once for both positions of its blocks, and what its layers of blocks leave of it is
transformed back once.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.nn import functional

from models.volume.dct import BLOCK, cosine_basis

STRIDE = 2  # pixels between blocks in a slice; every second layer of blocks is shifted by one: 1 gives .1 dB more
BAND = {"cpu": 32, "cuda": 2**15}  # rows at a time, by device: a processor's cache holds few; multiples of STRIDE
THRESHOLD_SD = 2.7  # noise sd below which a coefficient is taken for noise (Manjon 2012)

Gain = Callable[
    [Tensor, Tensor, Tensor], Tensor
]  # of coefficients, from the guide's; and from the power of their noise


@dataclass(frozen=True)
class _Shrinkage:
    """The transform along slices and within them, and what decides the gain of each coefficient.

    Attributes:
        along: (slices, slices) of a block.
        within: (BLOCK ** 2, BLOCK ** 2).
        noise: (coefficients, 1) power where the relative noise is 1.
        gain: see `Gain`.
    """

    along: Tensor
    within: Tensor
    noise: Tensor
    gain: Gain


@dataclass(frozen=True)
class _Held:
    """What is held of a slice's rows: for blocks as they are and shifted by one, from the last layer's on.

    Attributes:
        noisy: coefficients within the slice, (BLOCK ** 2, blocks) each.
        guide: the same of the guide image.
        results: weighted coefficients of all layers so far, and below them the weights, (BLOCK ** 2 + 1, blocks) each.
    """

    noisy: list[Tensor]
    guide: list[Tensor]
    results: list[Tensor]


@dataclass
class _Band:
    """Some rows of every slice, from ``top`` on, and the slices that a block spans."""

    shrinkage: _Shrinkage
    top: int
    height: int
    index: int = 0
    held: deque[_Held] = field(default_factory=deque)

    def push(self, slice_: Tensor, relative_noise: Tensor, guide: Tensor) -> Tensor | None:
        """Take the next slice, (rows, columns) of whole images, and return the one that all its layers have passed.

        Of that, see `pop`, or None if there is none yet.
        """
        noisy = self._coefficients(slice_)
        guiding = noisy if guide is slice_ else self._coefficients(guide)
        results = [each.new_zeros(len(each) + 1, each.shape[1]) for each in noisy]
        self.held.append(_Held(noisy, guiding, results))
        shift, self.index = self.index % STRIDE, self.index + 1
        if len(self.held) < len(self.shrinkage.along):
            return None
        self._shrink(shift, functional.avg_pool2d(self._rows(relative_noise, shift), BLOCK, STRIDE).view(1, -1))
        return self.pop(slice_.shape[1])

    def pop(self, columns: int) -> Tensor:
        """Return sums and weights of the oldest slice, (2, rows, ``columns``), and forget it."""
        results = self.held.popleft().results
        total = torch.zeros(2, self.height, columns, device=results[0].device)
        for shift, each in enumerate(results):
            planes = torch.cat([self.shrinkage.within.T @ each[:-1], each[-1:].expand(BLOCK**2, -1)])
            size = (self.height - shift, columns - shift)
            total[:, shift:, shift:] += functional.fold(planes.view(2, BLOCK**2, -1), size, BLOCK, stride=STRIDE)[:, 0]
        return total

    def _shrink(self, shift: int, relative_noise: Tensor) -> None:
        """Add the results of the layer that the held slices make."""
        along, power = self.shrinkage.along, relative_noise.square()
        noisy = along @ torch.stack([each.noisy[shift] for each in self.held]).flatten(1)
        guide = noisy
        if self.held[0].guide is not self.held[0].noisy:
            guide = along @ torch.stack([each.guide[shift] for each in self.held]).flatten(1)
        gain = self.shrinkage.gain(guide.view(len(self.shrinkage.noise), -1), self.shrinkage.noise, power)
        gain[0] = 1.0  # the mean of a block is kept
        weight = 1 / (self.shrinkage.noise.T @ gain.square()).mul_(power)
        kept = along.T @ gain.mul_(noisy.view_as(gain)).mul_(weight).view_as(noisy)
        for each, coefficients in zip(self.held, kept.view(len(along), BLOCK**2, -1), strict=True):
            each.results[shift][:-1] += coefficients
            each.results[shift][-1:] += weight

    def _coefficients(self, image: Tensor) -> list[Tensor]:
        rows = (self._rows(image, shift) for shift in range(STRIDE))
        return [self.shrinkage.within @ functional.unfold(each[None], BLOCK, stride=STRIDE)[0] for each in rows]

    def _rows(self, image: Tensor, shift: int) -> Tensor:
        return image[None, self.top + shift : self.top + self.height, shift:]


def shrink(slices: Iterable[tuple[Tensor, Tensor]], coefficient_sd: Tensor, pool: Executor) -> Iterator[Tensor]:
    """Yield the slices of a volume with their blocks shrunk.

    Args:
        slices: each with its relative noise, both (rows, columns), in order; at least those of a block.
        coefficient_sd: (slices * BLOCK ** 2,) noise of each coefficient of a block where the relative noise is 1.
        pool: of workers, which share the rows of each slice.
    """
    waiting: deque[tuple[Tensor, Tensor]] = deque()

    def guided_by_themselves() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for slice_, relative_noise in slices:
            waiting.append((slice_, relative_noise))
            yield slice_, relative_noise, slice_

    first = _filtered(guided_by_themselves(), coefficient_sd, _hard, pool)
    return _filtered(((*waiting.popleft(), guide) for guide in first), coefficient_sd, _wiener, pool)


def _hard(guide: Tensor, noise: Tensor, power: Tensor) -> Tensor:
    """Return 1 for coefficients that exceed the noise, else 0."""
    return guide.square().addcmul_(noise, power, value=-(THRESHOLD_SD**2)).gt_(0)


def _wiener(guide: Tensor, noise: Tensor, power: Tensor) -> Tensor:
    signal = guide.square()
    return signal.div_(torch.addcmul(signal, noise, power))


def _filtered(
    guided: Iterable[tuple[Tensor, Tensor, Tensor]], coefficient_sd: Tensor, gain: Gain, pool: Executor
) -> Iterator[Tensor]:
    """Yield slices filtered block by block, from triples of slice, relative noise and guide image."""
    depth, device = len(coefficient_sd) // BLOCK**2, coefficient_sd.device
    along, within = cosine_basis(depth).to(device), cosine_basis(BLOCK, BLOCK).to(device)
    shrinkage = _Shrinkage(along, within, coefficient_sd.square()[:, None], gain)
    bands: list[_Band] = []
    size = torch.Size()
    for slice_, relative_noise, guide in guided:
        size, image, noise = slice_.shape, _padded(slice_), _padded(relative_noise)
        pushed = image, noise, image if guide is slice_ else _padded(guide)
        bands = bands or _bands(shrinkage, len(image))
        parts = list(pool.map(lambda band, pushed=pushed: band.push(*pushed), bands))
        if parts[0] is not None:
            yield _joined(bands, parts, size)
    while bands and bands[0].held:
        yield _joined(bands, [band.pop(size[1] + size[1] % STRIDE + 2 * (BLOCK - STRIDE)) for band in bands], size)


def _bands(shrinkage: _Shrinkage, rows: int) -> list[_Band]:
    """Return bands of all ``rows`` of a padded slice; neighbours share the rows that a block spans of both."""
    count, more = BAND[shrinkage.along.device.type], BLOCK - STRIDE + 1
    tops = range(0, max(1, rows - more - count), count)  # the last band takes what is left, too
    return [_Band(shrinkage, top, rows - top if top == tops[-1] else count + more) for top in tops]


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
