"""Measure in ultrasound what means can't show: lines and spots lost or made, and blocks that flicker."""

import numpy as np
import torch

from models.robust import evenly_spaced
from models.ultrasound.coherence import significance
from models.ultrasound.feather import feather
from operators.quality.bias import Images, Mask, squares

SEARCHED_FRAMES = 8  # of a cine
LOST, MADE = 5 / 6.5, 5 / 7.5  # the limit over the most that honest outputs reach; the dark tail is the longer one
FEWEST_FRAMES = 5  # of a cine; fewer say nothing of flicker


def changed_structure(before: Images, after: Images, tissue: Mask, device: torch.device) -> float:
    """Return how far the strongest line or spot stands out that was lost or made, in sds of what else was removed.

    Speckle alone reaches 2.6 on this scale where it was lost and 3.9 where made, most lost lines of 4 sds 6 and more.

    Args:
        before: (frames, rows, columns), stored grey.
        after: the same shape and unit.
        tissue: (rows, columns), the pixels that may change.
        device: on which lines and spots are searched for.
    """
    chosen = evenly_spaced(len(before), SEARCHED_FRAMES)
    found = significance(before[chosen], after[chosen], feather(tissue), device)
    return max(max(LOST * float(lost.max()), MADE * float(made.max())) for lost, made in found)


def block_flicker(before: Images, after: Images, tissue: Mask, side: int) -> float | None:
    """Return by how much the block flickers more that does so most: rms change of its mean between frames, grey."""
    if len(before) < FEWEST_FRAMES:
        return None
    whole = squares(tissue, side).all(axis=-1)
    old, new = (
        np.sqrt(np.square(np.diff(squares(images, side).mean(axis=-1)[:, whole], axis=0)).mean(axis=0))
        for images in (before, after)
    )
    return float((new - old).max(initial=0.0))
