"""The losses of NS-N2N on a batch of pairs: ours, and as published."""

import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from models.volume.matching import PUBLISHED_TAU, confirmed
from models.volume.pairs import SlicePair

LAMBDA_RC = 1.0  # weight of L_RC; published: 0.5
LAMBDA_ID = 0.5  # weight of the initial estimate where the neighbour does not confirm it
HUBER_SD = 3.0  # noise sd; nearly least squares on noise, so that skewed noise keeps its mean
PUBLISHED_LAMBDA_RC, PUBLISHED_LAMBDA_IC = 0.5, 1.0


def confirmed_loss(network: torch.nn.Module, pair: SlicePair, difference_sd: float) -> Tensor:
    """L = W rho(f(x_i) - x_j) + lambda_ID (1 - W) rho(f(x_i) - g_i) + lambda_RC W rho(f(x_i) - f(x_j)), and swapped.

    rho is Huber's, in units of the local noise; g are the initial estimates, and W is 1 where they confirm each other.
    """
    assert pair.guides is not None
    noise, (g_i, g_j) = pair.relative_noise, pair.guides
    w, mean = confirmed(g_i, g_j, noise, difference_sd), 1 / noise.numel()
    f = network(pair.x, noise.expand_as(pair.x), pair.guides) / noise
    recon, identity = (_rho(f, target / noise) for target in (pair.x.flip(0), pair.guides))
    supervised = torch.add(recon, _rho(*f.unbind()), alpha=LAMBDA_RC)  # the consistency of a pair counts for both
    weight = (w * ((1 - LAMBDA_ID) * mean) + LAMBDA_ID * mean) * pair.valid
    return (torch.where(w, supervised, identity) * weight).sum()


def _rho(value: Tensor, target: Tensor) -> Tensor:
    return huber_loss(value, target, reduction="none", delta=HUBER_SD)


def published_loss(network: torch.nn.Module, pair: SlicePair) -> Tensor:
    """L = L_Recon + 0.5 L_RC + 1.0 L_IC of NS-N2N, with W from the strongly smoothed guides."""
    assert pair.guides is not None
    noise, (x_i, x_j) = pair.relative_noise, pair.x
    w = ((pair.guides[0] - pair.guides[1]).abs() <= PUBLISHED_TAU) * pair.valid
    f_i, f_j, f_mean = network(torch.cat([x_i, x_j, (x_i + x_j) / 2]), noise.repeat(3, 1, 1, 1)).chunk(3)
    l_recon = (w * ((f_i - x_j) ** 2 + (f_j - x_i) ** 2)).mean()
    l_rc = (w * (f_i - f_j) ** 2).mean()
    l_ic = ((f_mean - (f_i + f_j) / 2) ** 2 * pair.valid).mean()
    total: Tensor = l_recon + PUBLISHED_LAMBDA_RC * l_rc + PUBLISHED_LAMBDA_IC * l_ic
    return total
