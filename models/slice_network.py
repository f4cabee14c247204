"""The network of NS-N2N: one slice in, the same slice denoised out."""

import torch
from torch import Tensor

from models.unet import UNet

INPUT_SD = 4.0  # noise sd that enter the network as 1


class SliceNetwork(torch.nn.Module):
    """f(x) = x + level * g(x, level): the identity plus a correction in units of the local noise."""

    def __init__(self) -> None:
        super().__init__()
        self.correction = UNet(channels_in=2)

    def forward(self, x: Tensor, level: Tensor) -> Tensor:
        """Slices and their relative noise level, both (B, 1, H, W), in the network's units."""
        g: Tensor = self.correction(torch.cat([x / INPUT_SD, level], dim=1))
        return x + level * g.float()
