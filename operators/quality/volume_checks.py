"""The lights of a CT, MR or PET volume.

In: before and after in real units, the padding and the value that tells tissue from air. Out: an `Assessment`. Every
measure expects a change whose mean is zero: a correction that is known, as the Rician one of MR, is taken off before.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from operators.quality.activity import peak_change, total_change
from operators.quality.assessment import Assessment, Check, LevelBias
from operators.quality.bias import SURE, Images, Mask, level_biases, slice_biases, square_means, squares
from operators.quality.edges import REACH, EdgeFindings, edge_findings
from operators.quality.gate_settings import GateSettings
from operators.quality.local_change import local_change
from operators.quality.noise import gradient_noise, noise_level_map, noise_levels, sampled
from operators.quality.slice_order import slice_place

UNITS = {"CT": "HU", "PT": "Bq/ml"}  # of the values; MR has none
PLACE_LIMIT = 0.65  # of the way to a neighbour's original; noise alone puts an honest slice at up to .5
TISSUE_SMOOTH = 5  # pixels: single noisy voxels must not choose themselves as tissue
AROUND = 5  # pixels, side of the square by which tissue is widened, so that its own border is an edge
TINY = 1e-12  # keeps a share of nothing finite
FEWEST_IN_SLICE = 16  # squares of tissue; the mean of fewer is moved by noise more than they can tell
SMALL_STRUCTURES = (
    "CT",
    "MR",
)  # looked for; PET noise rises so steeply from place to place that it passes for them
PEAK_LIMIT = 10.0  # percent; what SUV differs by between repeated scans
RANGE_LIMIT = 3.0  # sd of the noise beyond the darkest and brightest value: more is no noise


@dataclass(frozen=True)
class VolumePair:
    """One volume before and after.

    Attributes:
        before: (slices, rows, columns), real units.
        after: the same shape and unit.
        valid: the same shape, False on padding.
        spacing: mm between slices, rows and columns.
        threshold: value that tells tissue from air.
        modality: CT, MR or PT.
    """

    before: Images
    after: Images
    valid: Mask
    spacing: tuple[float, float, float]
    threshold: float
    modality: str

    def at(self, strength: float) -> "VolumePair":
        """The same volume after so many percent of the change."""
        if strength == 100:
            return self
        after = self.before + np.float32(strength / 100) * (self.after - self.before)
        return VolumePair(self.before, after, self.valid, self.spacing, self.threshold, self.modality)

    @property
    def tissue(self) -> Mask:
        """What is measured and no air, by the mean of before and after."""
        tissue = np.empty(self.valid.shape, bool)
        for old, new, valid, out in zip(self.before, self.after, self.valid, tissue, strict=True):
            out[...] = (ndimage.uniform_filter(old + new, TISSUE_SMOOTH) > 2 * self.threshold) & valid
        return tissue


def assess_volume(pair: VolumePair, strength: float, settings: GateSettings) -> Assessment:
    """The lights of ``pair``, which was changed by ``strength`` percent."""
    tissue = pair.tissue
    noise_before, noise_after = noise_levels(pair.before, pair.after, tissue)
    chosen = sampled(len(pair.before))
    level, change = square_means(pair.before[chosen], pair.after[chosen], tissue[chosen])
    levels = list(level_biases(level, change))
    by_slice = slice_biases(pair.before, pair.after, tissue)
    checks = (
        *_bias_checks(pair, tissue, levels, by_slice, settings),
        *_structure_checks(pair, tissue, settings),
        *_local_checks(pair, tissue, noise_before, settings),
        _range_check(pair, noise_before),
        _padding_check(pair),
        Check(
            "slice_order", slice_place(pair.before, pair.after, tissue), PLACE_LIMIT, "", "every slice is in its place"
        ),
        *(_activity_checks(pair, settings) if pair.modality == "PT" else ()),
    )
    biases = tuple(bias for bias, _ in levels)
    unit = UNITS.get(pair.modality, "")
    middle = noise_level_map(pair.before, len(pair.before) // 2)
    return Assessment(strength, checks, noise_before, noise_after, unit, middle, biases, by_slice)


def _bias_checks(
    pair: VolumePair,
    tissue: Mask,
    levels: list[tuple[LevelBias, float]],
    by_slice: npt.NDArray[np.float32],
    settings: GateSettings,
) -> tuple[Check, ...]:
    mean = float(pair.before.mean(where=tissue, dtype=np.float64)) if tissue.any() else 0.0
    hounsfield = pair.modality == "CT"
    limit, unit = (settings.bias_hu, "HU") if hounsfield else (settings.bias_percent, "%")

    def share(bias: float, level: float) -> float:
        return bias if hounsfield else 100 * bias / max(level, mean, TINY)

    whole = share(float(np.average(by_slice, weights=tissue.sum(axis=(1, 2)))), mean) if tissue.any() else None
    by_level = [share(sure(bias.bias, error), bias.level) for bias, error in levels]
    errors = _slice_errors(pair, tissue)
    slices = [
        share(sure(float(bias), 2 * error), mean)
        for bias, error in zip(by_slice, errors, strict=True)
        if math.isfinite(error)
    ]
    level = Check("level_bias", worst(by_level), limit, unit, "bright and dark tissue keep their values")
    if pair.modality == "PT":  # whose noise moves the mean of a slice by more; the total activity is watched instead
        return (level,)
    return (
        Check("mean_bias", whole, limit, unit, "the mean of all tissue stays"),
        level,
        Check("slice_bias", worst(slices), limit, unit, "no slice is brighter or darker than it was"),
    )


def _slice_errors(pair: VolumePair, tissue: Mask) -> list[float]:
    """The standard error of each slice's mean change, from that of its squares; infinite where there are too few."""
    errors = []
    for old, new, inside in zip(pair.before, pair.after, tissue, strict=True):
        means = squares(new - old).mean(axis=-1)[squares(inside).all(axis=-1)]
        errors.append(float(means.std(ddof=1) / np.sqrt(means.size)) if means.size >= FEWEST_IN_SLICE else math.inf)
    return errors


