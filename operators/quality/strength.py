"""Apply a strength below 100 percent: what was removed comes back, its low frequencies first.

    y = f + g n,   g = r + (1 - r) min(1, r / WHOLE_FROM) G,   n = x - f,   r = 1 - strength / 100

x is before, f after, and G a Gaussian within each slice. The low frequencies of n hold little noise and much of the
contrast of faint things; they come back whole from r = `WHOLE_FROM` on. Of the fine noise r comes back, which keeps the
texture. g never falls as r rises. A correction that is known is no noise: n is taken against f with its bias, so that
the correction stays whole. Last of all y is clipped to what x or f has in its slice, and so to what can be measured.
"""

import math

import numpy as np
from scipy.ndimage import gaussian_filter

from models.side_by_side import each
from models.volume.finishing.rician import return_rician_bias
from operators.quality.bias import Images, Mask

FULL = 100.0  # percent: the output as it is
BAND_EDGE = 0.1  # cycles a pixel as recorded, where G is half: below it lie 54 % of the squared d' of an ideal observer
# for a ball of 5 mm in CT pixels of .75 mm, 76 % for 8 mm, and 11 % of the noise's variance
BAND_SD = math.sqrt(2 * math.log(2)) / (2 * math.pi * BAND_EDGE)  # pixels, of G
WHOLE_FROM = 0.25  # r at the first step below the strength asked for; before it G's part grows, so that nothing jumps


def at_strength(
    before: Images, after: Images, valid: Mask, strength: float, *, rician_sd: float = 0.0, low_first: bool = True
) -> Images:
    """Return images after so many percent of the change; ``after`` itself at 100 percent.

    Args:
        before: (slices or frames, rows, columns).
        after: the same shape and unit.
        valid: the same shape or (rows, columns); elsewhere ``after`` stays.
        strength: percent, above 0.
        rician_sd: of the noise whose bias was removed from ``after``, 0 where none was.
        low_first: False of ultrasound, whose grain itself is of low frequency.
    """
    if strength == FULL:
        return after
    returned = 1 - strength / FULL
    low_part = (1 - returned) * min(1.0, returned / WHOLE_FROM) * low_first
    result = np.empty_like(after)

    def of_slice(x: Images, f: Images, inside: Mask, y: Images) -> None:
        biased = return_rician_bias(f[None], rician_sd)[0] if rician_sd > 0 else f
        noise = np.where(inside, x - biased, 0)
        noise = returned * noise + low_part * gaussian_filter(noise, BAND_SD)
        np.copyto(y, f)
        if inside.any():
            least, most = np.minimum(x, f)[inside].min(), np.maximum(x, f)[inside].max()
            y[inside] = np.clip(f + noise, least, most)[inside]

    each(of_slice, before, after, np.broadcast_to(valid, after.shape), result)
    return result
