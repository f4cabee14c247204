"""Keep a known correction whole at any strength: the strength is of the denoising alone."""

import numpy as np

from models.volume.finishing.rician import remove_rician_bias, return_rician_bias
from operators.quality.bias import Images, Mask


def with_whole_correction(before: Images, after: Images, valid: Mask, rician_sd: float, strength: float) -> Images:
    """Return what must be written at ``strength`` so that the Rician bias is removed wholly and the noise in part.

    A writer blends linearly, ``before + strength / 100 * (result - before)``; the result makes this the bias-free value
    of the blend of ``before`` and ``after`` with its bias.

    Args:
        before: (slices, rows, columns), magnitude.
        after: denoised and freed of the bias, the same shape and unit.
        valid: the same shape, False on padding, which stays.
        rician_sd: of the noise whose bias was removed, above 0.
        strength: percent, above 0.
    """
    fraction = np.float32(strength / 100)
    blend = before + fraction * (return_rician_bias(after, rician_sd) - before)
    wanted = remove_rician_bias(np.maximum(blend, 0), rician_sd)
    return np.where(valid, before + (wanted - before) / fraction, after)
