"""The networks of the ultrasound method, (images, 1, rows, columns) to the same shape, any size.

``ScaleMixer`` weighs smoothed copies of its input pixel by pixel, so that it starts as a sensible filter, keeps
brightness and learns in seconds; ``PublishedNetwork`` is Speckle2Self's three encoders and shared decoder.
"""

import torch
from torch import nn
from torch.nn import functional

from models.ultrasound.perturbation import COPIES, PUBLISHED_SCALES, smooth_copies

SLOPE = 0.1  # of the leaky rectifier
LEVELS = 4  # of the pyramid; the first works on half the image's size
MULTIPLE = 2**LEVELS  # rows and columns are padded to a multiple of this
PUBLISHED_WIDTHS = (32, 64, 128, 256)


class ScaleMixer(nn.Module):
    """A pixelwise mixture of smoothed copies plus a correction, both told by a small U-Net at half size."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        widths = [min(channels * 2**level, 3 * channels) for level in range(LEVELS)]
        self.first = _convolution(4, widths[0])
        self.down = nn.ModuleList(_Residual(widths[max(i - 1, 0)], widths[i]) for i in range(LEVELS))
        self.up = nn.ModuleList(_Residual(widths[i] + widths[i + 1], widths[i]) for i in range(LEVELS - 1))
        self.last = _convolution(widths[0], COPIES + 1)
        nn.init.zeros_(self.last.weight)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Denoised images, float32."""
        rows, columns = images.shape[-2:]
        padded = functional.pad(images, (0, -columns % MULTIPLE, 0, -rows % MULTIPLE), mode="replicate")
        with torch.autocast(images.device.type, enabled=False):
            copies = smooth_copies(padded.float())  # (images, scales, rows, columns)
        plan = _double(self._plan(functional.pixel_unshuffle(padded, 2))).float()
        weights, correction = plan[:, :-1].softmax(dim=1), plan[:, -1:]
        return ((weights * copies).sum(dim=1, keepdim=True) + correction)[..., :rows, :columns]

    def _plan(self, x: torch.Tensor) -> torch.Tensor:
        x = self.first(x)  # (images, channels, rows/2, columns/2)
        levels = []
        for i, block in enumerate(self.down):
            x = block(x if i == 0 else functional.avg_pool2d(x, 2))
            levels.append(x)
        for i in reversed(range(len(self.up))):
            x = self.up[i](torch.cat([levels[i], _double(x)], dim=1))
        result: torch.Tensor = self.last(functional.leaky_relu(x, SLOPE))
        return result


class PublishedNetwork(nn.Module):
    """Three encoders, one for each scale, and one decoder; no skip connections."""

    def __init__(self) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(_published_encoder() for _ in PUBLISHED_SCALES)
        self.decoder = _published_decoder()

    def forward(self, images: torch.Tensor, scale: int = -1) -> torch.Tensor:
        """The prediction from one scale's copy; -1 is the full scale, the output of the method."""
        rows, columns = images.shape[-2:]
        multiple = 2 ** (len(PUBLISHED_WIDTHS) + 1)  # an instance norm wants more than one pixel at the bottom
        padded = functional.pad(images, (0, -columns % multiple, 0, -rows % multiple), mode="replicate")
        result: torch.Tensor = self.decoder(self.encoders[scale](padded))
        return result[..., :rows, :columns]


class _Residual(nn.Module):
    def __init__(self, inward: int, outward: int) -> None:
        super().__init__()
        self.one, self.two = _convolution(inward, outward), _convolution(outward, outward)
        self.skip = nn.Conv2d(inward, outward, 1) if inward != outward else nn.Identity()
        nn.init.zeros_(self.two.weight)  # every block starts as its skip

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.skip(x) + self.two(functional.leaky_relu(self.one(x), SLOPE))
        return result


class _PublishedResidual(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        convolutions = [nn.Conv2d(width, width, 3, padding=1) for _ in range(2)]
        self.body = nn.Sequential(
            convolutions[0], nn.InstanceNorm2d(width), nn.ReLU(), convolutions[1], nn.InstanceNorm2d(width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = x + self.body(x)
        return result


def _convolution(inward: int, outward: int) -> nn.Conv2d:
    layer = nn.Conv2d(inward, outward, 3, padding=1)
    nn.init.kaiming_normal_(layer.weight, a=SLOPE)
    nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
    return layer


def _double(x: torch.Tensor) -> torch.Tensor:
    """Twice the size by interpolation: a transposed convolution would leave a checkerboard."""
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)


def _published_encoder() -> nn.Sequential:
    layers: list[nn.Module] = []
    for inward, outward in zip((1, *PUBLISHED_WIDTHS), PUBLISHED_WIDTHS, strict=False):
        layers += [nn.Conv2d(inward, outward, 3, stride=2, padding=1), nn.InstanceNorm2d(outward), nn.ReLU()]
        layers += [_PublishedResidual(outward)]
    return nn.Sequential(*layers)


def _published_decoder() -> nn.Sequential:
    """Ends in instance norm and rectifier like every level: the published output has no absolute brightness."""
    layers: list[nn.Module] = []
    for inward, outward in zip(PUBLISHED_WIDTHS[::-1], (*PUBLISHED_WIDTHS[-2::-1], 1), strict=True):
        layers += [_PublishedResidual(inward)]
        layers += [nn.ConvTranspose2d(inward, outward, 3, stride=2, padding=1, output_padding=1)]
        layers += [nn.InstanceNorm2d(outward), nn.ReLU()]
    return nn.Sequential(*layers)
