"""What the checks report of one output of a phantom, beside what is true, and what is delivered."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from bench.checks.place_harm import harm_of
from bench.checks.true_edges import true_growth
from models.volume.tissue import tissue_of
from operators.quality.bias import Images
from operators.quality.gate_settings import GateSettings
from operators.quality.local_change import BLOCK, SmallChange, searched, small_changes
from operators.quality.noise import gradient_noise, noise_levels, sampled
from operators.quality.restoring import restore
from operators.quality.volume_checks import assess_volume, edges_of
from operators.quality.volume_pair import VolumePair, around_tissue
from validation.phantoms.anatomy import Phantom, Volume

SETTINGS = GateSettings()
HARM = 0.5  # of a place's change that is error of the output, not noise of the input, from which it was harm
SAME = (1, 4, 4)  # slices and pixels within which places are one


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
    noise = gradient_noise(noisy[chosen], after[chosen], tissue[chosen], pair.device)
    inside = around_tissue(tissue[chosen], pair.valid[chosen], pair.device)
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
    if not noise_sd:
        return 0, 0
    body = searched(pair, tissue, noise_sd)
    blocks = range(0, len(body), BLOCK)
    found = [one for start in blocks for one in small_changes(pair, body, start) if one.size > SETTINGS.local_sd]
    places: list[SmallChange] = []
    for one in sorted(found, key=lambda change: -change.size):  # several filters find the same
        if not any(_near(one, other) for other in places):
            places.append(one)
    harm = [harm_of(pair, mean, body, change) >= HARM for change in places]
    return sum(harm), len(harm) - sum(harm)


def _near(one: SmallChange, other: SmallChange) -> bool:
    return all(abs(i - j) <= reach for i, j, reach in zip(one.place, other.place, SAME, strict=True))
