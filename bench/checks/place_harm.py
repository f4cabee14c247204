"""Decide whether a place that a check reports is harm: error of the output rather than noise of the input."""

import numpy as np
import torch
from scipy import fft

from operators.quality.even_change import FAINT, halved, level_of, narrow, stabilised
from operators.quality.local_change import BLOCK, BOUND, HALO, SmallChange
from operators.quality.matched_filters import noise_powers, shapes
from operators.quality.volume_pair import VolumePair
from validation.phantoms.anatomy import Mask, Volume


def harm_of(pair: VolumePair, mean: Volume, body: Mask, change: SmallChange) -> float:
    """Return which fraction of a small change, seen through the very filter that found it, is error of the output.

    Args:
        pair: before and after.
        mean: what before is on average.
        body: where changes were looked for.
        change: as found.
    """
    start = change.place[0] // BLOCK * BLOCK
    block = slice(max(0, start - HALO), start + BLOCK + HALO)
    before, after, true = (
        stabilised(torch.tensor(images[block]), pair.modality)
        for images in (pair.before, pair.after, mean.astype(np.float32))
    )
    inside, c, error, y = torch.tensor(body[block]), after - before, after - true, before
    for _ in range(change.octave):
        inside, c, error, y = (halved(one) for one in (inside, c, error, y))
    level = level_of(narrow(c), inside)
    c, error, y = ((narrow(one) / level).clamp(-BOUND, BOUND) for one in (c, error, y))
    _, noise = noise_powers(torch.fft.rfft2(c), torch.fft.rfft2((y + c).clamp(-FAINT, FAINT)))
    size, at = c.shape[1:], change.place[0] - block.start
    shape = list(shapes((size[0], size[1])))[change.shape]
    weight = np.conj(fft.rfft2(shape)) / noise
    row, column = (i // 2**change.octave for i in change.place[1:])
    near = slice(max(0, at - change.depth // 2), at + change.depth // 2 + 1)
    of_error, of_change = (fft.irfft2(fft.rfft2(one[near].sum(dim=0).numpy()) * weight, s=size) for one in (error, c))
    return float(of_error[row, column] / of_change[row, column])