def _structure_checks(pair: VolumePair, tissue: Mask, settings: GateSettings) -> tuple[Check, ...]:
    edges = edges_of(pair, tissue)
    return (
        Check("edge_width", edges.sure_growth, settings.edge_percent, "%", "edges that can be seen are as sharp as before"),
        Check("residual_structure", edges.sure_structure, settings.structure, "sd/pixel", "what was removed shows no edge"),
    )


def edges_of(pair: VolumePair, tissue: Mask) -> EdgeFindings:
    """Return what the edges in and around the tissue of evenly sampled slices say."""
    chosen = sampled(len(pair.before))
    before, after, inside = pair.before[chosen], pair.after[chosen], tissue[chosen]
    around = ndimage.maximum_filter(inside, (1, AROUND, AROUND)) & ndimage.minimum_filter(pair.valid[chosen], (1, REACH, REACH))
    return edge_findings(before, after, around, gradient_noise(before, after, inside))


def _local_checks(pair: VolumePair, tissue: Mask, noise: float, settings: GateSettings) -> tuple[Check, ...]:
    if pair.modality not in SMALL_STRUCTURES:
        return ()
    largest = local_change(pair.before, pair.after, pair.valid, tissue, noise)
    return (Check("local_change", largest, settings.local_sd, "sd", "nothing small was erased or invented"),)


def _activity_checks(pair: VolumePair, settings: GateSettings) -> tuple[Check, ...]:
    total = total_change(pair.before, pair.after, pair.valid)
    peak = peak_change(pair.before, pair.after, pair.valid, pair.spacing)
    return (
        Check("total_activity", total, settings.bias_percent, "%", "all activity together stays"),
        Check("suv_peak", peak, PEAK_LIMIT, "%", "the hottest places keep their peaks"),
    )


def _range_check(pair: VolumePair, noise: float) -> Check:
    lows = [float(images.min(where=pair.valid, initial=np.inf)) for images in (pair.before, pair.after)]
    highs = [float(images.max(where=pair.valid, initial=-np.inf)) for images in (pair.before, pair.after)]
    beyond = float(np.max([0.0, lows[0] - lows[1], highs[1] - highs[0]])) if pair.valid.any() else 0.0
    value = beyond / noise if noise else None if math.isfinite(beyond) else math.nan
    return Check(
        "range",
        value,
        RANGE_LIMIT,
        "sd",
        "no value is darker or brighter than the volume had before",
    )


def _padding_check(pair: VolumePair) -> Check:
    sides = zip(pair.before, pair.after, pair.valid, strict=True)
    changed = sum(np.count_nonzero((old != new) & ~valid) for old, new, valid in sides)
    return Check("padding", float(changed), 0.0, "voxels", "what was never measured is untouched")


def sure(bias: float, error: float) -> float:
    """What of a bias stands out of its own uncertainty."""
    return float(np.sign(bias) * max(0.0, abs(bias) - SURE * error))


def worst(values: list[float]) -> float | None:
    """The value of the largest magnitude, None of none."""
    return max(values, key=abs, default=None)
