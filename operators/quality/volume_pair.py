"""One volume before and after, and what is tissue in it."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import ndimage

from operators.quality.bias import Images, Mask
from operators.quality.side_by_side import each
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

    @cached_property
    def tissue(self) -> Mask:
        """What is measured and no air, by the mean of before and after.

        Of PET by after alone: noise as strong as faint tissue would choose itself. What is erased in it shows in the
        total activity.
        """

        def of_slice(old: Images, new: Images, valid: Mask) -> Mask:
            mean = new if self.modality == "PT" else (old + new) / 2
            return np.asarray((ndimage.uniform_filter(mean, TISSUE_SMOOTH) > self.threshold) & valid)

        return np.stack(each(of_slice, self.before, self.after, self.valid))


def around_tissue(tissue: Mask, valid: Mask) -> Mask:
    """Return where edges count: tissue and its border, away from padding."""

    def of_slice(tissue: Mask, valid: Mask) -> Mask:
        measured = valid.all() or ndimage.minimum_filter(valid, FROM_PADDING, mode="nearest")
        return np.asarray(ndimage.maximum_filter(tissue, AROUND) & measured)

    return np.stack(each(of_slice, tissue, valid))


def body_of(tissue: Mask) -> Mask:
    """Return tissue, its border and what it encloses in a slice: lung, bowel and sinuses hold structures too."""
    return np.stack(each(lambda one: _filled(ndimage.maximum_filter(one, AROUND)), tissue))


def _filled(mask: Mask) -> Mask:
    """Return a slice's mask with what it encloses: all that is not joined to the border by pixels outside of it."""
    parts, _ = ndimage.label(np.pad(~mask, 1, constant_values=True))
    return np.asarray(parts[1:-1, 1:-1] != parts[0, 0])
