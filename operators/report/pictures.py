"""The pictures of a report as 8-bit grey: before, after, and what was removed.

Of ultrasound only tissue is shown. What is drawn over or beside it may be a name that was burned in, so it is painted
in an even grey that no anechoic tissue has. Specks too small for a letter are shown as they are.
"""

import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image as Picture
from skimage.morphology import remove_small_holes

from operators.report.content import Content
from operators.report.sample import Image, ImagePair
from operators.report.window import Window

Grey = npt.NDArray[np.uint8]
Colour = npt.NDArray[np.uint8]  # (rows, columns, 3), sRGB

HIDDEN = 0.25  # of full grey: what is not shown of an ultrasound image
SPECK = 16  # pixels; the stem of the smallest letter, 1 x 5, hides 21 with the margin of the tissue's mask
RESTORED_TINT = (214, 140, 20)  # amber: apart from grey for the colour-blind, too
MOST_TINT = 0.75  # of the tint, where the whole original was restored: what was removed stays visible below it
REMOVED_STEPS = 15  # from black to white in the removed part: each is under half a standard deviation of it


def grey_before(content: Content, pair: ImagePair) -> Grey:
    """Return the image before."""
    return _grey(content, pair, pair.before)


def grey_after(content: Content, pair: ImagePair) -> Grey:
    """Return the image after."""
    return _grey(content, pair, pair.after)


def removed(content: Content, pair: ImagePair) -> Colour:
    """Return before less after, around middle grey, tinted where the original was restored, the more the stronger."""
    reach = content.removed_reach
    change = np.where(pair.valid, pair.before - pair.after, 0).astype(np.float32)
    grey = Window(-reach, reach, content.window.inverse).grey(change, REMOVED_STEPS)[..., np.newaxis]
    if pair.restored is None:
        return np.repeat(grey, 3, axis=2)
    tint = MOST_TINT * np.where(pair.valid, pair.restored, 0)[..., np.newaxis]
    return np.rint(grey + tint * (np.array(RESTORED_TINT) - grey)).astype(np.uint8)


def encoded(grey: Grey | Colour, kind: str, **options: Any) -> bytes:
    """Return an image as the bytes of a lossless file, PNG or WebP."""
    stream = io.BytesIO()
    Picture.fromarray(grey).save(stream, kind, **options)
    return stream.getvalue()


def aspect(content: Content) -> float:
    """Return the height of a pixel over its width."""
    return content.sample.spacing[0] / content.sample.spacing[1] if content.sample.spacing else 1.0


def _grey(content: Content, pair: ImagePair, image: Image) -> Grey:
    grey = content.window.grey(image)
    if content.subject.modality == "US":
        hidden = ~remove_small_holes(pair.valid, max_size=SPECK)
        return np.where(hidden, np.uint8(255 * HIDDEN), grey)
    return np.where(pair.valid, grey, np.uint8(255 if content.window.inverse else 0))
