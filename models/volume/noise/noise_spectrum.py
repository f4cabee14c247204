"""The standard deviation of the noise in each coefficient of a block, measured on the volume itself.

Within a slice it is read from second differences of neighbouring slices, which hold hardly any anatomy, in the most
homogeneous blocks of tissue. Along slices it follows from the correlations. Both are taken as separable.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from models.robust import MAD_TO_SD, robust_sd
from models.volume.dct import BLOCK, cosine_basis
from models.volume.noise.block_coefficients import EVEN, ODD, Triples, has_enough_blocks, most_homogeneous

ROUNDS = 3  # of choosing homogeneous blocks by what is known of the noise
TINY = 1e-9  # real units; a block of constants has no noise
LEAST_FRACTION = 1e-6  # of the strongest coefficient; weights of one over the noise stay finite
LEAST_POWER = 0.05  # of white noise, along slices; the correlations are estimates and may contradict each other


def block_sd(in_slice: Tensor, correlations: tuple[float, ...], slices: int) -> Tensor:
    """Return (slices * BLOCK ** 2,) standard deviations of the coefficients of blocks of so many slices.

    Args:
        in_slice: those of a slice, in whose unit they are.
        correlations: of the noise of slices 1, 2, ... apart.
    """
    basis = cosine_basis(slices).to(in_slice.device)
    along = torch.diagonal(basis @ _correlation_matrix(correlations, slices).to(in_slice.device) @ basis.T)
    return torch.kron(along.clamp(min=LEAST_POWER).sqrt(), in_slice)


def in_slice_sd(triples: Triples, relative_noise: Tensor, correlations: tuple[float, ...]) -> Tensor:
    """Return (BLOCK ** 2,) standard deviations of the coefficients of a slice where ``relative_noise`` is 1.

    Args:
        triples: coefficients of slices.
        relative_noise: broadcasts to (triples, rows of blocks, columns of blocks).
        correlations: of the noise of slices 1, 2, ... apart.
    """
    near, far = (*correlations, 0.0, 0.0)[:2]
    unit = math.sqrt(max(6 - 8 * near + 2 * far, LEAST_POWER)) if triples.slices > 1 else 1.0  # of a second difference
    return difference_sd(triples, relative_noise.expand(triples.inside.shape)) / unit


def difference_sd(triples: Triples, relative_noise: Tensor) -> Tensor:
    """Return (BLOCK ** 2,) standard deviations of the coefficients of second differences."""
    if not has_enough_blocks(triples):
        white = max(robust_sd(triples.differences[1:] / relative_noise), TINY)
        return torch.full((BLOCK**2,), white, device=relative_noise.device)
    sd = _sds_in(triples, relative_noise, range(BLOCK**2), triples.inside)
    for _ in range(ROUNDS):
        updated = sd.clone()
        for judged, measured in ((EVEN, ODD), (ODD, (0, *EVEN))):
            energy = noise_energy(triples.differences, judged, sd) + noise_energy(triples.sums, judged, sd)
            homogeneous = most_homogeneous(energy / relative_noise.square(), triples.inside, triples.homogeneous)
            updated[list(measured)] = _sds_in(triples, relative_noise, measured, homogeneous)
        sd = updated
    return _with_limited_mean(sd).clamp(min=max(TINY, LEAST_FRACTION * float(sd.max())))


def noise_energy(values: Tensor, chosen: tuple[int, ...], sd: Tensor) -> Tensor:
    """Return the mean energy of the ``chosen`` coefficients of each block, in units of the noise: 1 for noise alone."""
    total = torch.zeros_like(values[0])
    for k in chosen:
        total += (values[k] / sd[k]).square()
    return total / len(chosen)


def _sds_in(triples: Triples, relative_noise: Tensor, chosen: Sequence[int], blocks: Tensor) -> Tensor:
    """Return the standard deviation of each of the ``chosen`` coefficients in ``blocks``."""
    at = blocks.flatten().nonzero()[:, 0]
    differences, unit = triples.differences.flatten(1), relative_noise.flatten().index_select(0, at)
    values = (differences[k].index_select(0, at).div_(unit) for k in chosen)
    return torch.stack([(MAD_TO_SD * each.abs_().median()).clamp(min=TINY) for each in values])


def _with_limited_mean(sd: Tensor) -> Tensor:
    """Return ``sd``, the mean's limited by its neighbours': anatomy that differs between slices is mostly there."""
    most = sd[1] * sd[BLOCK] / sd[BLOCK + 1]
    return torch.cat([torch.minimum(sd[0], most)[None], sd[1:]])


def _correlation_matrix(correlations: tuple[float, ...], slices: int) -> Tensor:
    values = [1.0, *correlations, *([0.0] * slices)]
    return torch.tensor([[values[abs(i - j)] for j in range(slices)] for i in range(slices)])
