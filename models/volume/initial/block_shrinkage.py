"""Shrinkage of sliding 3-D cosine transforms by the noise that was measured on the volume.

Every 4 x 4 x 4 block is transformed, the part that noise explains is removed, and overlapping blocks are averaged with
weights of one over the noise left (Guleryuz 2007; Yaroslavsky 2001; in MR: Manjon 2012, ODCT3D). This is done twice:
first coefficients below `THRESHOLD_SD` are removed; the result guides a Wiener filter of the same blocks.

Where the noise is stronger, its part of every coefficient is larger. The slices themselves are never divided by the
local noise: the slopes of its map would appear in homogeneous tissue and pass together with their noise.

Slices come and leave in order; only the few that a block spans are held.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from models.volume.dct import BLOCK, cosine_basis

STRIDE = 2  # pixels between blocks in a slice; every second layer of blocks is shifted by one: 1 gives .1 dB more
BAND = 32  # rows at a time, whose blocks fit a processor's cache; a multiple of STRIDE
THRESHOLD_SD = 2.7  # noise sd below which a coefficient is taken for noise (Manjon 2012)

Gain = Callable[[Tensor, Tensor], Tensor]  # of coefficients, from those of the guide and the sd of their noise


@dataclass(frozen=True)
class _Layer:
    """The slices of a layer of blocks, (slices, rows, columns), their guide images, and the relative noise of a slice.

    Guides are None where the slices are their own.
    """

    slices: Tensor
    guides: Tensor | None
    relative_noise: Tensor


@dataclass(frozen=True)
class _Shrinkage:
    """The transform, the noise of its coefficients where the relative noise is 1, and the gain of each coefficient."""

    basis: Tensor
    coefficient_sd: Tensor
    gain: Gain


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


def _hard(guide: Tensor, noise_sd: Tensor) -> Tensor:
    """Return 1 for coefficients that exceed the noise, else 0."""
    return (guide.abs() > THRESHOLD_SD * noise_sd).float()


def _wiener(guide: Tensor, noise_sd: Tensor) -> Tensor:
    power = guide.square()
    return power / (power + noise_sd.square())


def _filtered(
    guided: Iterable[tuple[Tensor, Tensor, Tensor]], coefficient_sd: Tensor, gain: Gain, pool: Executor
) -> Iterator[Tensor]:
    """Yield slices filtered block by block, from triples of slice, relative noise and guide image."""
    depth = len(coefficient_sd) // BLOCK**2
    shrinkage = _Shrinkage(cosine_basis(depth, BLOCK, BLOCK).to(coefficient_sd.device), coefficient_sd, gain)
    window: deque[tuple[Tensor, Tensor]] = deque(maxlen=depth)
    sums: deque[Tensor] = deque()
    weights: deque[Tensor] = deque()
    for index, (slice_, relative_noise, guide) in enumerate(guided):
        size, shift = slice_.shape, index % STRIDE
        window.append((_padded(slice_), _padded(guide)))
        sums.append(torch.zeros_like(window[-1][0]))
        weights.append(torch.zeros_like(window[-1][0]))
        if len(window) < depth:
            continue
        slices, guides = (torch.stack(planes)[:, shift:, shift:] for planes in zip(*window, strict=True))
        layer = _Layer(slices, guides if guide is not slice_ else None, _padded(relative_noise)[shift:, shift:])
        tops = range(0, slices.shape[1] - BLOCK + 1, BAND)
        for top, (total, weight) in zip(tops, pool.map(partial(_band, layer, shrinkage), tops), strict=True):
            here = slice(shift + top, shift + top + len(weight)), slice(shift, None)
            for plane in range(depth):
                sums[plane][here] += total[plane]
                weights[plane][here] += weight
        yield _cropped(sums.popleft() / weights.popleft(), size)
    for total, weight in zip(sums, weights, strict=True):
        yield _cropped(total / weight, size)


def _band(layer: _Layer, shrinkage: _Shrinkage, top: int) -> tuple[Tensor, Tensor]:
    """Return sums (slices, rows, columns) and weights (rows, columns) of the blocks in `BAND` rows from ``top`` on."""
    rows, basis = slice(top, top + BAND + BLOCK - STRIDE), shrinkage.basis
    local = functional.avg_pool2d(layer.relative_noise[None, rows], BLOCK, stride=STRIDE).flatten(1)
    noise_sd = shrinkage.coefficient_sd[:, None] * local
    noisy = basis @ _blocks(layer.slices[:, rows])
    guide = noisy if layer.guides is None else basis @ _blocks(layer.guides[:, rows])
    gain = shrinkage.gain(guide, noise_sd)
    gain[0] = 1.0  # the mean of a block is kept
    weight = 1 / (gain * noise_sd).square().sum(dim=0)
    size = layer.slices[0, rows].shape
    total = _overlapped(basis.T @ (noisy * gain * weight), size)
    return total, _overlapped(weight.repeat(BLOCK**2, 1), size)[0]


def _blocks(slices: Tensor) -> Tensor:
    """Return the blocks of (slices, rows, columns): (slices * BLOCK ** 2, blocks)."""
    return functional.unfold(slices[:, None], BLOCK, stride=STRIDE).flatten(0, 1)


def _overlapped(blocks: Tensor, size: torch.Size) -> Tensor:
    """Return the sum of blocks (n * BLOCK ** 2, blocks) at their places: (n, rows, columns)."""
    planes = blocks.view(-1, BLOCK**2, blocks.shape[-1])
    return functional.fold(planes, (size[0], size[1]), BLOCK, stride=STRIDE)[:, 0]


def _padded(slice_: Tensor) -> Tensor:
    """Return the slice padded, so that as many blocks cover an edge as any other place."""
    most = BLOCK - STRIDE
    rows, columns = slice_.shape
    sides = (most, most + columns % STRIDE, most, most + rows % STRIDE)
    return functional.pad(slice_[None, None], sides, mode="replicate")[0, 0]


def _cropped(slice_: Tensor, size: torch.Size) -> Tensor:
    most = BLOCK - STRIDE
    return slice_[most : most + size[0], most : most + size[1]]
