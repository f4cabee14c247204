"""The network of NS-N2N: one slice in, the same slice denoised out."""

import torch
from torch import Tensor

from models.volume.unet import UNet

INPUT_SD = 4.0  # noise sd that enter the network as 1


class SliceNetwork(torch.nn.Module):
    """f(x) = g + s h(x, s, g): the initial estimate g plus a correction in units of the local noise s."""

    def __init__(self, guided: bool = True) -> None:
        super().__init__()
        self.correction = UNet(channels_in=3 if guided else 2)

    def forward(self, x: Tensor, relative_noise: Tensor, estimate: Tensor | None = None) -> Tensor:
        """Denoise slices; all arguments are (B, 1, H, W) in the network's units.

        Without an estimate, as the published method has none, x itself is g.
        """
        channels = [x / INPUT_SD, relative_noise] + ([] if estimate is None else [estimate / INPUT_SD])
        h: Tensor = self.correction(torch.cat(channels, dim=1))
        return (x if estimate is None else estimate) + relative_noise * h.float()
