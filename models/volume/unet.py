"""A residual U-Net on pixel-unshuffled slices: few operations per pixel, output zero before the first step."""

from itertools import pairwise

import torch
from monai.networks.blocks import ResidualUnit
from torch import Tensor, nn
from torch.nn import functional

SHUFFLE = 2  # pixels a side that become channels: full-resolution convolutions cost most and see least
WIDTHS = (48, 64, 96)  # channels of each scale


class UNet(nn.Module):
    """A correction for every pixel; its last layer starts at zero.

    No normalisation layers: they would tie a pixel's value to the mean of its crop.
    """

    def __init__(self, channels_in: int, widths: tuple[int, ...] = WIDTHS) -> None:
        super().__init__()
        steps = list(pairwise(widths))
        self.head = nn.Conv2d(channels_in * SHUFFLE**2, widths[0], 3, padding=1)
        self.encoders = nn.ModuleList(_residual(fine) for fine, _ in steps)
        self.downs = nn.ModuleList(nn.Conv2d(fine, coarse, 2, stride=2) for fine, coarse in steps)
        self.middle = _residual(widths[-1])
        self.ups = nn.ModuleList(nn.Conv2d(coarse, fine, 1) for fine, coarse in reversed(steps))
        self.decoders = nn.ModuleList(_residual(fine) for fine, _ in reversed(steps))
        self.tail = nn.Conv2d(widths[0], SHUFFLE**2, 3, padding=1)
        nn.init.zeros_(self.tail.weight)
        nn.init.zeros_(self.tail.bias)  # type: ignore[arg-type]  # a convolution made with a bias has one
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, channels_in, H, W) of any H and W to (B, 1, H, W)."""
        height, width = x.shape[-2:]
        multiple = SHUFFLE * 2 ** len(self.downs)
        if height % multiple or width % multiple:
            x = functional.pad(x, (0, -width % multiple, 0, -height % multiple), mode="replicate")
        x = functional.pixel_unshuffle(x, SHUFFLE)  # (B, 4 channels_in, H/2, W/2)
        x = self.head(x.contiguous(memory_format=torch.channels_last))  # (B, 48, H/2, W/2)
        skips = []
        for encoder, down in zip(self.encoders, self.downs, strict=True):
            skips.append(encoder(x))
            x = down(skips[-1])  # (B, 64, H/4, W/4), then (B, 96, H/8, W/8)
        x = self.middle(x)
        for up, decoder in zip(self.ups, self.decoders, strict=True):
            x = decoder(functional.interpolate(up(x), scale_factor=2.0) + skips.pop())
        return functional.pixel_shuffle(self.tail(x), SHUFFLE)[..., :height, :width]


def _residual(width: int) -> nn.Module:
    """Return x + conv(relu(conv(x))), 3x3."""
    unit: nn.Module = ResidualUnit(2, width, width, act="RELU", norm=None, adn_ordering="A", last_conv_only=True)
    return unit
