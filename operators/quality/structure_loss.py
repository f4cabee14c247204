"""Measure which fraction of the contrast of faint structures is lost on average, though no single place is sure.

y is before, f after, c = f - y, each in a band that holds structures of one to three pixels. Noise loses and gains
equally wherever a structure is known without it: slices some millimetres away show the same vessels, folds and plates
with other noise. With z the sum of y and f there, in which what a denoiser mixes of slices cancels,
``-<c, z> / <y, z>`` is the excess of what was lost over what was gained, as a fraction of what there is.
"""

import math
from dataclasses import dataclass

import numpy as np

from models.compute import PROCESSOR
from models.filters import gaussian
from models.side_by_side import each, on_device
from operators.quality.bias import SURE, Images, Mask, squares
from operators.quality.noise import sampled
from operators.quality.volume_pair import VolumePair

BAND = 0.7, 2.0  # pixels, sd of the Gaussians whose difference it is
LEAST_GAP, GAP_MM = 2, 4.0  # slices and mm between slices: overlapping ones have noise in common
SLICES = 12  # evenly along the volume: enough, with thousands of structures in each
STRONG = 8.0  # sd of c: where f has more, edges are watched by themselves
BOUND = 6.0  # sd of c that the other slices count at most
TILE = 16  # pixels a side of the tiles whose sums give the spread
LARGEST_ERROR = 10.0  # percent, the standard error above which nothing is reported
TINY = 1e-12  # keeps a fraction of nothing finite


@dataclass(frozen=True)
class StructureLoss:
    """The excess of lost over gained contrast of faint structures, and its standard error, in percent."""

    percent: float
    error: float

    @property
    def sure(self) -> float:
        """What of a loss stands out of its uncertainty; 0 of a gain, which sharpening and neighbouring slices give."""
        return max(0.0, self.percent - SURE * self.error)


def structure_loss(pair: VolumePair, body: Mask) -> StructureLoss | None:
    """Return the loss of a volume, None where there are too few slices or too little structure.

    Args:
        pair: before and after; of PET nothing can be said, whose slices have noise in common.
        body: the same shape, where faint structures count.
    """
    gap = max(LEAST_GAP, math.ceil(GAP_MM / pair.spacing[0]))
    inner = range(gap, len(body) - gap)
    if pair.modality == "PT" or not inner:
        return None
    chosen = (inner[i] for i in sampled(len(inner), SLICES))
    lost, there = np.concatenate(each(lambda index: _products(pair, body, index, gap), chosen), axis=1)
    return _loss_of(lost, there)


def _loss_of(lost: Images, there: Images) -> StructureLoss | None:
    total = float(there.sum())
    if total <= 0:
        return None
    ratio = float(lost.sum()) / total
    error = 100 * float(np.sqrt(np.square(lost - ratio * there).sum())) / total
    return StructureLoss(100 * ratio, error) if error <= LARGEST_ERROR else None


def _products(pair: VolumePair, body: Mask, index: int, gap: int) -> Images:
    """Return -<c, z> and <y, z> of each tile of a slice, (2, tiles)."""
    far = (index - gap, index + gap)
    y, c = _band(pair.before[index]), _band(pair.after[index] - pair.before[index])
    inside = np.logical_and.reduce(body[[index, *far]])
    sd = float(np.sqrt(np.mean(np.square(c[inside])))) if inside.any() else 0.0
    if not sd:
        return np.zeros((2, 0), np.float32)
    z = np.clip(sum(_band(pair.before[i] + pair.after[i]) for i in far), -BOUND * sd, BOUND * sd)
    z *= inside & (np.abs(y + c) < STRONG * sd)
    return np.asarray(squares(np.stack([-c * z, y * z]), TILE).sum(axis=-1).reshape(2, -1) / sd**2)


def _band(image: Images) -> Images:
    narrow, wide = (gaussian(on_device(image, PROCESSOR), sd) for sd in BAND)
    return (narrow - wide).numpy()
