"""How strong the speckle is at each grey level of a clip.

Log compression gives fully developed speckle one spread at every level; clipping at black, a grey map's curve and a
scanner's filters do not leave it so. In: frames and tissue; out: a curve from grey level to standard deviation.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from models.perturbation import gaussian

BACKGROUND_SIGMA = 5.0, 7.0  # pixels, axial and lateral; what is left above it is speckle
BINS = 12  # of equally many pixels, from dark to bright
LEAST_SHARE = 0.1  # of the largest: a level without any speckle still tolerates a little

Real = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SpeckleCurve:
    """Grey levels and the standard deviation of the speckle there, in the frames' unit."""

    levels: Real
    deviations: Real

    def at(self, level: torch.Tensor) -> torch.Tensor:
        """The standard deviation at each pixel of an image of levels, same shape."""
        found = np.interp(level.cpu().numpy(), self.levels, self.deviations).astype(np.float32)
        return torch.from_numpy(found).to(level.device)


def local_mean(frames: torch.Tensor, tissue: torch.Tensor) -> torch.Tensor:
    """(frames, rows, columns) smoothed within the tissue (rows, columns) beyond the grain of the speckle."""
    inside = tissue.to(frames.dtype)[None, None]
    weight = gaussian(inside, *BACKGROUND_SIGMA).clamp(min=torch.finfo(frames.dtype).eps)
    return (gaussian(frames[:, None] * inside, *BACKGROUND_SIGMA) / weight)[:, 0]


def speckle_curve(frames: torch.Tensor, tissue: torch.Tensor) -> SpeckleCurve:
    """The curve of (frames, rows, columns): at each level the median over its pixels, so that edges do not count."""
    level = local_mean(frames, tissue)
    variance = local_mean((frames - level).square(), tissue)
    levels, variances = (each[:, tissue].flatten().cpu().numpy().astype(np.float64) for each in (level, variance))
    groups = np.array_split(np.argsort(levels), BINS)
    centres, medians = np.array(
        [(np.median(levels[each]), np.median(variances[each])) for each in groups if each.size]
    ).T
    deviations = np.sqrt(medians)
    return SpeckleCurve(centres, np.maximum(deviations, LEAST_SHARE * deviations.max()))
