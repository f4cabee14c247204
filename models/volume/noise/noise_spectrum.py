"""How the noise of a volume is spread over the coefficients of its block transform, measured on the volume itself.

In a slice: second differences of neighbouring slices hold noise and hardly any anatomy; they are read in the blocks of
tissue that are plainest for the noise around them. Along slices: from the correlations. Both are taken as separable.
"""

import math

import torch
from torch import Tensor

from models.robust import MAD_TO_SD, robust_sd
from models.volume.initial.transform import BLOCK, cosine_matrix
from models.volume.noise.block_coefficients import EVEN, ODD, Triples, enough, plainest

ROUNDS = 3  # of choosing plain blocks by what is known of the noise
TINY = 1e-9  # real units; a block of constants has no spectrum
LEAST_FRACTION = 1e-6  # of the strongest coefficient; weights of one over the noise stay finite
LEAST_POWER = 0.05  # of white noise, along slices; the correlations are estimates and may contradict each other


def block_spectrum(in_slice: Tensor, correlations: tuple[float, ...]) -> Tensor:
    """(BLOCK ** 3,) standard deviations of the coefficients of blocks, from those of a slice, in its unit."""
    matrix = cosine_matrix().to(in_slice.device)
    along = torch.diagonal(matrix @ _correlation_matrix(correlations).to(in_slice.device) @ matrix.T)
    return torch.kron(along.clamp(min=LEAST_POWER).sqrt(), in_slice)


def in_slice_sd(triples: Triples, level: Tensor, correlations: tuple[float, ...]) -> Tensor:
    """(BLOCK ** 2,) standard deviations of the coefficients of a slice, in the volume's unit over that of ``level``.

    Args:
        level: the local noise, which broadcasts to (triples, rows of blocks, columns of blocks).
        correlations: of the noise of slices 1, 2, ... apart.
    """
    near, far = (*correlations, 0.0, 0.0)[:2]
    unit = math.sqrt(max(6 - 8 * near + 2 * far, LEAST_POWER))
    return difference_sd(triples, level.expand(triples.inside.shape)) / unit


def difference_sd(triples: Triples, level: Tensor) -> Tensor:
    """The same of the second differences."""
    if not enough(triples):
        return torch.full((BLOCK**2,), max(robust_sd(triples.differences[1:] / level), TINY), device=level.device)
    sd = torch.stack([_sd_at(triples, level, k, triples.inside) for k in range(BLOCK**2)])
    for _ in range(ROUNDS):
        read = sd.clone()
        for judged, others in ((EVEN, ODD), (ODD, (0, *EVEN))):
            energy = noise_energy(triples.differences, judged, sd) + noise_energy(triples.sums, judged, sd)
            plain = plainest(energy / level.square(), triples.inside)
            for k in others:
                read[k] = _sd_at(triples, level, k, plain)
        sd = read
    return _with_smooth_mean(sd).clamp(min=max(TINY, LEAST_FRACTION * float(sd.max())))


def _sd_at(triples: Triples, level: Tensor, k: int, blocks: Tensor) -> Tensor:
    values = triples.differences[k][blocks] / level[blocks]
    return (MAD_TO_SD * values.abs().median()).clamp(min=TINY)


def noise_energy(values: Tensor, some: tuple[int, ...], sd: Tensor) -> Tensor:
    """Mean energy of ``some`` of the coefficients of each block, in units of the noise: 1 where all is noise."""
    total = torch.zeros_like(values[0])
    for k in some:
        total += (values[k] / sd[k]).square()
    return total / len(some)


def _with_smooth_mean(sd: Tensor) -> Tensor:
    """The mean's is at most what its neighbours make it: anatomy that slices differ by is mostly there."""
    most = sd[1] * sd[BLOCK] / sd[BLOCK + 1]
    return torch.cat([torch.minimum(sd[0], most)[None], sd[1:]])


def _correlation_matrix(correlations: tuple[float, ...]) -> Tensor:
    values = [1.0, *correlations, *([0.0] * BLOCK)]
    return torch.tensor([[values[abs(i - j)] for j in range(BLOCK)] for i in range(BLOCK)])
