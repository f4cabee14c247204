"""Find the B-mode sector in ultrasound pixels, as geometry: lumen, shadow and dark depth belong to it.

In: the brightest and darkest grey of each pixel over the frames of one clip. Out: a mask (rows, columns).
Many scanners draw a sector one grey above the screen's black: it is then known exactly. Elsewhere speckle fills large
connected areas, and the convex hull of such an area is its sector. A curved probe's sector is not convex at its top:
what the hull adds between the ends of the probe's arc is taken off again.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.morphology import convex_hull_image

from operators.dicom.graphics import dilated, drawn_strokes, in_even_run
from operators.dicom.regions import Mask
from operators.dicom.tissue_evidence import CINE_LENGTH, TissueEvidence

LIT = 2 / 255  # of full scale above the background: dimmer is background
DRAWN_BACKGROUND = 0.1  # of full scale: a brighter background is drawn, and tissue may be darker than it
WINDOW_FRACTION = 40  # the side of the window that tells speckle from text is the shorter image side over this
SMALLEST_WINDOW = 5  # pixels
LIT_FRACTION = 0.6  # of a window: speckle fills more of it, text and rulers less
SECTOR_FRACTION = 0.1  # of the largest sector's area: a smaller area is a logo or a bar
MOVING_FRACTION = 0.3  # of an area's pixels: tissue in a cine varies in more of them
FLOOR_FRACTION = 0.98  # of a sector with a floor: so many of its pixels are above the screen's black
DARK_FRACTION = 0.01  # of that sector, dark and beyond the hulls: with less, there is no floor to see
STROKE_SURROUNDINGS = 2  # pixels around text, left out of what counts as lit
ARC_WINDOWS = 3  # radius, in windows, of the disc that rolls into a probe's arc and not into gaps between speckle
ARC_SLOPE = 0.35  # rows a column: the top of a hull is flatter than this over an arc, its sides are steeper
SLOPE_SMOOTH = 5  # columns over which that slope is taken


def find_sector(evidence: TissueEvidence, within: Mask, maximum: float) -> tuple[Mask, Mask]:
    """Return the pixels of all sectors of a clip, and those of them that speckle fills without a gap.

    Args:
        within: (rows, columns), where the header allows tissue.
        maximum: the largest storable grey.
    """
    window = max(SMALLEST_WINDOW, min(within.shape) // WINDOW_FRACTION) | 1
    lit = _lit(evidence, within, maximum)
    parts, count = ndimage.label(_filled(lit, within, window, window // 2))
    if not count:
        return np.zeros_like(within), np.zeros_like(within)
    areas = np.bincount(parts.ravel())[1:]
    chosen = (areas >= SECTOR_FRACTION * areas.max()) & _moving(evidence, parts, count, maximum)
    parts = np.where(np.isin(parts, np.flatnonzero(chosen) + 1), parts, 0)
    hulls = np.zeros_like(within)
    for number in np.flatnonzero(chosen) + 1:
        part = parts == number
        hull = convex_hull_image(part)
        hulls |= hull & ~_beyond_arc(part, hull, ARC_WINDOWS * window)
    speckle = np.asarray(ndimage.binary_fill_holes(parts > 0))
    raised = within & (evidence.brightest > evidence.brightest[within].min())
    text = dilated(drawn_strokes(evidence, maximum), window // 2)
    floor = _joined(_filled(raised, within, window, window, text), parts > 0)
    dark = _filled(floor & ~hulls & ~lit, within, window, window // 2)
    has_floor = raised[floor].mean() >= FLOOR_FRACTION and dark.sum() >= DARK_FRACTION * floor.sum()
    return (floor | hulls & raised if has_floor else hulls & within), speckle


def _lit(evidence: TissueEvidence, within: Mask, maximum: float) -> Mask:
    """Return what differs from the background (black, or the grey that a maker draws) and is no graphic."""
    brightest = evidence.brightest
    values, counts = np.unique(brightest[within], return_counts=True)
    background = float(values[counts.argmax()]) if values.size else 0.0
    difference = brightest - background
    differs = np.abs(difference) if background > DRAWN_BACKGROUND * maximum else difference
    graphics = dilated(drawn_strokes(evidence, maximum), STROKE_SURROUNDINGS) | in_even_run(brightest)
    return np.asarray(within & (differs > LIT * maximum) & ~graphics)


def _filled(mask: Mask, within: Mask, window: int, reach: int, text: Mask | None = None) -> Mask:
    """Return the areas, wider than twice the reach where there is no text, that the mask fills."""
    near, mask_near = (ndimage.uniform_filter(part.astype(np.float32), window) for part in (within, mask))
    filled = within & (mask_near > LIT_FRACTION * near)
    opened = ndimage.binary_opening(filled if text is None else filled & ~text, iterations=reach)
    return np.asarray(filled & dilated(opened, reach))


def _joined(areas: Mask, seeds: Mask) -> Mask:
    """Return those areas, with their holes, that hold seeds."""
    parts, _ = ndimage.label(areas)
    return np.asarray(ndimage.binary_fill_holes(np.isin(parts, np.unique(parts[seeds & areas]))))


def _moving(evidence: TissueEvidence, parts: npt.NDArray[np.int32], count: int, maximum: float) -> Mask:
    """Return which parts of a cine move; all of them in a still, and where nothing does."""
    moves = evidence.brightest - evidence.darkest > LIT * maximum
    moving = np.asarray(ndimage.mean(moves, parts, np.arange(1, count + 1))) > MOVING_FRACTION
    return moving if evidence.frames >= CINE_LENGTH and moving.any() else np.ones(count, bool)


def _beyond_arc(part: Mask, hull: Mask, radius: int) -> Mask:
    """Return what ``hull`` adds above the probe's arc: above ``part`` closed by a disc of ``radius`` pixels."""
    reached = ndimage.distance_transform_edt(~np.pad(part, radius)) <= radius
    closed = (ndimage.distance_transform_edt(reached) > radius)[radius:-radius, radius:-radius] | part
    columns = np.flatnonzero(hull.any(axis=0))
    top = hull.argmax(axis=0)
    slope = np.gradient(ndimage.uniform_filter1d(top[columns].astype(float), SLOPE_SMOOTH))
    upper_half = top[columns] < np.flatnonzero(hull.any(axis=1)).mean()
    arc = np.zeros(hull.shape[1], bool)
    arc[columns] = (np.abs(slope) < ARC_SLOPE) & upper_half
    begins = np.where(closed.any(axis=0), closed.argmax(axis=0), 0)
    above = np.arange(len(hull))[:, None] < begins
    return np.asarray(hull & above & arc)
