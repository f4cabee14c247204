"""Give coherent structure back as it was recorded: lines, curves and spots that stand out of speckle.

A structure is what exceeds a high significance somewhere, followed along as far as a low one. Independent speckle of
the same grain reaches neither, so that none is made from it.
"""

import numpy as np
import numpy.typing as npt
from scipy import ndimage
from skimage.filters import apply_hysteresis_threshold

from models.ultrasound.coherence import significance

BRIGHT = 2.5, 3.5  # sds, to follow and to find an echo; speckle reaches 2.7
DARK = 4.5, 6.0  # the same of a dark gap; speckle reaches 5
SOFT = 1.0  # pixels, sd of the border of what is given back

Image = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


def restore_structures(recorded: Image, output: Image, tissue: Mask) -> tuple[Image, float]:
    """Return the output with its structures as they were recorded, and the percent of the tissue that was restored.

    Args:
        recorded: (frames, rows, columns) grey.
        output: the same shape and unit.
        tissue: (rows, columns).
    """
    images, restored = output.copy(), 0
    for image, before, found in zip(images, recorded, significance(recorded, output, tissue), strict=True):
        structure = _structure(*found)
        image += ndimage.gaussian_filter(structure.astype(np.float32), SOFT) * tissue * (before - image)
        restored += int(np.count_nonzero(structure))
    inside = len(images) * np.count_nonzero(tissue)
    return images, 100 * restored / inside if inside else 0.0


def _structure(bright: Image, dark: Image) -> Mask:
    return np.asarray(apply_hysteresis_threshold(bright, *BRIGHT) | apply_hysteresis_threshold(dark, *DARK))
