"""How well the gate catches: honest outputs of known truth, and the same outputs spoiled in one way each.

``python -m bench.gate [--volumes 60] [--first-seed 1000]`` prints a table. Limits were chosen on seeds below 1000.
An honest output is the truth and part of the very noise of the input: scaled, smoothed, or both. A hit is a spoiled
output that fails a check; a false alarm is an honest one that fails a check. Intervals are Clopper and Pearson's, 95 %.
"""

import argparse
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy import ndimage, stats

from models.volume.tissue import tissue_of
from operators.quality.clip_checks import ClipPair, assess_clip
from operators.quality.gate_settings import GateSettings
from operators.quality.volume_checks import assess_volume
from operators.quality.volume_pair import VolumePair
from validation.phantoms.anatomy import Phantom
from validation.phantoms.ct_phantom import ct_phantom
from validation.phantoms.mr_phantom import mr_phantom
from validation.phantoms.pet_phantom import pet_phantom
from validation.phantoms.speckle_phantom import make_speckle_phantom

Volume = npt.NDArray[np.float32]
SETTINGS = GateSettings()
CT_NOISE, MR_NOISE, PET_NOISE = 20.0, 50.0, 15.0  # HU, amplitude, per root of Bq/ml
SUMMED_CNR = 8.0  # of what is erased or invented: its sum over the sd of the noise's own sum there
EDGE_GROWTH, STRETCH, OFFSET_HU, OFFSET_FRACTION = 0.1, 1.1, 3.0, 0.03
HALF, DRAWS = 0.5, 60  # fraction of a voxel that counts as inside; noise sums whose spread is taken
BODY, INSIDE = {"CT": -200.0, "MR": 100.0, "PT": 300.0}, 3  # values above which is body; voxels from its surface
TRUTHS = 4  # phantoms of each modality; the noise is new every time


@cache
def truth_of(modality: str, seed: int) -> Phantom:
    """A phantom, of which only the truth is used."""
    if modality == "CT":
        return ct_phantom((24, 160, 160), seed=seed)
    return mr_phantom((32, 128, 128), seed=seed) if modality == "MR" else pet_phantom(seed=seed)


def noise_of(rng: np.random.Generator, modality: str, shape: tuple[int, ...]) -> Volume:
    """Noise of standard deviation 1: ramp-like in plane (CT), white (MR), smooth along all axes (PET)."""
    white = rng.standard_normal(shape).astype(np.float32)
    if modality == "CT":
        rows, columns = np.fft.fftfreq(shape[1])[:, None], np.fft.rfftfreq(shape[2])[None]
        frequency = np.hypot(rows, columns)
        ramp = np.sqrt(frequency + 0.01) * np.cos(np.pi / 2 * np.minimum(2 * frequency, 1)) ** 2
        white = np.fft.irfft2(np.fft.rfft2(white) * ramp, s=shape[1:]).astype(np.float32)
    elif modality == "PT":
        white = ndimage.gaussian_filter(white, (0.76, 0.8, 0.8), mode="wrap")
    return white / white.std()


def scale_of(modality: str, truth: Volume) -> Volume:
    """The standard deviation of the noise, voxel by voxel."""
    if modality == "PT":
        return PET_NOISE * np.sqrt(np.maximum(truth, 1.0))
    return np.full_like(truth, CT_NOISE if modality == "CT" else MR_NOISE)


def honest(rng: np.random.Generator, noise: Volume) -> Volume:
    """Return what of the noise a harmless output retains."""
    fraction, width = rng.uniform(0.15, 0.6), rng.uniform(0.7, 2.0)
    smooth = ndimage.gaussian_filter(noise, (rng.uniform(0, 0.8), width, width))
    return [fraction * noise, smooth, fraction * noise + (1 - fraction) * smooth][rng.integers(3)]


