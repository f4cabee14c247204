"""How the noise of a volume is spread over the coefficients of its block transform, measured on the volume itself.

In a slice: second differences of neighbouring slices hold noise and hardly any anatomy; they are read in the blocks of
tissue that are plainest for the noise around them. Along slices: from the correlations. Both are taken as separable.
The spectrum then says how strong the noise is in all: in thick slices what neighbours differ by is half anatomy.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from models.noise_level import SliceNoise
from models.scaling import Scaling, noise_units
from models.slice_noise import MAD_TO_SD, box_mean, evenly, settled
from models.transform import BLOCK, cosine_matrix

TRIPLES = 24  # of slices, evenly along the volume
APART = 2  # pixels between blocks
PLAINEST = 0.1  # share of the blocks that have least structure for the noise around them
FINEST = (10, 11, 14, 15)  # coefficients of a slice whose frequencies are in the upper half both ways
AROUND = 2  # blocks on each side over which that noise is averaged: a block must not be chosen for its own
LOW_SHARE, LOW_SHARE_TO_SD = 0.3, 2.595  # first guess: a quantile that anatomy in most blocks does not reach
ROUNDS = 2  # of choosing plain blocks by what is known of the noise
FEWEST = 64  # blocks; with fewer the noise is taken as white
TINY = 1e-6  # noise units; a block of constants has no spectrum
LEAST_POWER = 0.05  # of white noise, along slices; the correlations are estimates and may contradict each other


def measure_spectrum(volume: Tensor, noise: SliceNoise, threshold: float) -> tuple[SliceNoise, Tensor]:
    """``noise`` with the level that its spectrum has, and that spectrum.

    Args:
        volume: (slices, 1, rows, columns) in real units, at least 3 slices.
        noise: of the volume, its level from differences of slices.
        threshold: real value above which a voxel is tissue.

    Returns:
        noise: the same with another ``sd``.
        noise_sd: (BLOCK ** 3,) standard deviation of each coefficient, in units of the local noise; their mean square
            is 1.
    """
    correlations = settled(noise.correlations)
    matrix = cosine_matrix().to(volume.device)
    along = torch.diagonal(matrix @ _correlation_matrix(correlations).to(volume.device) @ matrix.T)
    in_slice = _in_slice_sd(volume, noise_units(volume, noise), threshold, correlations)
    noise_sd = torch.kron(along.clamp(min=LEAST_POWER).sqrt(), in_slice)
    total = float(noise_sd.square().mean().sqrt())
    return replace(noise, sd=noise.sd * total), noise_sd / total


def _correlation_matrix(correlations: tuple[float, ...]) -> Tensor:
    values = [1.0, *correlations, *([0.0] * BLOCK)]
    return torch.tensor([[values[abs(i - j)] for j in range(BLOCK)] for i in range(BLOCK)])


def _in_slice_sd(volume: Tensor, scaling: Scaling, threshold: float, correlations: tuple[float, ...]) -> Tensor:
    """(BLOCK ** 2,): of slices alone."""
    if min(volume.shape[-2:]) < BLOCK:
        return torch.ones(BLOCK**2, device=volume.device)
    near, far = (*correlations, 0.0, 0.0)[:2]
    unit = math.sqrt(max(6 - 8 * near + 2 * far, LEAST_POWER))
    found = [_triple(volume, scaling, threshold, index + 1) for index in evenly(len(volume) - 2, TRIPLES)]
    differences, sums, tissue = (torch.stack(parts, dim=1) for parts in zip(*found, strict=True))
    inside = tissue[0]
    if int(inside.sum()) < FEWEST:
        return torch.ones(BLOCK**2, device=volume.device)
    sd = _quantile(differences[:, inside], LOW_SHARE) * LOW_SHARE_TO_SD
    for _ in range(ROUNDS):
        structure = _structure(differences, sums, inside, sd.clamp(min=TINY))
        plain = structure <= structure.kthvalue(max(1, int(PLAINEST * structure.numel()))).values
        sd = _quantile(differences[:, inside][:, plain], 0.5) * MAD_TO_SD
    return _with_smooth_mean(sd.clamp(min=TINY)) / unit


def _with_smooth_mean(sd: Tensor) -> Tensor:
    """The mean's is at most what its neighbours make it: anatomy that slices differ by is mostly there."""
    most = sd[1] * sd[BLOCK] / sd[BLOCK + 1]
    return torch.cat([torch.minimum(sd[0], most)[None], sd[1:]])


def _triple(volume: Tensor, scaling: Scaling, threshold: float, index: int) -> tuple[Tensor, Tensor, Tensor]:
    """Coefficients of the second difference and of the sum of three slices, and which blocks are tissue."""
    level = scaling.level_at(index, 0, 0, (volume.shape[-2], volume.shape[-1]))[None]
    before, here, after = (scaling.scaled(volume[index + step][None]) / level for step in (-1, 0, 1))
    tissue = (volume[index - 1 : index + 2].amin(dim=0, keepdim=True) > threshold).float()
    mean = torch.ones(1, 1, BLOCK, BLOCK, device=volume.device) / BLOCK**2
    whole = functional.conv2d(tissue, mean, stride=APART)[0] > 1 - TINY
    return _coefficients(before - 2 * here + after), _coefficients(before + here + after), whole


def _coefficients(slice_: Tensor) -> Tensor:
    """(BLOCK ** 2, rows of blocks, columns of blocks) of (1, 1, rows, columns)."""
    matrix = cosine_matrix().to(slice_.device)
    kernel = torch.kron(matrix, matrix).view(BLOCK**2, 1, BLOCK, BLOCK)
    return functional.conv2d(slice_, kernel, stride=APART)[0]


def _structure(differences: Tensor, sums: Tensor, inside: Tensor, sd: Tensor) -> Tensor:
    """Energy of each block over that of the finest detail around it, both in units of the noise.

    The finest detail tells how strong the noise is there: differences alone are large where anatomy changes, too.
    """
    energy = (differences / sd[:, None, None, None]).square() + (sums / sd[:, None, None, None]).square()
    share = box_mean(inside.float()[:, None], AROUND)
    noise = box_mean((energy[list(FINEST)].mean(dim=0) * inside)[:, None], AROUND) / share.clamp(min=TINY)
    return (energy[1:].mean(dim=0) / noise[:, 0].clamp(min=TINY))[inside]


def _quantile(values: Tensor, share: float) -> Tensor:
    """Of the magnitudes of each row."""
    return values.abs().kthvalue(1 + int(share * (values.shape[1] - 1)), dim=1).values
