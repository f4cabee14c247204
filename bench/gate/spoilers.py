"""Ways to spoil an honest output, each a fault that the gate must catch."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy import ndimage

from bench.checks.candidate_outputs import blurred, edge_width_pixels
from bench.gate.honest_outputs import Output, noise_of
from validation.phantoms.anatomy import Volume

SUMMED_CNR = 8.0  # of what is erased or invented: its sum over the sd of the noise's own sum there
EDGE_GROWTH, RESOLVED = 0.2, 0.5  # twice the limit; pixels (sd), of which growth is a fraction where edges are narrower
STRETCH, OFFSET_HU, OFFSET_FRACTION = 1.1, 3.0, 0.03
FAINT_LOST, FINE, FINE_BOUND = 0.5, 2.0, 3.0  # fraction; pixels (sd) beyond which nothing is fine; sd of noise, at most
HALF, DRAWS = 0.5, 400  # fraction of a voxel that counts as inside; noise sums whose spread is taken: known to 4 %
BODY, INSIDE = {"CT": -200.0, "MR": 100.0, "PT": 300.0}, 3  # values above which is body; voxels from its surface
TRIES = 40  # places drawn, of which the most even is taken
EVEN = (1, 13, 13)  # slices and pixels around that are even: on an edge as long as the line nothing is invented


def edge_growth(rng: np.random.Generator, output: Output) -> Volume:
    """Every edge a fifth wider, at least a fifth of half a pixel: what is narrower no pixel resolves."""
    width = max(edge_width_pixels(output.phantom.truth), RESOLVED)
    return blurred(output.after, width**2 * ((1 + EDGE_GROWTH) ** 2 - 1))


def lesion_erased(rng: np.random.Generator, output: Output) -> Volume:
    """A ball of 2 to 5 voxels across that was in the input and is not in the output."""
    at, shape = _place(rng, output, 10), output.after.shape
    distance = np.sqrt(sum((axis - i) ** 2 for axis, i in zip(np.ogrid[tuple(map(slice, shape))], at, strict=True)))
    ball = np.clip(rng.uniform(1.2, 2.6) - distance + 0.5, 0, 1).astype(np.float32)
    return output.after - _of_cnr(rng, output, ball)


def line_invented(rng: np.random.Generator, output: Output) -> Volume:
    """A line of 12 to 20 pixels at any angle, or through 8 slices, that is only in the output."""
    at, shape = _place(rng, output, 14), np.zeros(output.after.shape, np.float32)
    if rng.random() < 0.25:
        start = int(np.clip(at[0] - 4, 0, len(shape) - 8))
        shape[start : start + 8, at[1], at[2]] = 1
    else:
        angle, half = rng.uniform(0, np.pi), rng.uniform(6, 10)
        for along in np.arange(-half, half, 0.5):
            shape[at[0], round(at[1] + along * np.sin(angle)), round(at[2] + along * np.cos(angle))] = 1
    return output.after + _of_cnr(rng, output, shape)


def faint_lost(rng: np.random.Generator, output: Output) -> Volume:
    """Half of everything that is fine and faint, everywhere."""
    fine = output.phantom.truth - ndimage.gaussian_filter(output.phantom.truth, (0, FINE, FINE))
    return output.after - FAINT_LOST * np.clip(fine, -FINE_BOUND * output.scale, FINE_BOUND * output.scale)


def offset(rng: np.random.Generator, output: Output) -> Volume:
    """3 HU, or 3 % of the mean of the brighter half."""
    truth = output.phantom.truth
    high = OFFSET_FRACTION * truth[truth > np.median(truth)].mean()
    return output.after + (OFFSET_HU if output.phantom.modality == "CT" else high)


def slice_swapped(rng: np.random.Generator, output: Output) -> Volume:
    """Two slices exchanged, next to each other half of the time."""
    first = int(rng.integers(1, len(output.after) - 2))
    far = int((first + rng.integers(2, len(output.after) - 2)) % len(output.after))
    second = first + 1 if rng.random() < 0.5 else far
    swapped = output.after.copy()
    swapped[[first, second]] = output.after[[second, first]]
    return swapped


def stretched(rng: np.random.Generator, output: Output) -> Volume:
    """Contrast a tenth higher, the mean unchanged."""
    truth = output.phantom.truth
    middle = output.after[truth > np.median(truth)].mean()
    return middle + STRETCH * (output.after - middle)


SPOILERS: Mapping[str, Callable[[np.random.Generator, Output], Volume]] = {
    "edges 20 % wider": edge_growth,
    "lesion erased": lesion_erased,
    "line invented": line_invented,
    "faint structures halved": faint_lost,
    "offset 3 HU / 3 %": offset,
    "slice swapped": slice_swapped,
    "contrast +10 %": stretched,
}


def _place(rng: np.random.Generator, output: Output, margin: int) -> tuple[int, ...]:
    """Return a voxel well inside the body where the truth is even."""
    truth = output.phantom.truth
    steep = ndimage.uniform_filter(ndimage.generic_gradient_magnitude(truth, ndimage.sobel), EVEN)
    inner = np.zeros(truth.shape, bool)
    inner[2:-2, margin:-margin, margin:-margin] = True
    body = ndimage.binary_erosion(truth > BODY[output.phantom.modality], iterations=INSIDE) & inner
    drawn = rng.permutation(np.argwhere(body))[:TRIES]
    return tuple(int(i) for i in drawn[np.argmin(steep[tuple(drawn.T)])])


def _of_cnr(rng: np.random.Generator, output: Output, shape: Volume) -> Volume:
    """Return the shape at the contrast at which its sum is `SUMMED_CNR` sd of the noise's own sum over it."""
    inside = shape > HALF
    box = inside[tuple(slice(int(i.min()), int(i.max()) + 1) for i in np.nonzero(inside))]
    patch = (box.shape[0] + 4, box.shape[1] + 24, box.shape[2] + 24)  # noise is periodic: no sum may meet itself
    drawn = (noise_of(rng, output.phantom.modality, patch)[tuple(slice(n) for n in box.shape)] for _ in range(DRAWS))
    sums = [float(noise[box].sum()) for noise in drawn]
    return shape * (SUMMED_CNR * np.sqrt(np.mean(np.square(sums))) / inside.sum()) * output.scale[inside].mean()
