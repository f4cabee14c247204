"""Small spots keep their contrast: what stands out of a slice on all sides is structure, and is not shrunk.

A spot of a few pixels that no neighbour shows is one of many similar patches, which draw it towards their mean. Where
the recorded slice, smoothed by a Gaussian G of a spot's width, exceeds all that the denoised one shows in a ring
around, or falls below it, by `STANDS_OUT_SD` of the noise, what was removed in the shape of G is given back:

    f <- f + a G,   a = <G, y - f> / <G, G>

Edges and lines continue in the ring, and so do not stand out of it.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.filters import gaussian, maximum
from models.side_by_side import each, on_device
from models.volume.dct import BLOCK
from models.volume.initial.patch_noise import patch_noise
from models.volume.measured_volume import MeasuredVolume

THICK = 3.0  # pixels between slices, from which on a spot of a few pixels lies in one; below, .07 to .15 dB are lost
WIDTHS = (1.2, 0.8, 0.5)  # pixels, sd of G: spots of about 4 to 1.5 pixels
STANDS_OUT_SD = 4.25  # of the noise, smoothed likewise; 4 costs .06 dB of a T2 in thick slices, 5 loses spots of 2 mm
RING, HALF_RING = (1.2, 1.2), 0.5  # pixels: radius and its growth with the width; half of the ring's breadth
RING_SMOOTH = 0.7  # pixels, sd: single pixels of the ring must not hide a spot
APART = 5  # pixels, side of the square in which a spot is the brightest or darkest place
SUM_REACH = 6  # widths of G, beyond which it holds nothing


def keep_spots(images: npt.NDArray[np.float32], voxels: npt.NDArray[np.float32], volume: MeasuredVolume) -> None:
    """Give back what spots of ``images`` have lost, in place.

    Args:
        images: denoised, (slices, rows, columns) in real units.
        voxels: as recorded, the same shape and unit.
        volume: the same with its tissue and its noise.
    """
    covariance = patch_noise(volume.noise.coefficient_sd, (1, BLOCK, BLOCK)).covariance.cpu().numpy()
    sds, device = [volume.noise.sd * _smoothed_sd(covariance, width) for width in WIDTHS], volume.voxels.device

    def keep_in_slice(index: int) -> None:
        image, voxel = (on_device(slices[index], device) for slices in (images, voxels))
        relative = volume.relative_noise(index)[0]
        for width, sd in zip(WIDTHS, sds, strict=True):
            lost = _lost(image, voxel, voxel > volume.tissue.threshold, width, STANDS_OUT_SD * sd * relative)
            image += gaussian(lost, width)
        images[index] = image.cpu().numpy()

    each(keep_in_slice, range(len(images)), device=device)


def _lost(image: Tensor, voxel: Tensor, inside: Tensor, width: float, least: Tensor) -> Tensor:
    """Return the a of each place where what was removed has the shape of G and the contrast exceeds ``least``."""
    seen, removed = (gaussian(slice_, width) for slice_ in (voxel, voxel - image))
    around = gaussian(image, RING_SMOOTH)
    lost = torch.zeros_like(image)
    for sign in (1, -1):
        places = _standing_out(sign * seen, sign * around, inside & (sign * removed > 0), width, least)
        lost[places] = removed[places] / _energy(width)
    return lost


def _standing_out(seen: Tensor, around: Tensor, inside: Tensor, width: float, least: Tensor) -> tuple[Tensor, Tensor]:
    """Return rows and columns of the places that exceed the whole ring around them."""
    rows, columns = (inside & (seen == maximum(seen, APART))).nonzero().unbind(1)
    radius = RING[0] + RING[1] * width
    reach = int(np.ceil(radius + HALF_RING))
    grid = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    steps = on_device(grid[:, np.abs(np.hypot(*grid) - radius) <= HALF_RING], seen.device)
    down, across = (
        (at[:, None] + step).clamp(0, size - 1)
        for at, step, size in zip((rows, columns), steps, seen.shape, strict=True)
    )
    chosen = seen[rows, columns] - around[down, across].amax(dim=1) > least[rows, columns]
    return rows[chosen], columns[chosen]


def _smoothed_sd(covariance: npt.NDArray[np.float32], width: float) -> float:
    """Return the sd of noise smoothed by G, from its covariance (pixels, pixels) in a block."""
    rows, columns = np.divmod(np.arange(len(covariance)), BLOCK)
    down, across = (np.subtract.outer(axis, axis) for axis in (rows, columns))
    pairs = (BLOCK - np.abs(down)) * (BLOCK - np.abs(across))  # of pixels of a block that lie so far apart
    weight = np.exp(-(down**2 + across**2) / (2 * width) ** 2) / (4 * np.pi * width**2)
    return float(np.sqrt((covariance / pairs * weight).sum()))


def _energy(width: float) -> float:
    """Return <G, G>."""
    side = 2 * int(np.ceil(SUM_REACH * width)) + 1
    point = torch.zeros(side, side, dtype=torch.float64)
    point[side // 2, side // 2] = 1
    return float(gaussian(point, width).square().sum())
