"""What the checks report of one output of a phantom, beside what is true, and what is delivered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from scipy import ndimage

from bench.checks.true_edges import true_growth
from models.volume.tissue import tissue_of
from operators.quality.bias import Images
from operators.quality.gate_settings import GateSettings
from operators.quality.local_change import BLOCK, searched, small_changes
from operators.quality.noise import gradient_noise, noise_levels, sampled
from operators.quality.restoring import restore
from operators.quality.volume_checks import assess_volume, edges_of
from operators.quality.volume_pair import VolumePair, around_tissue
from validation.phantoms.anatomy import Phantom, Volume

SETTINGS = GateSettings()
HARM = 0.5  # of a place's change that is error of the output, not noise of the input, from which it was harm
AROUND, SMOOTH = (1, 4, 4), 0.7  # slices and pixels to each side of a place; sd of what gives its shape


@dataclass(frozen=True)
class Trial:
    """One output: growth in percent, PSNR in dB inside the body, tissue in percent."""

    reported: float | None
    error: float
    true: float | None
    reached: float
    delivered: float
    restored: float
    by_check: Mapping[str, float]
    harmful: int  # places of small structures that were restored, by what the truth says of them
    harmless: int
    faults: tuple[str, ...]  # checks that fail after restoring


def try_output(phantom: Phantom, mean: Volume, after: Volume) -> Trial:
    """Check one output; ``mean`` is what the noisy volume is on average."""
    after = np.asarray(after, np.float32)
    noisy = phantom.noisy.astype(np.float32)
    threshold = tissue_of(noisy, phantom.modality).threshold
    pair = VolumePair(noisy, after, np.ones(noisy.shape, bool), phantom.spacing, threshold, phantom.modality)
    tissue = pair.tissue
    edges = edges_of(pair, tissue)
    chosen = sampled(len(noisy))
    noise = gradient_noise(noisy[chosen], after[chosen], tissue[chosen])
    inside = around_tissue(tissue[chosen], pair.valid[chosen])
    restored = restore(replace(pair, after=after.copy()), SETTINGS)
    harmful, harmless = _places(pair, mean)
    delivered = VolumePair(noisy, restored.images, pair.valid, pair.spacing, threshold, pair.modality)
    faults = tuple(check.name for check in assess_volume(delivered, 100, SETTINGS).faults)
    body = phantom.regions["body"]
    return Trial(
        edges.growth,
        edges.error,
        true_growth(mean[chosen], after[chosen], inside, noise),
        _psnr(after, mean, body),
        _psnr(restored.images, mean, body),
        restored.percent,
        restored.by_check,
        harmful,
        harmless,
        faults,
    )


def _psnr(image: Images, truth: Images, body: Images) -> float:
    data_range = float(np.ptp(truth[body]))
    return float(10 * np.log10(data_range**2 / max(np.square(image - truth)[body].mean(dtype=np.float64), 1e-12)))


def _places(pair: VolumePair, mean: Volume) -> tuple[int, int]:
    """Return how many places of small structures are harm and how many are noise."""
    tissue = pair.tissue
    noise_sd, _ = noise_levels(pair.before, pair.after, tissue)
    if pair.modality == "PT" or not noise_sd:
        return 0, 0
    body = searched(pair, tissue, noise_sd)
    found = [
        change
        for start in range(0, len(body), BLOCK)
        for change in small_changes(pair, body, noise_sd, start)
        if change.size > SETTINGS.local_sd
    ]
    harm = [_harm(pair, mean, change.place, 2**change.octave) >= HARM for change in found]
    return sum(harm), len(harm) - sum(harm)


def _harm(pair: VolumePair, mean: Volume, place: tuple[int, int, int], pixels: int) -> float:
    reach = (AROUND[0], AROUND[1] * pixels, AROUND[2] * pixels)
    box = tuple(slice(max(0, at - by), at + by + 1) for at, by in zip(place, reach, strict=True))
    change = pair.after[box] - pair.before[box]
    shape = ndimage.gaussian_filter(change, SMOOTH * pixels)
    shape = shape - shape.mean()
    return float((shape * (pair.after[box] - mean[box])).sum() / (shape * change).sum())
