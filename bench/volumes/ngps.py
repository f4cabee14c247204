"""NGPS (arXiv 2606.23200): where a neighbouring slice shows something else, its similar patches near by are the target.

Guides are the median of bilaterally filtered slices on [0, 1]. Where two guides differ by more than 0.05 the target is
the mean of the raw centre pixels of the 4 patches of the neighbour's guide that are most like the slice's.
"""

import numpy as np
import torch
from scipy.ndimage import median_filter
from skimage.restoration import denoise_bilateral
from torch import Tensor
from torch.nn.functional import avg_pool2d, mse_loss, pad, unfold

from models.volume.pairs import SlicePair
from models.volume.scaling import Scaling

THRESHOLD = 0.05  # of the guides' difference on [0, 1] data, as published; the next four as well
PATCH, WINDOW, BEST = 7, 15, 4
MEDIAN = 5
LAMBDA_RC = 0.5


def targets(volume: Tensor) -> Tensor:
    """(slices, 3, rows, columns): what each slice is to become by the slice after it, by the one before, its index."""
    low, high = float(volume.min()), float(volume.max())
    guides = [_guide((slice_[0].numpy() - low) / (high - low)) for slice_ in volume]
    made = torch.empty(len(volume), 3, *volume.shape[2:])
    for i in range(len(volume)):
        made[i, 2] = i
        for side, step in enumerate((1, -1)):
            j = min(max(i + step, 0), len(volume) - 1)
            made[i, side] = _target(guides[i], guides[j], volume[j, 0])
    return made


def loss(network: torch.nn.Module, pair: SlicePair, scaling: Scaling) -> Tensor:
    """Least squares against the targets both ways, and L_RC."""
    assert pair.guides is not None
    f_i, f_j = network(pair.x.flatten(0, 1), torch.cat([pair.relative_noise, pair.relative_noise])).chunk(2)
    (after_i, before_i, index_i), (after_j, before_j, index_j) = (guides.split(1, dim=1) for guides in pair.guides)
    t_i = scaling.scaled(torch.where(index_j > index_i, after_i, before_i))
    t_j = scaling.scaled(torch.where(index_j > index_i, before_j, after_j))
    return mse_loss(f_i, t_i) + mse_loss(f_j, t_j) + LAMBDA_RC * mse_loss(f_i, f_j)


def _guide(slice_: np.ndarray) -> Tensor:
    filtered = denoise_bilateral(slice_, win_size=5, sigma_color=0.1, sigma_spatial=1.5)
    return torch.from_numpy(median_filter(filtered, MEDIAN)).float()


def _target(guide: Tensor, other: Tensor, raw: Tensor) -> Tensor:
    """Of one slice from one neighbour, both (rows, columns)."""
    reach = WINDOW // 2
    rows, columns = guide.shape
    near = [_windows(plane, reach).view(WINDOW**2, rows, columns) for plane in (other, raw)]
    cost = avg_pool2d((near[0] - guide) ** 2, PATCH, stride=1, padding=PATCH // 2)
    best = cost.topk(BEST, dim=0, largest=False).indices
    retrieved = near[1].gather(0, best).mean(0)
    return torch.where((guide - other).abs() > THRESHOLD, retrieved, raw)


def _windows(plane: Tensor, reach: int) -> Tensor:
    return unfold(pad(plane[None, None], (reach,) * 4, mode="replicate"), 2 * reach + 1)
