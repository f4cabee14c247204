"""The networks of the ultrasound method, (images, 1, rows, columns) to the same shape, any size.

``ScaleMixer`` weights smoothed copies of its input pixel by pixel, so that it starts as a sensible filter, keeps
brightness and learns in seconds. ``PublishedNetwork`` is Speckle2Self's three encoders and shared decoder.
"""

import torch
from monai.networks.blocks import Convolution
from torch import nn
from torch.nn import functional

from models.ultrasound.perturbation import COPIES, PUBLISHED_SCALES, smooth_copies

SLOPE = 0.1  # of the leaky rectifier
SCALES = 4  # of the pyramid; the first works on half the image's size
MULTIPLE = 2**SCALES  # rows and columns are padded to a multiple of this
PUBLISHED_WIDTHS = (32, 64, 128, 256)


class ScaleMixer(nn.Module):
    """A pixelwise mixture of smoothed copies plus a correction, both from a small U-Net at half size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = [min(channels * 2**scale, 3 * channels) for scale in range(SCALES)]
        self.first = _convolution(4, widths[0])
        self.down = nn.ModuleList(_Residual(widths[max(i - 1, 0)], widths[i]) for i in range(SCALES))
        self.up = nn.ModuleList(_Residual(widths[i] + widths[i + 1], widths[i]) for i in range(SCALES - 1))
        self.last = _convolution(widths[0], COPIES + 1)
        nn.init.zeros_(self.last.weight)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return denoised images, float32."""
        rows, columns = images.shape[-2:]
        padded = functional.pad(images, (0, -columns % MULTIPLE, 0, -rows % MULTIPLE), mode="replicate")
        with torch.autocast(images.device.type, enabled=False):
            copies = smooth_copies(padded.float())  # (images, scales, rows, columns)
        mixture = _double(self._mixture(functional.pixel_unshuffle(padded, 2))).float()
        weights, correction = mixture[:, :-1].softmax(dim=1), mixture[:, -1:]
        return ((weights * copies).sum(dim=1, keepdim=True) + correction)[..., :rows, :columns]

    def _mixture(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)  # (images, channels, rows/2, columns/2)
        skips = []
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else functional.avg_pool2d(x, 2))
            skips.append(x)
        for i in reversed(range(len(self.up))):
            x = self.up[i](torch.cat([skips[i], _double(x)], dim=1))
        result: torch.Tensor = self.last(functional.leaky_relu(x, SLOPE))
        return result


class PublishedNetwork(nn.Module):
    """Three encoders, one for each scale, and one decoder; no skip connections."""

    def __init__(self) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(_published_encoder() for _ in PUBLISHED_SCALES)
        self.decoder = _published_decoder()

    def forward(self, images: torch.Tensor, scale: int = -1) -> torch.Tensor:
        """Return the prediction from one scale's copy; -1 is the full scale, the output of the method."""
        rows, columns = images.shape[-2:]
        multiple = 2 ** (len(PUBLISHED_WIDTHS) + 1)  # an instance norm wants more than one pixel at the bottom
        padded = functional.pad(images, (0, -columns % multiple, 0, -rows % multiple), mode="replicate")
        result: torch.Tensor = self.decoder(self.encoders[scale](padded))
        return result[..., :rows, :columns]


class _Residual(nn.Module):
    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.first, self.second = _convolution(inward, outward), _convolution(outward, outward)
        self.skip = nn.Conv2d(inward, outward, 1) if inward != outward else nn.Identity()
        nn.init.zeros_(self.second.weight)  # every block starts as its skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.skip(x) + self.second(functional.leaky_relu(self.first(x), SLOPE))
        return result


class _PublishedResidual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        first = Convolution(2, width, width, act="RELU", norm="INSTANCE", adn_ordering="NA")
        self.body = nn.Sequential(first, Convolution(2, width, width, norm="INSTANCE", adn_ordering="N"))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = x + self.body(x)
        return result


def _convolution(inward: int, outward: int) -> nn.Conv2d:
    layer = nn.Conv2d(inward, outward, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def _double(x: torch.Tensor) -> torch.Tensor:
    """Return ``x`` at twice the size, interpolated: a transposed convolution would leave a checkerboard."""
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _published_encoder() -> nn.Sequential:
    layers: list[nn.Module] = []
    for inward, outward in zip((1, *PUBLISHED_WIDTHS), PUBLISHED_WIDTHS, strict=False):
        down = Convolution(2, inward, outward, strides=2, act="RELU", norm="INSTANCE", adn_ordering="NA")
        layers += [down, _PublishedResidual(outward)]
    return nn.Sequential(*layers)


def _published_decoder() -> nn.Sequential:
    """Return the decoder; it ends in instance norm and rectifier, so that its output has no absolute brightness."""
    layers: list[nn.Module] = []
    for inward, outward in zip(PUBLISHED_WIDTHS[::-1], (*PUBLISHED_WIDTHS[-2::-1], 1), strict=True):
        residual = _PublishedResidual(inward)
        up = Convolution(
            2, inward, outward, strides=2, act="RELU", norm="INSTANCE", adn_ordering="NA", is_transposed=True
        )
        layers += [residual, up]
    return nn.Sequential(*layers)
