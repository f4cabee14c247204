"""A initial estimate of a volume: sliding 3-D cosine transforms, shrunk by the noise that was measured on the volume.

Every 4 x 4 x 4 block is transformed, what noise explains is taken away, and overlapping blocks are averaged with
weights of one over the noise left (Guleryuz 2007; Yaroslavsky 2001; in MR: Manjon 2012, ODCT3D). Twice: coefficients
below `THRESHOLD_SD` go; what that gives is the guide of a Wiener filter on the same blocks.

Where the noise is stronger, its share of every coefficient is. The slices themselves are never divided by its level:
that would lay the level's own slopes over plain tissue, and what they need passes with its noise.

Slices come in order and leave in order; only the few that a block spans are held.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

BLOCK = 4  # voxels a side
STRIDE = 2  # pixels between blocks in a slice; every second layer of blocks is shifted by one: 1 gives .1 dB more
BAND = 32  # rows at a time, whose blocks fit a processor's cache; a multiple of STRIDE
THRESHOLD_SD = 2.7  # noise sd below which a coefficient is taken for noise (Manjon 2012)


def cosine_matrix() -> Tensor:
    """(BLOCK, BLOCK), orthonormal; rows are frequencies."""
    k, n = torch.arange(BLOCK, dtype=torch.float32)[:, None], torch.arange(BLOCK, dtype=torch.float32)[None]
    matrix = torch.cos(math.pi * (n + 0.5) * k / BLOCK) * math.sqrt(2 / BLOCK)
    matrix[0] /= math.sqrt(2)
    return matrix


def shrunk(slices: Iterable[tuple[Tensor, Tensor]], noise_sd: Tensor, pool: Executor) -> Iterator[Tensor]:
    """The slices of a volume, shrunk.

    Args:
        slices: each with the local level of its noise, (rows, columns) both, in order; at least `BLOCK` of them.
        noise_sd: (BLOCK ** 3,) of the noise in each coefficient where its level is 1; frequencies along slices, rows,
            columns.
        pool: of workers, which share the rows of each slice.
    """
    held: deque[tuple[Tensor, Tensor]] = deque()

    def own_guides() -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        for slice_, level in slices:
            held.append((slice_, level))
            yield slice_, level, slice_

    first = _filtered(own_guides(), noise_sd, _hard, pool)
    return _filtered(((*held.popleft(), guide) for guide in first), noise_sd, _wiener, pool)


def _hard(guide: Tensor, noise_sd: Tensor) -> Tensor:
    """1 for the mean and for coefficients that stand out of the noise, else 0."""
    return (guide.abs() > THRESHOLD_SD * noise_sd).float()


def _wiener(guide: Tensor, noise_sd: Tensor) -> Tensor:
    power = guide.square()
    return power / (power + noise_sd.square())


def _filtered(
    pairs: Iterable[tuple[Tensor, Tensor, Tensor]],
    spectrum: Tensor,
    gain_of: Callable[[Tensor, Tensor], Tensor],
    pool: Executor,
) -> Iterator[Tensor]:
    """Blocks of noisy slices, weighted coefficient by coefficient with what their guides say."""
    window: deque[tuple[Tensor, Tensor]] = deque(maxlen=BLOCK)
    sums: deque[Tensor] = deque()
    weights: deque[Tensor] = deque()
    kernel = torch.kron(torch.kron(cosine_matrix(), cosine_matrix()), cosine_matrix()).to(spectrum.device)
    for index, (slice_, level, guide) in enumerate(pairs):
        size, shift = slice_.shape, index % STRIDE
        window.append((_padded(slice_), _padded(guide)))
        sums.append(torch.zeros_like(window[-1][0]))
        weights.append(torch.zeros_like(window[-1][0]))
        if len(window) < BLOCK:
            continue
        slices, estimates = (torch.stack(planes)[:, shift:, shift:] for planes in zip(*window, strict=True))
        own = estimates if guide is not slice_ else None
        layer = partial(_band, slices, own, _padded(level)[shift:, shift:], kernel, spectrum, gain_of)
        tops = range(0, slices.shape[1] - BLOCK + 1, BAND)
        for top, (found, covered) in zip(tops, pool.map(layer, tops), strict=True):
            here = slice(shift + top, shift + top + len(covered)), slice(shift, None)
            for plane in range(BLOCK):
                sums[plane][here] += found[plane]
                weights[plane][here] += covered
        yield _cropped(sums.popleft() / weights.popleft(), size)
    for total, weight in zip(sums, weights, strict=True):
        yield _cropped(total / weight, size)


def _band(
    slices: Tensor,
    estimates: Tensor | None,
    level: Tensor,
    kernel: Tensor,
    spectrum: Tensor,
    gain_of: Callable[[Tensor, Tensor], Tensor],
    top: int,
) -> tuple[Tensor, Tensor]:
    """What `BAND` rows of blocks give from row ``top`` on: sums (BLOCK, rows, columns) and weights (rows, columns)."""
    rows = slice(top, top + BAND + BLOCK - STRIDE)
    noise_sd = spectrum[:, None] * functional.avg_pool2d(level[None, rows], BLOCK, stride=STRIDE).flatten(1)
    noisy = kernel @ _blocks(slices[:, rows])
    guides = noisy if estimates is None else kernel @ _blocks(estimates[:, rows])
    gain = gain_of(guides, noise_sd)
    gain[0] = 1.0
    weight = 1 / (gain * noise_sd).square().sum(dim=0)
    place = slices[0, rows].shape
    found = _overlapped(kernel.T @ (noisy * gain * weight), place)
    return found, _overlapped(weight.repeat(BLOCK**2, 1), place)[0]


def _blocks(slices: Tensor) -> Tensor:
    """`BLOCK` slices, (BLOCK, rows, columns), to (BLOCK ** 3, blocks)."""
    return functional.unfold(slices[:, None], BLOCK, stride=STRIDE).flatten(0, 1)


def _overlapped(blocks: Tensor, size: torch.Size) -> Tensor:
    """Sum of blocks (n * BLOCK ** 2, blocks) at their places: (n, rows, columns)."""
    planes = blocks.view(-1, BLOCK**2, blocks.shape[-1])
    return functional.fold(planes, (size[0], size[1]), BLOCK, stride=STRIDE)[:, 0]


def _padded(slice_: Tensor) -> Tensor:
    """So that as many blocks cover an edge as any other place."""
    most = BLOCK - STRIDE
    rows, columns = slice_.shape
    sides = (most, most + columns % STRIDE, most, most + rows % STRIDE)
    return functional.pad(slice_[None, None], sides, mode="replicate")[0, 0]


def _cropped(slice_: Tensor, size: torch.Size) -> Tensor:
    most = BLOCK - STRIDE
    return slice_[most : most + size[0], most : most + size[1]]
