"""Measure the noise, in real units: in homogeneous squares, by its gradient, and as maps.

A square is freed of its own plane before its spread is taken; homogeneous squares are those where the smoothed images,
before and after, change least. What anatomy they hold is in before and after, not in what was removed: the noise of y
is its projection on c = f - y, ``<y, c> / |c|``, which is its sd for noise reduced evenly by any fraction.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.compute import PROCESSOR
from models.filters import AXES, gaussian, gradient_magnitude, slope
from models.robust import evenly_spaced
from models.side_by_side import each, in_batches, on_device
from operators.quality.bias import SIDE, Images, Mask, squares

HOMOGENEOUS_FRACTION = 0.2  # of the tissue's squares, in which the noise is read
SAMPLED_SLICES = 24  # evenly along the volume
SMOOTH = 1.5  # pixels, sd of the smoothing before structure is looked for
PLANE = 3  # degrees of freedom that a plane takes
WHITE_GRADIENT = 1 / np.sqrt(4 * np.pi)  # rms gradient of white noise of sd 1, Gaussian of sd 1 pixel
TINY = 1e-30  # keeps a fraction of nothing finite
EVEN = 1.0  # noise sd a pixel of Gaussian gradient (sd 1 pixel), below which there is no edge
LOCAL_SMOOTH = 6.0  # pixels, sd of the neighbourhood whose noise counts as local
LOCAL_RANGE = 4.0  # times the typical noise, and its inverse: attenuation, coils and counts spread it about so far
ROUNDS = 2  # of telling edges from noise by what is known of the noise
LEAST_WEIGHT = 0.05  # of a neighbourhood must be free of edges

Image = npt.NDArray[np.float32]


def sampled(count: int, most: int = SAMPLED_SLICES) -> npt.NDArray[np.intp]:
    """Return at most ``most`` of ``count`` indices, evenly spaced, for use as an index."""
    return np.asarray(evenly_spaced(count, most), np.intp)


def without_plane(image: npt.NDArray[np.float32], side: int = SIDE) -> npt.NDArray[np.float64]:
    """Return each square less the plane through it, (rows / side, columns / side, pixels)."""
    cut = squares(image, side).astype(np.float64)
    rows, columns = np.mgrid[:side, :side].reshape(2, -1) - (side - 1) / 2
    for direction in (np.ones(side**2), rows, columns):
        unit = direction / np.linalg.norm(direction)
        cut = cut - (cut @ unit)[..., None] * unit
    return np.asarray(cut)


def spread(image: npt.NDArray[np.float32], side: int = SIDE) -> npt.NDArray[np.float64]:
    """Return the standard deviation of each square around its own plane."""
    return np.asarray(np.sqrt(np.square(without_plane(image, side)).sum(axis=-1) / (side**2 - PLANE)))


def homogeneous_squares(before: npt.NDArray[np.float32], after: npt.NDArray[np.float32], tissue: Mask) -> Mask:
    """Return the squares of one slice's tissue where the smoothed mean of before and after changes least."""
    inside = np.asarray(squares(tissue).all(axis=-1))
    if not inside.any():
        return inside
    structure = spread(gaussian(torch.from_numpy((before + after) / 2), SMOOTH).numpy())
    return np.asarray(inside & (structure <= np.quantile(structure[inside], HOMOGENEOUS_FRACTION)))


def noise_levels(before: Images, after: Images, tissue: Mask) -> tuple[float, float]:
    """Return the median noise of the tissue's homogeneous squares, before and after; 0 where there are none."""

    def of_slice(i: int) -> npt.NDArray[np.float64]:
        homogeneous = homogeneous_squares(before[i], after[i], tissue[i])
        y, c = (without_plane(image)[homogeneous] for image in (before[i], after[i] - before[i]))
        sd = _projection([y], [c]) * SIDE / np.sqrt(SIDE**2 - PLANE)
        return np.stack([sd, np.minimum(spread(after[i])[homogeneous], sd)])

    both = np.concatenate(each(of_slice, sampled(len(before))), axis=1)
    return (float(np.median(both[0])), float(np.median(both[1]))) if both.size else (0.0, 0.0)


def gradient_noise(before: Images, after: Images, tissue: Mask, device: torch.device) -> Images:
    """Return the sd of white noise of the same Gaussian gradient (sd 1 pixel), against which edges stand out, locally.

    Smooth noise has edges of its own and hides others more than its sd says. It is read in squares homogeneous in
    ``after``, which its own chance does not choose, and varies as what was removed does beside edges.
    """
    indices = sampled(len(before))
    chosen = each(lambda i: homogeneous_squares(after[i], after[i], tissue[i]), indices)
    all_ = np.concatenate(each(lambda i, here: _gradient_sd(before[i], after[i] - before[i], here), indices, chosen))
    if not (all_ > 0).any():
        return np.zeros(before.shape, np.float32)
    sd = float(np.median(all_[all_ > 0]))
    level = np.full(before.shape, sd, np.float32)
    steep = in_batches(lambda new: gradient_magnitude(new, 1.0), after, device=device)
    for _ in range(ROUNDS):
        local = in_batches(_local_power, before, after, steep, level, device=device)
        there = np.concatenate([squares(local[i])[here].ravel() for i, here in zip(indices, chosen, strict=True)])
        typical = np.median(there[there > 0]) if (there > 0).any() else 1.0
        relative = np.where(local > 0, np.sqrt(local / typical), 1)
        level = np.asarray(sd * np.clip(relative, 1 / LOCAL_RANGE, LOCAL_RANGE), np.float32)
    return level


def _gradient_sd(y: Image, c: Image, chosen: Mask) -> npt.NDArray[np.float64]:
    """Return the sd of white noise of the same gradient as the noise of ``y`` in each of the squares."""
    gradients = [
        [squares(slope(on_device(image, PROCESSOR), 1.0, axis).numpy())[chosen] for axis in AXES] for image in (y, c)
    ]
    return np.asarray(_projection(gradients[0], gradients[1]) / WHITE_GRADIENT)


def _local_power(old: Tensor, new: Tensor, steep: Tensor, sd: Tensor) -> Tensor:
    """Return the mean square of what was removed around each pixel, edges left out; 0 where there is nothing else."""
    even = (steep < EVEN * sd).to(new.dtype)
    power, weight = (gaussian(one, LOCAL_SMOOTH) for one in (even * (new - old) ** 2, even))
    return (power / weight.clamp(min=LEAST_WEIGHT)).where(weight > LEAST_WEIGHT, 0)


def _projection(y: list[npt.NDArray[Any]], c: list[npt.NDArray[Any]]) -> npt.NDArray[np.float64]:
    """Return the root mean square of y along c, summed over what both lists hold, of each square."""
    cross, power = (sum((u * v).mean(axis=-1) for u, v in zip(one, c, strict=True)) for one in (y, c))
    return np.asarray(np.where(power > 0, np.abs(cross) / np.sqrt(np.maximum(power, TINY)), 0))
