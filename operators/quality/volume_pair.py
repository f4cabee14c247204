"""One volume before and after, and what is tissue in it."""

from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

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
    """

    before: Images
    after: Images
    valid: Mask
    spacing: tuple[float, float, float]
    threshold: float
    modality: str

    def at(self, strength: float) -> "VolumePair":
        """Return the same volume after so many percent of the change."""
        return replace(self, after=at_strength(self.before, self.after, self.valid, strength))

    @property
    def tissue(self) -> Mask:
        """What is measured and no air, by the mean of before and after."""
        tissue = np.empty(self.valid.shape, bool)
        for old, new, valid, out in zip(self.before, self.after, self.valid, tissue, strict=True):
            out[...] = (ndimage.uniform_filter(old + new, TISSUE_SMOOTH) > 2 * self.threshold) & valid
        return tissue


def around_tissue(tissue: Mask, valid: Mask) -> Mask:
    """Return where edges count: tissue and its border, away from padding."""
    wide = ndimage.maximum_filter(tissue, (1, AROUND, AROUND))
    return np.asarray(wide & ndimage.minimum_filter(valid, (1, FROM_PADDING, FROM_PADDING), mode="nearest"))


def body_of(tissue: Mask) -> Mask:
    """Return tissue, its border and what it encloses in a slice: lung, bowel and sinuses hold structures too."""
    wide = ndimage.maximum_filter(tissue, (1, AROUND, AROUND))
    return np.stack([ndimage.binary_fill_holes(one) for one in wide])