def edge_growth(rng: np.random.Generator, truth: Volume, after: Volume, scale: Volume) -> Volume:
    """Every edge a tenth wider; how wide they are is measured on the truth, where it is steepest."""
    rows, columns = np.gradient(truth, axis=(1, 2))
    gradient, laplacian = rows**2 + columns**2, ndimage.laplace(truth, axes=(1, 2)) ** 2
    steep = gradient >= np.quantile(gradient, 0.97)
    added = gradient[steep].sum() / laplacian[steep].sum() / 2 * ((1 + EDGE_GROWTH) ** 2 - 1)
    kernel = np.array([added / 2, 1 - added, added / 2])
    return ndimage.convolve1d(ndimage.convolve1d(after, kernel, 1), kernel, 2)


def _place(rng: np.random.Generator, modality: str, truth: Volume, margin: int) -> tuple[int, int, int]:
    """Somewhere well inside the body and even: the least of some gradients drawn at random."""
    steep = ndimage.generic_gradient_magnitude(truth, ndimage.sobel)
    body = ndimage.binary_erosion(truth > BODY[modality], iterations=INSIDE)
    inner = np.zeros(truth.shape, bool)
    inner[2:-2, margin:-margin, margin:-margin] = True
    spots = np.argwhere(body & inner)
    drawn = spots[rng.integers(len(spots), size=40)]
    return tuple(drawn[np.argmin(steep[tuple(drawn.T)])])


def _of_cnr(rng: np.random.Generator, modality: str, shape: Volume, scale: Volume) -> Volume:
    """The shape at the contrast at which its sum is ``SUMMED_CNR`` sd of the noise's own sum over it."""
    inside = shape > HALF
    box = inside[tuple(slice(int(i.min()), int(i.max()) + 1) for i in np.nonzero(inside))]
    patch = (box.shape[0] + 4, box.shape[1] + 24, box.shape[2] + 24)  # noise is periodic: no sum may meet itself
    drawn = (noise_of(rng, modality, patch)[tuple(slice(n) for n in box.shape)] for _ in range(DRAWS))
    sums = [float(noise[box].sum()) for noise in drawn]
    return shape * (SUMMED_CNR * np.sqrt(np.mean(np.square(sums))) / inside.sum()) * scale[inside].mean()


def lesion_erased(rng: np.random.Generator, truth: Volume, after: Volume, scale: Volume, modality: str) -> Volume:
    """A ball of 2 to 5 voxels across that was in the input and is not in the output."""
    at = _place(rng, modality, truth, 10)
    distance = np.sqrt(
        sum((axis - i) ** 2 for axis, i in zip(np.ogrid[tuple(slice(n) for n in truth.shape)], at, strict=True))
    )
    return after - _of_cnr(
        rng, modality, np.clip(rng.uniform(1.2, 2.6) - distance + 0.5, 0, 1).astype(np.float32), scale
    )


def line_invented(rng: np.random.Generator, truth: Volume, after: Volume, scale: Volume, modality: str) -> Volume:
    """A line of 12 to 20 pixels at any angle, or through 8 slices, that is only in the output."""
    at, shape = _place(rng, modality, truth, 14), np.zeros(truth.shape, np.float32)
    if rng.random() < 0.25:
        start = int(np.clip(at[0] - 4, 0, len(truth) - 8))
        shape[start : start + 8, at[1], at[2]] = 1
    else:
        angle, half = rng.uniform(0, np.pi), rng.uniform(6, 10)
        for along in np.arange(-half, half, 0.5):
            shape[at[0], round(at[1] + along * np.sin(angle)), round(at[2] + along * np.cos(angle))] = 1
    return after + _of_cnr(rng, modality, shape, scale)


def offset(rng: np.random.Generator, truth: Volume, after: Volume, scale: Volume, modality: str) -> Volume:
    """3 HU, or 3 % of the mean of the brighter half."""
    return after + (OFFSET_HU if modality == "CT" else OFFSET_FRACTION * truth[truth > np.median(truth)].mean())


def slice_swapped(rng: np.random.Generator, truth: Volume, after: Volume, scale: Volume, modality: str) -> Volume:
    """Two slices exchanged, next to each other half of the time."""
    first = int(rng.integers(1, len(after) - 2))
    second = first + 1 if rng.random() < 0.5 else int((first + rng.integers(2, len(after) - 2)) % len(after))
    swapped = after.copy()
    swapped[[first, second]] = after[[second, first]]
    return swapped


