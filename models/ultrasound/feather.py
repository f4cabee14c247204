"""Weights that blend despeckled pixels into those that stay, so that no border of the tissue shows."""

import numpy as np
import numpy.typing as npt
from scipy import ndimage

FEATHER_FRACTION = 12 / 512  # of the shorter image side, over which texture fades: two or three grains of speckle
FEWEST_PIXELS = 3  # of that: a grain is no smaller
STROKE_FEATHER = 2  # pixels beside strokes, which have no texture to fade into
WIDEST_STROKE = 9  # pixels, with its margins


def feather(tissue: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """Return the weight of the despeckled image, (rows, columns): 0 outside the tissue, rising to 1 in its depth.

    The image's own borders do not count. What is thinner than ``WIDEST_STROKE`` is text or a ruler.
    """
    if tissue.all():
        return np.ones(tissue.shape, np.float32)
    width = max(FEWEST_PIXELS, round(FEATHER_FRACTION * min(tissue.shape)))
    outside = ndimage.grey_opening((~tissue).astype(np.uint8), WIDEST_STROKE, mode="nearest") > 0
    weights = _rising(tissue, STROKE_FEATHER)
    return np.minimum(weights, _rising(~outside, width)) if outside.any() else weights


def _rising(mask: npt.NDArray[np.bool_], width: int) -> npt.NDArray[np.float32]:
    """Return what rises evenly from 0 outside a mask to 1 beyond ``width`` pixels inside."""
    return np.asarray(np.minimum(ndimage.distance_transform_edt(mask) / (width + 1), 1), np.float32)
