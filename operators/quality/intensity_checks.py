"""Check that means stay: of all tissue, of tissue of each intensity, of each slice."""

import math

import numpy as np
import numpy.typing as npt

from operators.quality.assessment import Check, LevelBias
from operators.quality.bias import Images, Mask, level_biases, slice_biases, square_means, squares, sure, worst
from operators.quality.gate_settings import GateSettings
from operators.quality.noise import sampled
from operators.quality.volume_pair import VolumePair

FEWEST_IN_SLICE = 16  # squares of tissue; the mean of fewer is moved by noise more than they can show
TINY = 1e-12  # keeps a fraction of nothing finite


def intensity_checks(
    pair: VolumePair, full: Images, tissue: Mask, settings: GateSettings
) -> tuple[tuple[Check, ...], tuple[LevelBias, ...]]:
    """Return the checks, and the bias of each intensity.

    Args:
        full: the output in full strength, by whose intensity tissue is sorted.
    """
    chosen = sampled(len(pair.before))
    levels = list(level_biases(*square_means(pair.before[chosen], pair.after[chosen], full[chosen], tissue[chosen])))
    mean = float(pair.before.mean(where=tissue, dtype=np.float64)) if tissue.any() else 0.0
    limit, unit = limit_of(settings, pair.modality), "HU" if pair.modality == "CT" else "%"
    by_level = [relative(sure(bias.bias, error), bias.level, mean, pair.modality) for bias, error in levels]
    by_level_raw = worst([relative(bias.bias, bias.level, mean, pair.modality) for bias, _ in levels])
    level = Check("level_bias", worst(by_level), limit, unit, "bright and dark tissue keep their values", by_level_raw)
    biases = tuple(bias for bias, _ in levels)
    if pair.modality == "PT":  # whose noise moves the mean of a slice by more; the total activity is watched instead
        return (level,), biases
    by_slice = slice_biases(pair.before, pair.after, tissue)
    whole = float(np.average(by_slice, weights=tissue.sum(axis=(1, 2)))) if tissue.any() else None
    measured = [
        (float(bias), error)
        for bias, error in zip(by_slice, _slice_errors(pair, tissue), strict=True)
        if math.isfinite(error)
    ]
    slices = [relative(sure(bias, 2 * error), mean, mean, pair.modality) for bias, error in measured]
    slices_raw = [relative(bias, mean, mean, pair.modality) for bias, _ in measured]
    whole = None if whole is None else relative(whole, mean, mean, pair.modality)
    return (
        Check("mean_bias", whole, limit, unit, "the mean of all tissue stays"),
        level,
        Check(
            "slice_bias", worst(slices), limit, unit, "no slice is brighter or darker than it was", worst(slices_raw)
        ),
    ), biases


def limit_of(settings: GateSettings, modality: str) -> float:
    """Return by how much a mean may be moved, in HU for CT, else in percent."""
    return settings.bias_hu if modality == "CT" else settings.bias_percent


def relative(bias: float, level: float, mean: float, modality: str) -> float:
    """Return a bias in the unit of its limit; percent of its own level, at least of the mean of all tissue."""
    return bias if modality == "CT" else 100 * bias / max(level, mean, TINY)


def _slice_errors(pair: VolumePair, tissue: Mask) -> npt.NDArray[np.float64]:
    """The standard error of each slice's mean change, from that of its squares; infinite where there are too few."""
    errors = []
    for old, new, inside in zip(pair.before, pair.after, tissue, strict=True):
        means = squares(new - old).mean(axis=-1)[squares(inside).all(axis=-1)]
        errors.append(float(means.std(ddof=1) / np.sqrt(means.size)) if means.size >= FEWEST_IN_SLICE else math.inf)
    return np.asarray(errors)