def stretched(rng: np.random.Generator, truth: Volume, after: Volume, scale: Volume, modality: str) -> Volume:
    """Contrast a tenth higher, the mean unchanged."""
    middle = after[truth > np.median(truth)].mean()
    return middle + STRETCH * (after - middle)


SPOILERS: dict[str, Callable[..., Volume]] = {
    "edges 10 % wider": lambda rng, truth, after, scale, modality: edge_growth(rng, truth, after, scale),
    "lesion erased": lesion_erased,
    "line invented": line_invented,
    "offset 3 HU / 3 %": offset,
    "slice swapped": slice_swapped,
    "contrast +10 %": stretched,
}


def faults_of(modality: str, phantom: Phantom, before: Volume, after: Volume) -> tuple[str, ...]:
    """Return the names of the failed checks."""
    threshold, valid = tissue_of(before, modality).threshold, np.ones(before.shape, bool)
    pair = VolumePair(before, after.astype(np.float32), valid, phantom.spacing, threshold, modality)
    return tuple(check.name for check in assess_volume(pair, 100, SETTINGS).faults)


def trial(modality: str, seed: int) -> dict[str, tuple[str, ...]]:
    """Return the failed checks of one honest output, and of each way of spoiling it."""
    rng, phantom = np.random.default_rng(seed), truth_of(modality, seed // 1000 * 100 + seed % TRUTHS)
    truth, scale = phantom.truth, scale_of(modality, phantom.truth)
    noise = noise_of(rng, modality, truth.shape) * scale
    before, after = truth + noise, truth + honest(rng, noise)
    faults = {"honest": faults_of(modality, phantom, before, after)}
    for name, spoil in SPOILERS.items():
        spoiled = spoil(rng, truth, after, scale, modality)
        faults[name] = faults_of(modality, phantom, before, spoiled)
    return faults


def clip_trial(seed: int) -> dict[str, tuple[str, ...]]:
    """The same for an ultrasound still; what it retains of the speckle is as in a volume."""
    rng = np.random.default_rng(seed)
    made = make_speckle_phantom(192, 192, 3, rng)
    tissue = np.ones(made.truth.shape[1:], bool)
    after = made.truth + honest(rng, made.frames - made.truth)
    middle = after.mean()
    shaken = after + np.float32([0, 8, 0])[:, None, None]
    spoiled = {
        "honest": after,
        "contrast +10 %": middle + STRETCH * (after - middle),
        "offset 3 HU / 3 %": after + 8,
        "one frame 3 % brighter": shaken,
    }
    return {
        name: tuple(
            check.name
            for check in assess_clip(
                ClipPair(made.frames, image.astype(np.float32), tissue, 255.0), 100, SETTINGS
            ).faults
        )
        for name, image in spoiled.items()
    }


def interval(count: int, of: int) -> str:
    """A rate in percent with its interval."""
    ends = stats.binomtest(count, of).proportion_ci(0.95)
    return f"{100 * count / of:.1f} ({100 * ends.low:.1f} to {100 * ends.high:.1f})"


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Hit and false alarm rates of the gate.")
    parser.add_argument("--volumes", type=int, default=60)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--modality", nargs="*", default=["CT", "MR", "PT", "US"])
    given = parser.parse_args()
    print("| modality | output | outputs | failed, % (95 %) | checks |\n|---|---|---|---|---|")
    for modality in given.modality:
        off: dict[str, list[tuple[str, ...]]] = defaultdict(list)
        for seed in range(given.first_seed, given.first_seed + given.volumes):
            for name, faults in (clip_trial(seed) if modality == "US" else trial(modality, seed)).items():
                off[name].append(faults)
        for name, lists in off.items():
            checks = ", ".join(
                f"{check} {sum(check in failed for failed in lists)}"
                for check in sorted({each for failed in lists for each in failed})
            )
            print(
                f"| {modality} | {name} | {len(lists)} | {interval(sum(map(bool, lists)), len(lists))} | {checks} |",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
