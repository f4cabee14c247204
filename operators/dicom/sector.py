"""Find the B-mode sector in ultrasound pixels, as geometry: lumen, shadow and dark depth belong to it.

In: what the frames of one clip show. Out: a mask (rows, columns). Many scanners draw a sector one grey above the
screen's black; such a floor shows its exact shape. Elsewhere the convex hull of an area that speckle fills is its
sector. A curved probe's sector is not convex at its top: what the hull adds between the ends of the probe's arc is
taken off again.
"""

import numpy as np
from scipy import ndimage
from skimage.morphology import convex_hull_image

from operators.dicom.regions import Mask
from operators.dicom.speckle_areas import filled_areas, lit_pixels, speckle_areas, window_of
from operators.dicom.strokes import dilated
from operators.dicom.tissue_evidence import TissueEvidence

FLOOR_FRACTION = 0.98  # of the pixels of a sector with a floor are above the screen's black
BLACK_FRACTION = 0.1  # of the image is black around it; elsewhere screen and sector have one black
DARK_FRACTION = 0.01  # of that sector is dark and beyond the hulls; with less, the floor adds nothing
ARC_WINDOWS = 3  # radius, in windows, of the disc that rolls into a probe's arc and not into gaps between speckle
ARC_SLOPE = 0.35  # rows a column: the top of a hull is flatter than this over an arc, its sides are steeper
SLOPE_SMOOTH = 5  # columns over which that slope is taken


def find_sector(evidence: TissueEvidence, drawn: Mask, within: Mask, maximum: float) -> tuple[Mask, Mask]:
    """Return the pixels of all sectors of a clip, and those of them that speckle fills, with the holes in it.

    Args:
        drawn: (rows, columns), the strokes that a scanner has drawn.
        within: the same shape, where the header allows tissue.
        maximum: the largest storable grey.
    """
    lit = lit_pixels(evidence, drawn, within, maximum)
    parts = speckle_areas(evidence, lit, within, maximum)
    speckle = np.asarray(ndimage.binary_fill_holes(parts > 0))
    hulls = np.zeros_like(within)
    for number in np.unique(parts[parts > 0]):
        hulls |= within & _hull(parts == number)
    if not hulls.any():
        return hulls, speckle
    raised = evidence.brightest > evidence.brightest.min()
    floor = _floor(raised & within, within, speckle, drawn)
    dark = filled_areas(floor & ~hulls & ~lit, within, window_of(lit.shape) // 2)
    if dark.sum() > DARK_FRACTION * floor.sum() and _is_floor(floor, raised):
        return floor | (hulls & raised), speckle
    return hulls, speckle


def _floor(raised: Mask, within: Mask, speckle: Mask, text: Mask) -> Mask:
    """Return the areas, with their holes, that are above the screen's black and hold speckle."""
    window = window_of(raised.shape)
    areas = filled_areas(raised, within, window, dilated(text, window // 2))
    parts, _ = ndimage.label(areas)
    return np.asarray(ndimage.binary_fill_holes(np.isin(parts, np.unique(parts[speckle & areas]))))


def _is_floor(floor: Mask, raised: Mask) -> bool:
    """Return whether almost all of an area is above black, and much of the screen around it is not."""
    return bool(raised[floor].mean() >= FLOOR_FRACTION and (~raised & ~floor).mean() >= BLACK_FRACTION)


def _hull(part: Mask) -> Mask:
    """Return the convex hull of an area, less what lies above the arc of a curved probe."""
    hull = convex_hull_image(part)
    radius = ARC_WINDOWS * window_of(part.shape)
    reached = ndimage.distance_transform_edt(~np.pad(part, radius)) <= radius
    closed = (ndimage.distance_transform_edt(reached) > radius)[radius:-radius, radius:-radius] | part
    begins = np.where(closed.any(axis=0), closed.argmax(axis=0), 0)
    above = np.arange(len(hull))[:, None] < begins
    return np.asarray(hull & ~(above & _flat_top(hull)))


def _flat_top(hull: Mask) -> Mask:
    """Return in which columns a hull begins in its upper half and is flat at its top, as over an arc."""
    columns = np.flatnonzero(hull.any(axis=0))
    top = hull.argmax(axis=0)[columns]
    slope = np.gradient(ndimage.uniform_filter1d(top.astype(float), SLOPE_SMOOTH))
    flat = np.zeros(hull.shape[1], bool)
    flat[columns] = (np.abs(slope) < ARC_SLOPE) & (top < np.flatnonzero(hull.any(axis=1)).mean())
    return flat
