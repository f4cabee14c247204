"""The network of NS-N2N: one slice in, the same slice denoised out."""

import torch
from torch import Tensor

from models.unet import UNet

INPUT_SD = 4.0  # noise sd that enter the network as 1


class SliceNetwork(torch.nn.Module):
    """f(x) = g + level * h(x, g, level): a first guess g plus a correction in units of the local noise."""

    def __init__(self, guided: bool = True) -> None:
        super().__init__()
        self.correction = UNet(channels_in=3 if guided else 2)

    def forward(self, x: Tensor, level: Tensor, guess: Tensor | None = None) -> Tensor:
        """Slices, their relative noise level and their guesses, all (B, 1, H, W), in the network's units.

        Without a guess, as the published method has none, x itself is g.
        """
        seen = [x / INPUT_SD, level] + ([] if guess is None else [guess / INPUT_SD])
        h: Tensor = self.correction(torch.cat(seen, dim=1))
        return (x if guess is None else guess) + level * h.float()
