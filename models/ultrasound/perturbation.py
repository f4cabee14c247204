"""Copies of an image in which speckle changes and anatomy stays: the scales of Speckle2Self.

``scale_copies`` are the published ones, resized down and back up. ``smooth_copies`` are the anisotropic pyramid that
the default network mixes pixel by pixel. Both take (images, 1, rows, columns). Scaled copies still share their speckle,
so the default method transplants speckle instead (models/ultrasound/speckle_loss.py).
"""

from functools import cache

import torch
from monai.networks.layers import gaussian_1d, separable_filtering
from torch.nn import functional

PUBLISHED_SCALES = (0.25, 0.5, 1.0)
FINE_SMOOTHING = ((1.0, 1.5), (1.0, 4.0), (2.0, 2.0), (3.0, 1.5))  # sigma in pixels, axial and lateral
WIDE_SMOOTHING = ((1.5, 8.0), (4.0, 5.0), (8.0, 9.0))  # leaves homogeneous tissue; at half size, a quarter of the work
COPIES = 1 + len(FINE_SMOOTHING) + len(WIDE_SMOOTHING)
TRUNCATE = 3.0  # sigmas at which a Gaussian ends


def scale_copies(images: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return each published scale: bilinear down and up without antialiasing, then to [0, 1] by its own extremes."""
    return tuple(to_unit_range(_down_and_up(images, scale)) for scale in PUBLISHED_SCALES)


def smooth_copies(images: torch.Tensor) -> torch.Tensor:
    """Return the image and its Gaussian copies as channels: (images, COPIES, rows, columns); sides are even."""
    half = functional.avg_pool2d(images, 2)
    wide = torch.cat([_smoothed(half, axial / 2, lateral / 2) for axial, lateral in WIDE_SMOOTHING], dim=1)
    wide = functional.interpolate(wide, scale_factor=2.0, mode="bilinear", align_corners=False)
    return torch.cat([images, *(_smoothed(images, *sigmas) for sigmas in FINE_SMOOTHING), wide], dim=1)


def _smoothed(images: torch.Tensor, axial: float, lateral: float) -> torch.Tensor:
    """Return images smoothed by a Gaussian with sigmas in pixels, by few launches; the last pixel continues a border.

    The filters of models/filters.py are faster on a processor, but launch each pixel of a Gaussian by itself.
    """
    smoothed: torch.Tensor = separable_filtering(images, [_kernel(axial), _kernel(lateral)], mode="replicate")
    return smoothed


@cache
def _kernel(sigma: float) -> torch.Tensor:
    kernel: torch.Tensor = gaussian_1d(torch.tensor(sigma), TRUNCATE, approx="sampled", normalize=True)
    return kernel


def to_unit_range(images: torch.Tensor) -> torch.Tensor:
    """Return each image scaled to [0, 1] by its own extremes."""
    low, high = images.amin((-2, -1), keepdim=True), images.amax((-2, -1), keepdim=True)
    return (images - low) / (high - low).clamp(min=torch.finfo(images.dtype).eps)


def _down_and_up(images: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1.0:
        return images
    size = [max(1, int(length * scale)) for length in images.shape[-2:]]
    small = functional.interpolate(images, size=size, mode="bilinear", align_corners=False)
    return functional.interpolate(small, size=images.shape[-2:], mode="bilinear", align_corners=False)
