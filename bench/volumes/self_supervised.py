"""Self-supervised peers with our network, loop, crops and steps: only pairs, mask, loss and input differ.

Each loss takes the network and a batch of pairs of crops (B, 1, S, S) in noise units. Those that learn within a slice
take both crops of a pair as two slices, so that every method sees equally many pixels in a step.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d, mse_loss

from bench.volumes import ngps
from bench.volumes.bench_cases import Case
from models.compute import choose_compute
from models.fitting import FitContext
from models.training_loop import fit
from models.volume.matching import strong_low_pass
from models.volume.measured_volume import MeasuredVolume, measure_volume
from models.volume.pairs import PairDrawer
from models.volume.scaling import noise_units
from models.volume.slice_fit import LEARNING_RATE
from models.volume.slice_losses import published_loss
from models.volume.slice_network import SliceNetwork
from validation.phantoms.anatomy import Volume

BLIND_FRACTION = 1 / 64  # of the pixels are blind in a step (Noise2Void: 0.2 % to 2 %)
BLIND_REACH = 2  # pixels away a blind pixel takes its value from (Noise2Void: 5x5)
SUBSAMPLED_WEIGHT = 1.0  # of Neighbor2Neighbor's regularisation term
DIAGONAL = torch.tensor([[[[0.0, 0.5], [0.5, 0.0]]], [[[0.5, 0.0], [0.0, 0.5]]]])  # ZS-N2N's two downsamplers

Loss = Callable[[torch.nn.Module, Tensor, Tensor, Tensor, torch.Generator], Tensor]


def neighbour(network: torch.nn.Module, x_i: Tensor, x_j: Tensor, level: Tensor, _: torch.Generator) -> Tensor:
    """Plain Noise2Noise between neighbouring slices, both ways: no mask."""
    f_i, f_j = network(torch.cat([x_i, x_j]), torch.cat([level, level])).chunk(2)
    return mse_loss(f_i, x_j) + mse_loss(f_j, x_i)


def noise2void(network: torch.nn.Module, x_i: Tensor, x_j: Tensor, level: Tensor, generator: torch.Generator) -> Tensor:
    """Noise2Void (Krull 2019): blind pixels take a neighbour's value and must be predicted from what surrounds them."""
    x, level = torch.cat([x_i, x_j]), torch.cat([level, level])
    blind = torch.rand(x.shape, generator=generator) < BLIND_FRACTION
    reach = 2 * BLIND_REACH + 1
    rolled, chosen = x, torch.randint(1, reach**2, x.shape, generator=generator)
    for index in range(1, reach**2):
        down, right = (index + reach**2 // 2) % reach**2 // reach, (index + reach**2 // 2) % reach
        shifted = torch.roll(x, (down - BLIND_REACH, right - BLIND_REACH), dims=(-2, -1))
        rolled = torch.where(chosen == index, shifted, rolled)
    f = network(torch.where(blind, rolled, x), level)
    return mse_loss(f[blind], x[blind])


def neighbor2neighbor(
    network: torch.nn.Module, x_i: Tensor, x_j: Tensor, level: Tensor, generator: torch.Generator
) -> Tensor:
    """Neighbor2Neighbor (Huang 2021): two random neighbouring pixels of every 2x2 cell, input and target."""
    x, level = torch.cat([x_i, x_j]), torch.cat([level, level])
    first, second = _neighbours_in_cells((x.shape[0], x.shape[2] // 2, x.shape[3] // 2), generator)
    half = avg_pool2d(level, 2)
    with torch.no_grad():
        whole = network(x, level)
    f = network(_taken(x, first), half)
    recon = f - _taken(x, second)
    return (recon**2).mean() + SUBSAMPLED_WEIGHT * ((recon - _taken(whole, first) + _taken(whole, second)) ** 2).mean()


def zs_n2n(network: torch.nn.Module, x_i: Tensor, x_j: Tensor, level: Tensor, _: torch.Generator) -> Tensor:
    """ZS-N2N (Mansour 2023): two downsampled halves teach each other, and agree with the whole one downsampled."""
    x, level = torch.cat([x_i, x_j]), torch.cat([level, level])
    d_1, d_2 = conv2d(x, DIAGONAL, stride=2).split(1, dim=1)
    half = avg_pool2d(level, 2)
    f_1, f_2 = network(torch.cat([d_1, d_2]), torch.cat([half, half])).chunk(2)
    g_1, g_2 = conv2d(network(x, level).float(), DIAGONAL, stride=2).split(1, dim=1)
    residual = mse_loss(f_1, d_2) + mse_loss(f_2, d_1)
    return 0.5 * (residual + mse_loss(f_1, g_1) + mse_loss(f_2, g_2))


def published_guides(volume: Tensor) -> Tensor:
    """NS-N2N's guides on [0, 1]; its fit itself is in noise units here, which the network is scaled for."""
    low, high = float(volume.min()), float(volume.max())
    planes = [strong_low_pass(((slice_ - low) / (high - low)).numpy()) for slice_ in volume[:, 0]]
    return torch.from_numpy(np.stack(planes)).float()[:, None]


GUIDED: Mapping[str, Callable[[Tensor], Tensor]] = {  # what these losses need beside the slices
    "ngps": ngps.targets,
    "published_noise_units": published_guides,
}
LOSSES: Mapping[str, Loss | None] = {
    "n2n_slices": neighbour,
    "noise2void": noise2void,
    "neighbor2neighbor": neighbor2neighbor,
    "zs_n2n": zs_n2n,
    "ngps": None,  # these take whole pairs
    "published_noise_units": None,
}


def denoise(name: str, case: Case, steps: int, seed: int) -> Volume:
    """Fit our network on one volume with the loss called ``name``, and apply it."""
    context = FitContext(choose_compute("cpu"), seed, math.inf, math.inf, name)
    valid = np.ones(case.noisy.shape, bool)
    volume = measure_volume(case.noisy, valid, case.modality, noise_units, context.compute.device)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        network = SliceNetwork(guided=False)
    guides = GUIDED[name](volume.voxels) if name in GUIDED else None
    drawer = PairDrawer(volume, guides, gap=1, seed=seed)
    generator = torch.Generator().manual_seed(seed)

    def draw_loss() -> Tensor:
        pair = drawer.draw()
        loss = LOSSES[name]
        if loss is None:
            return ngps.loss(network, pair, volume.scaling) if name == "ngps" else published_loss(network, pair)
        return loss(network, *pair.x, pair.relative_noise, generator)

    fit(network, draw_loss, context, steps=steps, learning_rate=LEARNING_RATE)
    return _apply(network, volume)


@torch.no_grad()
def _apply(network: torch.nn.Module, volume: MeasuredVolume) -> Volume:
    network.eval()
    scaling, slices = volume.scaling, []
    with choose_compute("cpu").autocast():
        for i, slice_ in enumerate(volume.voxels):
            f = network(scaling.scaled(slice_)[None], volume.relative_noise(i)[None])
            slices.append(scaling.real(f.float())[0, 0].numpy())
    return np.stack(slices)


def _neighbours_in_cells(shape: tuple[int, int, int], generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Which two of the four pixels of each cell, in the order of `pixel_unshuffle`; side by side or one below other."""
    pairs = torch.tensor([(0, 1), (0, 2), (1, 3), (2, 3), (1, 0), (2, 0), (3, 1), (3, 2)])
    chosen = pairs[torch.randint(len(pairs), shape, generator=generator)]
    return chosen[..., 0], chosen[..., 1]


def _taken(x: Tensor, index: Tensor) -> Tensor:
    return torch.nn.functional.pixel_unshuffle(x, 2).gather(1, index[:, None])
