"""Measure how much wider edges truly became: as the check does, with the truth in the place of the noisy volume."""

import numpy as np
import numpy.typing as npt
import torch

from models.filters import gaussian
from operators.quality import edges
from validation.phantoms.anatomy import Mask, Volume


def true_growth(truth: Volume, after: Volume, inside: Mask, noise: Volume) -> float | None:
    """Return the percent by which the edges that the check measures are wider than the truth's; None of none.

    The regression of after on the truth is linear in after, so that retained noise does not move it.
    """
    total: npt.NDArray[np.float64] = sum(
        (_slice_sums(*one) for one in zip(truth, after, inside, noise, strict=True)), np.zeros(4)
    )
    cross, energy, blurred, own = total
    if not 0 < blurred < energy:
        return None
    variance, own = edges.variance_of(energy, blurred, own)
    added = 2 * variance * (1 / (cross / energy) ** 2 - 1)
    return float(100 * (np.sqrt(max(1 + added / max(variance - own, edges.RESOLVED), 0.0)) - 1))


def _slice_sums(truth: Volume, after: Volume, inside: Mask, noise: Volume) -> npt.NDArray[np.float64]:
    true, output, level = (torch.tensor(one) for one in (truth, after, noise))
    steep = edges.steepness(output, level)
    cos, sin = edges.direction(output)
    chosen = torch.tensor(inside[:-1, :-1]) & (steep >= edges.WIDTH_SEEN)
    weight = chosen / (steep * level[:-1, :-1]).clamp(min=edges.TINY) ** 2
    blurred = gaussian(true, edges.KNOWN_BLUR**0.5)
    f, s, soft = (edges.gradient(image) for image in (output, true, blurred))
    cross, energy, blurred_energy = (weight * edges.across(u, v, cos, sin) for u, v in ((f, s), (s, s), (soft, soft)))
    return np.asarray([float(one.sum()) for one in (cross, energy, blurred_energy, energy * (1 + sin**2) / 12)])
