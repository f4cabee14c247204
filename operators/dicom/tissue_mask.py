"""Find grey B-mode tissue in ultrasound pixels: the sector, without graphics and colour.

In: what the frames of one clip show and what its header says of regions. Out: one mask (rows, columns).
"""

import numpy as np
from scipy import ndimage

from operators.dicom.errors import ColouredSectorError, NoTissueError
from operators.dicom.graphics import find_graphics
from operators.dicom.regions import Mask, Regions
from operators.dicom.sector import find_sector
from operators.dicom.strokes import dilated, drawn_strokes
from operators.dicom.tissue_evidence import TissueEvidence

SMALLEST_TISSUE = 1024  # pixels; less cannot be fitted
NARROWEST_FRACTION = 60  # tissue is at least as wide as the shorter image side over this; less lies between letters
NARROWEST_TISSUE = 5  # pixels, at least
COLOURED_FRACTION = 0.5  # of the sector: with more, what is left is no image of its own
COLOUR_MARGIN = 2  # pixels around coloured ones, where compression lets colour bleed


def tissue_mask(evidence: TissueEvidence, regions: Regions, maximum: float) -> Mask:
    """Return the pixels that may change, (rows, columns).

    Args:
        maximum: the largest storable grey.

    Raises:
        NoTissueError: nothing is left.
    """
    if regions.others_only:
        raise NoTissueError("the region calibration names no two-dimensional tissue region")
    within = regions.tissue if regions.tissue is not None else np.ones_like(regions.excluded)
    drawn = drawn_strokes(evidence, maximum)
    sector, speckle = find_sector(evidence, drawn, within, maximum)
    if sector.any() and evidence.coloured[sector].mean() > COLOURED_FRACTION:
        raise ColouredSectorError()
    allowed = ~regions.excluded & ~dilated(evidence.coloured, COLOUR_MARGIN)
    tissue = sector & allowed & ~find_graphics(evidence, drawn, speckle, maximum)
    narrowest = max(NARROWEST_TISSUE, min(tissue.shape) // NARROWEST_FRACTION)
    tissue = ndimage.binary_opening(tissue, np.ones((narrowest, narrowest)))
    if int(tissue.sum()) < SMALLEST_TISSUE:
        raise NoTissueError(f"only {int(tissue.sum())} pixels look like speckle, fewer than {SMALLEST_TISSUE}")
    return np.asarray(tissue)
