"""Find grey B-mode tissue in ultrasound pixels: the sector, without text, rulers, colour and static overlay.

In: the grey frames of one clip and what its header says of regions. Out: one mask (rows, columns). It
errs on the side of leaving a pixel as it is: a dark corner that holds no speckle is not tissue.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operators.dicom.errors import NoTissueError
from operators.dicom.regions import Mask, Regions

LIT = 2 / 255  # of full scale above the background: dimmer is background
WINDOW_SHARE = 40  # the side of the window that tells speckle from text is the shorter image side over this
SMALLEST_WINDOW = 5  # pixels
LIT_SHARE = 0.6  # of a window: speckle fills more of it, text and rulers less
SECTOR_SHARE = 0.1  # of the largest sector's area: a smaller patch is a logo or a bar
SMALLEST_TISSUE = 1024  # pixels; less cannot be fitted
COLOUR_MARGIN = 2  # pixels around coloured ones, where compression lets colour bleed
OVERLAY_HEIGHT = 0.35  # of full scale above its surroundings: brighter and thin is a drawn line or a letter
OVERLAY_LEVEL = 0.6  # of full scale, the least brightness of drawn lines
OVERLAY_WIDTH = 5  # pixels, the widest stroke taken for one
OVERLAY_MARGIN = 1  # pixels around it, its smoothed edge
STATIC_TOLERANCE = 8 / 255  # of full scale, over a cine: what moves less is drawn, what moves more is tissue
CINE_LENGTH = 5  # frames from which standing still tells anything


def tissue_mask(frames: npt.NDArray[np.float32], coloured: Mask, regions: Regions, maximum: float) -> Mask:
    """The pixels that may change.

    Args:
        frames: (frames, rows, columns) grey.
        coloured: (rows, columns), coloured in any frame.
        maximum: the largest storable grey.

    Raises:
        NoTissueError: nothing is left.
    """
    if regions.others_only:
        raise NoTissueError("the region calibration names no two-dimensional tissue region")
    allowed = ~regions.excluded & ~_grown(coloured, COLOUR_MARGIN)
    if regions.tissue is not None:
        allowed &= regions.tissue
    brightest = frames.max(axis=0)
    sector = _sector(brightest, allowed if regions.tissue is None else regions.tissue, maximum)
    tissue = sector & allowed & ~_overlay(frames, maximum)
    if int(tissue.sum()) < SMALLEST_TISSUE:
        raise NoTissueError(f"only {int(tissue.sum())} pixels look like speckle, fewer than {SMALLEST_TISSUE}")
    return np.asarray(tissue)


def _sector(brightest: npt.NDArray[np.float32], within: Mask, maximum: float) -> Mask:
    """The large areas that speckle fills, with the dark parts that they enclose."""
    lit = (brightest > _background(brightest, within) + LIT * maximum) & within
    window = max(SMALLEST_WINDOW, min(brightest.shape) // WINDOW_SHARE) | 1
    filled = ndimage.uniform_filter(lit.astype(np.float32), window) > LIT_SHARE
    opened = ndimage.binary_opening(filled, iterations=window // 2)
    parts, count = ndimage.label(opened)
    if not count:
        return np.zeros_like(within)
    areas = np.bincount(parts.ravel())[1:]
    large = np.flatnonzero(areas >= SECTOR_SHARE * areas.max()) + 1
    return np.asarray(ndimage.binary_fill_holes(np.isin(parts, large)))


def _background(brightest: npt.NDArray[np.float32], within: Mask) -> float:
    """The commonest of the darker grey levels: black, or the grey that a maker draws around the sector."""
    values = brightest[within]
    levels, counts = np.unique(values[values <= np.median(values)], return_counts=True)
    return float(levels[counts.argmax()])


def _overlay(frames: npt.NDArray[np.float32], maximum: float) -> Mask:
    """Thin bright strokes; in a cine only those that stand still."""
    least = frames.min(axis=0)
    raised = ndimage.white_tophat(least, size=OVERLAY_WIDTH)
    drawn = (raised > OVERLAY_HEIGHT * maximum) & (least > OVERLAY_LEVEL * maximum)
    if len(frames) >= CINE_LENGTH:
        drawn &= frames.max(axis=0) - least <= STATIC_TOLERANCE * maximum
    return _grown(drawn, OVERLAY_MARGIN)


def _grown(mask: Mask, margin: int) -> Mask:
    return np.asarray(ndimage.binary_dilation(mask, iterations=margin)) if mask.any() else mask
