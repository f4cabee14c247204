"""Regions of MR phantoms from the coverage of their tissues."""

from collections.abc import Collection, Mapping

import numpy as np
from scipy import ndimage

from validation.phantoms.anatomy import SOLID, Mask, Volume

HALF = 0.5  # coverage that counts as inside a structure too small to fill a voxel
CLEAR_MM = 1.5  # of an edge, where tissue counts as flat


def regions_of(covers: Mapping[str, Volume], pixel_mm: float, small: Collection[str] = ()) -> dict[str, Mask]:
    """Return the mask of each tissue, half coverage enough for `small` ones; of `deep`, the inner part as `flat`."""
    margin = np.ones((1, *2 * [2 * int(np.ceil(CLEAR_MM / pixel_mm)) + 1]), bool)
    regions = {name: cover > (HALF if name in small else SOLID) for name, cover in covers.items() if name != "deep"}
    regions["flat"] = ndimage.binary_erosion(covers["deep"] > SOLID, margin)
    return regions
