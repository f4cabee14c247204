"""Matched regions: where a neighbouring slice confirms what a slice shows.

W = 1 where it does, 0 elsewhere. The published test compares two strongly smoothed guide images with a fixed threshold.
Ours compares 3x3 means of the initial estimates with the noise that is left in them, so that small structures count.
"""

import math

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from skimage.restoration import denoise_nl_means
from torch import Tensor
from torch.nn import functional

from models.filters import uniform
from models.robust import robust_sd
from models.volume.noise.noise_level import SliceNoise
from models.volume.noise.slice_correlation import settled
from models.volume.scaling import Scaling

PUBLISHED_TAU = 0.015  # of the guides' difference, on [0, 1] data (NS-N2N)
PUBLISHED_MEDIAN = 5  # pixels a side, of the guide's median filter (NS-N2N)
MATCH_SIDE = 3  # pixels of squares whose means are compared: as small as structures that must not be averaged away
MATCH_SD = 1.5  # sd of the difference of two such means; at 2 the edges of PET grow by 16 %, at 1.5 by 5
UNMATCHED_SIDE = 3  # pixels of the square around each that did not match: its flanks are not confirmed either


def estimate_difference_sd(noise: SliceNoise) -> float:
    """Return the sd of the difference of the initial estimates of two slices ``noise.gap`` apart that show the same.

    In units of the local noise. What shrinkage leaves of the noise is mostly the mean of a block.
    """
    correlation = settled(noise.correlations)[noise.gap - 1]
    return float(noise.coefficient_sd[0]) / math.sqrt(len(noise.coefficient_sd)) * math.sqrt(2 * (1 - correlation))


def confirmed(g_i: Tensor, g_j: Tensor, relative_noise: Tensor, difference_sd: float) -> Tensor:
    """Return W of two crops (B, 1, H, W): where their 3x3 means differ by no more than the noise in them explains."""
    difference = uniform(g_i - g_j, MATCH_SIDE).abs() / relative_noise
    unmatched = (difference > MATCH_SD * difference_sd).float()
    return functional.max_pool2d(unmatched, UNMATCHED_SIDE, stride=1, padding=UNMATCHED_SIDE // 2) == 0


def published_guides(voxels: Tensor, scaling: Scaling) -> npt.NDArray[np.float32]:
    """Return LPF of NS-N2N of each of ``voxels``, (slices, 1, rows, columns): (slices, rows, columns) on [0, 1]."""
    return np.stack([strong_low_pass(scaling.scaled(slice_)[0].cpu().numpy()) for slice_ in voxels], dtype=np.float32)


def strong_low_pass(slice_: np.ndarray) -> np.ndarray:
    """Return LPF of NS-N2N: a 5x5 median of a non-local-means filtered slice (rows, columns) on [0, 1]."""
    filtered = denoise_nl_means(slice_, patch_size=5, patch_distance=6, h=0.8 * _white_sd(slice_), fast_mode=True)
    guide: np.ndarray = ndimage.median_filter(filtered, PUBLISHED_MEDIAN)
    return guide


def _white_sd(slice_: np.ndarray) -> float:
    """Return the sd of the noise, from second differences along rows, which hold hardly any anatomy."""
    second = np.diff(slice_, n=2, axis=1) / math.sqrt(6)
    return max(robust_sd(torch.from_numpy(second)), 1e-6)
