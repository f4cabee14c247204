"""Make what was removed even, so that one filter means the same everywhere: free of what is wide, and in its own level.

Images are (slices, rows, columns), on any device. y is before, f after, c = f - y. What is smooth is made on the
processor: cells are few.
"""

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from models.filters import uniform
from models.side_by_side import on_device
from operators.quality.bias import Images

WIDE = 15  # pixels, side of the square whose mean is taken off: what is wider moves the means of intensities
CELL, CELLS = 4, 5  # pixels a side of a cell; cells a side whose median is the level: a small structure fills fewer
NEAR, NEAR_FRACTION = 7, 0.85  # cells a side, and the fraction of their level that counts at least: where noise is
# retained, as at edges, a voxel that is not must not stand out
FAINT = 2.0  # levels: places where the output has more say little of the noise
REMOVED_SMOOTH = 1.0, 4.0, 4.0  # slices and cells, sd of the neighbourhood in which noise is reduced evenly
LEAST_LEVEL = 0.25  # of the level of all: where hardly anything was changed, nothing was lost
TINY = 1e-9  # keeps a fraction of nothing finite


def stabilised(images: Tensor, modality: str) -> Tensor:
    """Return images whose noise does not depend on their intensity: of PET, whose variance follows it, the roots."""
    return images.clamp(min=0).sqrt() if modality == "PT" else images


def halved(images: Tensor) -> Tensor:
    """Return the mean of each 2 x 2 pixels, of masks whether all are in; an odd row or column is left out."""
    rows, columns = (size // 2 * 2 for size in images.shape[1:])
    a, b, c, d = (images[:, i:rows:2, j:columns:2] for i in (0, 1) for j in (0, 1))
    return a & b & c & d if images.dtype == torch.bool else (a + b + c + d) / 4


def narrow(images: Tensor) -> Tensor:
    """Return images less the mean of the square around each pixel."""
    return images - uniform(images, WIDE)


def level_of(c: Tensor, inside: Tensor) -> Tensor:
    """Return the standard deviation of ``c`` inside around each voxel; infinite where nothing inside is near."""
    power, counted = (ndimage.uniform_filter1d(_cells(one), 3, axis=0) for one in (c * c * inside, inside.to(c.dtype)))
    least = LEAST_LEVEL**2 * power.sum() / max(counted.sum(), 1.0)
    loud = power > least * counted
    near, weight = (ndimage.uniform_filter(np.where(loud, one, 0), (0, NEAR, NEAR)) for one in (power, counted))
    near = np.maximum(near, 0) / np.maximum(weight, TINY)  # running sums end a little below 0
    own = np.where(loud, power / np.maximum(counted, TINY), near)
    typical = ndimage.median_filter(own, (1, CELLS, CELLS))
    level = np.sqrt(np.where(loud, np.maximum(typical, NEAR_FRACTION**2 * near), near))
    return _pixels(np.where(level > 0, level, np.inf), c)


def removed_near(y: Tensor, c: Tensor) -> Tensor:
    """Return by which fraction the noise was reduced around each voxel: ``<c, c> / |<y, c>|`` where f has little."""
    weighted = c / (1 + ((y + c) / FAINT) ** 2) ** 2
    power, cross = (ndimage.gaussian_filter(_cells(weighted * one), REMOVED_SMOOTH) for one in (c, y))
    return _pixels(np.minimum(power / np.maximum(np.abs(cross), TINY), 1), c)


def _cells(images: Tensor) -> Images:
    """Return the mean of each cell; the last ones are filled with zeros."""
    rows, columns = (-size % CELL for size in images.shape[1:])
    return np.asarray(functional.avg_pool2d(functional.pad(images, (0, columns, 0, rows)), CELL).cpu().numpy())


def _pixels(cells: Images, like: Tensor) -> Tensor:
    rows, columns = like.shape[1:]
    pixels = on_device(cells.astype(np.float32), like.device).repeat_interleave(CELL, 1).repeat_interleave(CELL, 2)
    return pixels[:, :rows, :columns]
