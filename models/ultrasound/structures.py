"""Give coherent structure back as it was recorded: lines, curves and spots that stand out of speckle.

A structure is what exceeds a high significance somewhere, followed along as far as a low one. Independent speckle of
the same grain reaches neither, so that none is made from it. Speckle of patchy tissue does in places, and its grains
string together around one that stands out: where too little of what was followed stands out itself, no more than the
surroundings of that come back. Of an echo comes back what was recorded brighter, of a dark gap what was darker: the
opposite grains among them are speckle.
"""

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold

from models.ultrasound.coherence import SPOTS, significance

BRIGHT = 2.5, 4.0  # sds, to follow and to find an echo; speckle reaches 2.7, with what a fit distorts 3.5
DARK = 4.5, 6.5  # the same of a dark gap; speckle reaches 5, with what a fit distorts 6
GRAINS = 1.0  # what a bright spot counts at first: with more, single grains of patchy tissue come back as salt
ROUNDS = (
    (BRIGHT, DARK, GRAINS),
    ((4.0, 6.0), (5.5, 7.5), SPOTS),
)  # the second: what stands out of the rest, once the strongest are back, as the check sees it
STANDING = 0.2  # of a structure's pixels exceed the high significance; of worms in muscle and thyroid less do
NEAR = 2  # pixels around what exceeds it, which come back else: a spot is no wider
SOFT = 1.0  # pixels, sd of the border of what is given back
WHOLE = 0.75  # of the mask so softened, from which all comes back: thin lines reach no more than .87

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def restore_structures(recorded: Image, output: Image, tissue: Mask, device: torch.device) -> tuple[Image, float]:
    """Return the output with its structures as they were recorded, and the percent of the tissue that was restored.

    The whole change is searched, before it fades into what stays at the border of the tissue.

    Args:
        recorded: (frames, rows, columns) grey.
        output: the same shape and unit.
        tissue: (rows, columns).
        device: on which structures are searched for.
    """
    images, restored, weight = output.copy(), np.zeros(output.shape, bool), tissue.astype(np.float32)
    for bright, dark, spots in ROUNDS:
        for index, (echoes, gaps) in enumerate(significance(recorded, images.copy(), weight, device, spots)):
            lost = recorded[index] - images[index]
            for found, limits, part in ((echoes, bright, np.maximum(lost, 0)), (gaps, dark, np.minimum(lost, 0))):
                structure = structures_in(found, *limits)
                images[index] += softened(structure) * tissue * part
                restored[index] |= structure
    inside = len(images) * np.count_nonzero(tissue)
    return images, float(100 * np.count_nonzero(restored) / inside) if inside else 0.0


def structures_in(found: Image, low: float, high: float) -> Mask:
    """Return the structures in a frame's significance."""
    standing = found > high
    followed = apply_hysteresis_threshold(found, low, high)
    labels, count = ndimage.label(followed)
    fractions = ndimage.mean(standing, labels, np.arange(count + 1))
    near = ndimage.binary_dilation(standing, iterations=NEAR)
    return np.asarray(followed & ((fractions >= STANDING)[labels] | near))


def softened(structure: Mask) -> Image:
    """Return the fraction of the original that comes back in each pixel, with a soft border of ``structure``."""
    soft = ndimage.gaussian_filter(structure.astype(np.float32), SOFT)
    return np.asarray(np.minimum(soft / WHOLE, 1))
