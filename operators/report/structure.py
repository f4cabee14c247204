"""How much structure the removed part of an image shows, to choose the image that a report opens on.

White noise averages out over a few pixels, anatomy does not. With G(s) a Gaussian of s pixels and r the removed part,

    structure = |G(FINE) r| / sqrt(G(AROUND) r^2 + floor)

is about .2 for white noise and rises to 1 and above where the removed part has one sign over a few pixels: along an
edge, over a vessel, in a lesion. An image counts by its ``PERCENTILE``, so that a few places are enough.
"""

import numpy as np
from scipy.ndimage import gaussian_filter

from operators.report.sample import Image, ImagePair, Mask, Sample

FINE = 1.5  # pixels, sd: wider than the grain of noise, as narrow as a vessel
AROUND = 6.0  # pixels, sd of the neighbourhood whose own noise is the measure
FLOOR = 0.1  # of the mean power in tissue: where almost nothing was removed, nothing can be lost
TISSUE = 3.0  # pixels, sd of the smoothing before tissue is separated from air
PERCENTILE = 99.9  # of tissue: in 512 x 512 a focus of about 15 pixels across


def most_structured(sample: Sample) -> int:
    """Return the index of the pair whose removed part shows the most structure."""
    air = sample.air()
    return int(np.argmax([structure_of(pair, air) for pair in sample.pairs]))


def structure_of(pair: ImagePair, air: float) -> float:
    """Return the structure in the removed part; 0 where nothing was removed from tissue."""
    removed = np.where(pair.valid, pair.before - pair.after, 0).astype(np.float32)
    tissue: Mask = pair.valid & (gaussian_filter(pair.after, TISSUE) > air)
    floor = FLOOR * float(np.square(removed[tissue]).mean()) if tissue.any() else 0.0
    if floor <= 0:
        return 0.0
    around: Image = np.maximum(gaussian_filter(removed * removed, AROUND), 0)
    coarse = np.abs(gaussian_filter(removed, FINE)) / np.sqrt(around + floor)
    return float(np.percentile(coarse[tissue], PERCENTILE))
