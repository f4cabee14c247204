"""Find grey B-mode tissue in ultrasound pixels: the sector, without text, rulers, colour and static overlay.

In: the grey frames of one clip and what its header says of regions. Out: one mask (rows, columns). It
errs on the side of leaving a pixel as it is: a dark corner that holds no speckle is not tissue.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operators.dicom.errors import ColouredSectorError, NoTissueError
from operators.dicom.regions import Mask, Regions

LIT = 2 / 255  # of full scale above the background: dimmer is background
DRAWN_BACKGROUND = 0.1  # of full scale: a brighter background is drawn, and tissue may be darker than it
WINDOW_FRACTION = 40  # the side of the window that separates speckle from text is the shorter image side over this
SMALLEST_WINDOW = 5  # pixels
LIT_FRACTION = 0.6  # of a window: speckle fills more of it, text and rulers less
SECTOR_FRACTION = 0.1  # of the largest sector's area: a smaller patch is a logo or a bar
SMALLEST_TISSUE = 1024  # pixels; less cannot be fitted
COLOURED_FRACTION = 0.5  # of the sector: with more, what is left is no image of its own
COLOUR_MARGIN = 2  # pixels around coloured ones, where compression lets colour bleed
STROKE_HEIGHT = 0.35  # of full scale above its surroundings: brighter and thin is a drawn line or a letter
STROKE_LEVEL = 0.6  # of full scale, the least brightness of drawn lines
STROKE_WIDTH = 5  # pixels, the widest stroke taken for one
STROKE_MARGIN = 1  # pixels around it, its smoothed edge
BAR_LEVEL = 0.1  # of full scale, the least brightness of filled bars and grey wedges
EVEN_RUN = 9  # pixels of one value in a row: speckle has none so long
CINE_LENGTH = 5  # frames from which standing still means anything
STATIC_TOLERANCE = 8 / 255  # of full scale, over a cine: a stroke that varies more is tissue
MOVING_FRACTION = 0.3  # of an area's pixels: tissue in a cine varies in more of them


class TissueEvidence:
    """What the frames of one clip show together, gathered frame by frame."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.brightest = np.full(shape, -np.inf, np.float32)
        self.darkest = np.full(shape, np.inf, np.float32)
        self.coloured = np.zeros(shape, bool)
        self.frames = 0

    def add(self, grey: npt.NDArray[np.float32], coloured: Mask) -> None:
        """Add one frame, (rows, columns)."""
        np.maximum(self.brightest, grey, out=self.brightest)
        np.minimum(self.darkest, grey, out=self.darkest)
        self.coloured |= coloured
        self.frames += 1


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
    allowed = within & ~regions.excluded & ~_grown(evidence.coloured, COLOUR_MARGIN)
    sector = _sector(evidence, within, maximum)
    if sector.any() and evidence.coloured[sector].mean() > COLOURED_FRACTION:
        raise ColouredSectorError()
    tissue = sector & allowed & ~_drawn(evidence, maximum)
    if int(tissue.sum()) < SMALLEST_TISSUE:
        raise NoTissueError(f"only {int(tissue.sum())} pixels look like speckle, fewer than {SMALLEST_TISSUE}")
    return np.asarray(tissue)


def _sector(evidence: TissueEvidence, within: Mask, maximum: float) -> Mask:
    """Return the large areas that speckle fills, with the dark parts that they enclose."""
    lit = _lit(evidence.brightest, within, maximum)
    window = max(SMALLEST_WINDOW, min(lit.shape) // WINDOW_FRACTION) | 1
    near, lit_near = (ndimage.uniform_filter(mask.astype(np.float32), window) for mask in (within, lit))
    filled = within & (lit_near > LIT_FRACTION * near)
    parts, count = ndimage.label(ndimage.binary_opening(filled, iterations=window // 2))
    if not count:
        return np.zeros_like(within)
    areas = np.bincount(parts.ravel())[1:]
    chosen = (areas >= SECTOR_FRACTION * areas.max()) & _moving(evidence, parts, count, maximum)
    return np.asarray(ndimage.binary_fill_holes(np.isin(parts, np.flatnonzero(chosen) + 1)))


def _lit(brightest: npt.NDArray[np.float32], within: Mask, maximum: float) -> Mask:
    """Return what differs from the background: black, or the grey that a maker draws around the sector."""
    levels, counts = np.unique(brightest[within], return_counts=True)
    background = float(levels[counts.argmax()]) if levels.size else 0.0
    above = brightest - background
    differs = np.abs(above) if background > DRAWN_BACKGROUND * maximum else above
    return np.asarray(within & (differs > LIT * maximum) & ~_even(brightest))


def _moving(evidence: TissueEvidence, parts: npt.NDArray[np.int32], count: int, maximum: float) -> Mask:
    """Return which parts of a cine move; all of them in a still, and where nothing does."""
    moves = evidence.brightest - evidence.darkest > LIT * maximum
    fraction = ndimage.mean(moves, parts, np.arange(1, count + 1))
    moving = np.asarray(fraction) > MOVING_FRACTION
    return moving if evidence.frames >= CINE_LENGTH and moving.any() else np.ones(count, bool)


def _drawn(evidence: TissueEvidence, maximum: float) -> Mask:
    """Return thin bright strokes and evenly filled bars; in a cine only strokes that stand still."""
    least = evidence.darkest
    raised = ndimage.white_tophat(least, size=STROKE_WIDTH)
    strokes = (raised > STROKE_HEIGHT * maximum) & (least > STROKE_LEVEL * maximum)
    if evidence.frames >= CINE_LENGTH:
        strokes &= evidence.brightest - least <= STATIC_TOLERANCE * maximum
    return _grown(strokes, STROKE_MARGIN) | (_even(least) & (least > BAR_LEVEL * maximum))


def _even(image: npt.NDArray[np.float32]) -> Mask:
    """Return pixels in a run of equal ones along a row or a column; speckle has none so long."""
    even = np.zeros(image.shape, bool)
    for axis in (0, 1):
        highest = ndimage.maximum_filter1d(image, EVEN_RUN, axis)
        centres = highest == ndimage.minimum_filter1d(image, EVEN_RUN, axis)
        even |= ndimage.maximum_filter1d(centres, EVEN_RUN, axis)
    return even


def _grown(mask: Mask, margin: int) -> Mask:
    return np.asarray(ndimage.binary_dilation(mask, iterations=margin)) if mask.any() else mask
