"""One volume before and after, and what is tissue in it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import torch
from scipy import ndimage
from torch import Tensor

from models.compute import PROCESSOR
from models.filters import maximum, uniform
from models.side_by_side import each, in_batches
from operators.quality.bias import Images, Mask
from operators.quality.strength import at_strength

TISSUE_SMOOTH = 5  # pixels: single noisy voxels must not choose themselves as tissue
AROUND = 5  # pixels, side of the square by which tissue is widened, so that its own border is an edge
FROM_PADDING = 7  # pixels, side of the square around an edge that must be wholly measured


@dataclass(frozen=True)
class VolumePair:
    """One volume before and after.

    Attributes:
        before: (slices, rows, columns), real units.
        after: the same shape and unit.
        valid: the same shape, False on padding.
        spacing: mm between slices, rows and columns.
        threshold: value that separates tissue from air.
        modality: CT, MR or PT.
        device: on which it is measured.
    """

    before: Images
    after: Images
    valid: Mask
    spacing: tuple[float, float, float]
    threshold: float
    modality: str
    device: torch.device = PROCESSOR

    def at(self, strength: float) -> "VolumePair":
        """Return the same volume after so many percent of the change."""
        return replace(self, after=at_strength(self.before, self.after, self.valid, strength))

    @cached_property
    def tissue(self) -> Mask:
        """What is measured and no air, by the mean of before and after.

        Of PET by after alone: noise as strong as faint tissue would choose itself. What is erased in it shows in the
        total activity.
        """

        def of_slices(old: Tensor, new: Tensor, valid: Tensor) -> Tensor:
            mean = new if self.modality == "PT" else (old + new) / 2
            return (uniform(mean, TISSUE_SMOOTH) > self.threshold) & valid

        return in_batches(of_slices, self.before, self.after, self.valid, device=self.device)


def around_tissue(tissue: Mask, valid: Mask, device: torch.device) -> Mask:
    """Return where edges count: tissue and its border, away from padding."""

    def of_slices(tissue: Tensor, valid: Tensor) -> Tensor:
        return maximum(tissue, AROUND) & ~maximum(~valid, FROM_PADDING)

    return in_batches(of_slices, tissue, valid, device=device)


def body_of(tissue: Mask, device: torch.device) -> Mask:
    """Return tissue, its border and what it encloses in a slice: lung, bowel and sinuses hold structures too."""
    return np.stack(each(_filled, in_batches(lambda inside: maximum(inside, AROUND), tissue, device=device)))


def _filled(mask: Mask) -> Mask:
    """Return a slice's mask with what it encloses: all that is not joined to the border by pixels outside of it."""
    parts, _ = ndimage.label(np.pad(~mask, 1, constant_values=True))
    return np.asarray(parts[1:-1, 1:-1] != parts[0, 0])
