"""Give a clip its original back where a line or a spot was lost or made, so that its strength need not be lowered."""

import numpy as np
import torch
from scipy.ndimage import label
from skimage.filters import apply_hysteresis_threshold

from models.ultrasound.coherence import significance
from models.ultrasound.feather import feather
from models.ultrasound.structures import softened
from operators.quality.bias import Mask
from operators.quality.blending import Blend
from operators.quality.clip_structures import LOST, MADE, changed_structure
from operators.quality.restoring import MOST_TISSUE

ROUNDS = 4  # of looking and restoring at most: what stands out less shows once the strongest is back
FOLLOWED = 0.6  # of the limit, down to which a structure is followed from where it exceeds the limit


def restore_clip(blend: Blend, tissue: Mask, limit: float, device: torch.device) -> int:
    """Blend the original in, in place, wherever the check of lines and spots exceeds ``limit``.

    Args:
        blend: of the output, (frames, rows, columns).
        tissue: (rows, columns), the pixels that may change.
        limit: of `changed_structure`.
        device: on which lines and spots are searched for.

    Returns:
        The number of structures restored; where they would be more than half of the tissue, none is.
    """
    if changed_structure(blend.before, blend.images, tissue, device) <= limit:
        return 0
    structures, inside, weight = 0, np.broadcast_to(tissue, blend.images.shape), feather(tissue)
    for _ in range(ROUNDS):
        known = structures
        for index, (lost, made) in enumerate(significance(blend.before, blend.images.copy(), weight, device)):
            found = np.maximum(LOST * lost, MADE * made)
            structure = apply_hysteresis_threshold(found, FOLLOWED * limit, limit)
            structures += int(label(structure)[1])
            blend.restore(index, softened(structure) * tissue)
        if structures == known:
            break
    if blend.percent(inside) > MOST_TISSUE:
        blend.undo()
        return 0
    return structures
