"""The network of NS-N2N: one slice in, the same slice denoised out."""

import torch
from torch import Tensor

from models.volume.unet import UNet

INPUT_SD = 4.0  # noise sd that enter the network as 1


class SliceNetwork(torch.nn.Module):
    """f(x) = g + s h(x, s, g): the initial estimate g plus a correction in units of the local noise s."""

    def __init__(self, guided: bool = True) -> None:
        super().__init__()
        scale = [1 / INPUT_SD, 1.0] + [1 / INPUT_SD] * guided
        self.correction = UNet(channels_in=len(scale))
        self.scale: Tensor
        self.register_buffer("scale", torch.tensor(scale)[:, None, None])

    def forward(self, x: Tensor, relative_noise: Tensor, estimate: Tensor | None = None) -> Tensor:
        """Denoise slices; all arguments are (..., 1, H, W) in the network's units.

        Without an estimate, as the published method has none, x itself is g.
        """
        channels = torch.cat([x, relative_noise] + ([] if estimate is None else [estimate]), dim=-3) * self.scale
        h: Tensor = self.correction(channels.flatten(0, -4)).view(x.shape)
        return (x if estimate is None else estimate) + relative_noise * h
