"""The checks of one ultrasound still or cine.

In: before and after in stored grey, and the tissue, which alone is written. Out: an `Assessment`.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch

from models.compute import PROCESSOR
from operators.quality.assessment import Assessment, Check
from operators.quality.bias import Images, Mask, Real, level_biases, slice_biases, square_means, sure, worst
from operators.quality.clip_structures import block_flicker, changed_structure
from operators.quality.gate_settings import GateSettings
from operators.quality.noise import noise_levels
from operators.quality.seam import border_step
from operators.quality.strength import at_strength

SIDE = 16  # pixels of a square: speckle averages out in it
LINE_FREEDOM = 3  # squares; the error of a line's slope needs more


@dataclass(frozen=True)
class ClipPair:
    """One clip before and after.

    Attributes:
        before: (frames, rows, columns), stored grey.
        after: the same shape and unit.
        tissue: (rows, columns), the pixels that may change.
        maximum: the largest storable grey.
        device: on which it is measured.
    """

    before: Images
    after: Images
    tissue: Mask
    maximum: float
    device: torch.device = PROCESSOR

    def at(self, strength: float) -> "ClipPair":
        """The same clip after so many percent of the change, as it would be written."""
        after = at_strength(self.before, self.after, self.tissue, strength, low_first=False)
        return replace(self, after=np.clip(np.where(self.tissue, after, self.before), 0, self.maximum))


def assess_clip(pair: ClipPair, strength: float, settings: GateSettings) -> Assessment:
    """The checks of ``pair``, which was changed by ``strength`` percent."""
    tissue = np.broadcast_to(pair.tissue, pair.before.shape)
    noise_before, noise_after = noise_levels(pair.before, pair.after, tissue)
    level, change = square_means(pair.before, pair.after, pair.after, tissue, SIDE)
    levels = list(level_biases(level, change))
    by_frame = slice_biases(pair.before, pair.after, tissue)
    percent = 100 / pair.maximum
    stretch, stretch_error = _stretch(level, change)
    contrast = sure(stretch, stretch_error)
    limit = settings.bias_percent
    by_level = worst([percent * sure(bias.bias, error) for bias, error in levels])
    by_level_raw = worst([percent * bias.bias for bias, _ in levels])
    changed = changed_structure(pair.before, pair.after, pair.tissue, pair.device)
    structure = strength / 100 * changed  # what remains is not lost
    border = 100 * (border_step(pair.before, pair.after, pair.tissue, pair.maximum) - 1)
    flicker = block_flicker(pair.before, pair.after, pair.tissue, SIDE)
    checks = (
        Check("mean_bias", percent * float(by_frame.mean()), limit, "%", "the mean grey stays"),
        Check("level_bias", by_level, limit, "%", "bright and dark tissue keep their grey", by_level_raw),
        Check("contrast", contrast, settings.contrast_percent, "%", "bright and dark are as far apart", stretch),
        Check("flicker", percent * float(np.ptp(by_frame)), limit, "%", "no frame is brighter or darker than it was"),
        Check("local_change", structure, settings.local_sd, "sd", "no line or spot was lost or made"),
        Check("border_step", border, settings.border_percent, "%", "no border shows where the change ends"),
        Check("block_flicker", percent * flicker if flicker else flicker, limit, "%", "no block flickers more"),
    )
    biases = tuple(bias for bias, _ in levels)
    return Assessment(strength, checks, noise_before, noise_after, "grey", biases)


def _stretch(level: Real, change: Real) -> tuple[float, float]:
    """Percent by which the levels of the squares were spread, the slope of change over level; and its error."""
    if level.size <= LINE_FREEDOM or not np.ptp(level) > 0:
        return 0.0, 0.0
    line, covariance = np.polyfit(level, change, 1, cov=True)
    return float(100 * line[0]), float(100 * np.sqrt(covariance[0, 0]))
