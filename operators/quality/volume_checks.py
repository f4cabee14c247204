"""The checks of a CT, MR or PET volume.

In: before and after in real units, padding, and the value that separates tissue from air. Out: an `Assessment`. Every
measure expects a change whose mean is zero: a correction that is known, as the Rician one of MR, is taken off before.
"""

import math
from dataclasses import dataclass

import numpy as np

from operators.quality.activity import peak_change, total_change
from operators.quality.assessment import Assessment, Check
from operators.quality.bias import Mask
from operators.quality.edges import EdgeFindings, edge_findings
from operators.quality.gate_settings import GateSettings
from operators.quality.intensity_checks import intensity_checks
from operators.quality.local_change import local_change, searched
from operators.quality.noise import gradient_noise, noise_levels, sampled
from operators.quality.slice_order import slice_place
from operators.quality.strength import FULL
from operators.quality.structure_loss import StructureLoss, structure_loss
from operators.quality.volume_pair import VolumePair, around_tissue

UNITS = {"CT": "HU", "PT": "Bq/ml"}  # of the values; MR has none
PLACE_LIMIT = 0.55  # of the way to a neighbour's original; honest outputs read .50 at most, exchanged slices more
LOSS_LIMIT = 5.0  # percent; honest outputs lose 1 at most, and 8 to 16 where a quarter of all faint structure is lost
PEAK_LIMIT = 10.0  # percent; what SUV differs by between repeated scans
RANGE_LIMIT = 3.0  # sd of the noise beyond the darkest and brightest value: more is no noise


@dataclass(frozen=True)
class Structure:
    """What structure lost in full strength, of which less strength loses no more than its part.

    Attributes:
        edges: how much wider they became, and what of them shows in what was removed.
        largest: size of the largest small change; None where the noise is not known.
        loss: of faint structures; None where nothing can be said.
    """

    edges: EdgeFindings
    largest: float | None
    loss: StructureLoss | None


def structure_of(pair: VolumePair) -> Structure:
    """Measure edges and small structures of ``pair``, which is in full strength."""
    tissue = pair.tissue
    edges = edges_of(pair, tissue)
    noise, _ = noise_levels(pair.before, pair.after, tissue)
    if not noise:
        return Structure(edges, None, None)
    body = searched(pair, tissue, noise)
    return Structure(edges, local_change(pair, body), structure_loss(pair, body))


def assess_volume(
    pair: VolumePair, strength: float, settings: GateSettings, structure: Structure | None = None
) -> Assessment:
    """Run the checks after ``strength`` percent of the change.

    Args:
        pair: in full strength.
        structure: of ``pair``, where it was measured before.
    """
    structure = structure or structure_of(pair)
    changed = pair.at(strength)
    tissue = pair.tissue
    noise_before, noise_after = noise_levels(changed.before, changed.after, tissue)
    bias_checks, levels = intensity_checks(changed, pair.after, tissue, settings)
    place = slice_place(changed.before, changed.after, tissue, pair.device)
    checks = (
        *bias_checks,
        *_structure_checks(structure, strength / FULL, settings),
        _range_check(changed, noise_before),
        _padding_check(changed),
        Check("slice_order", place, PLACE_LIMIT, "", "every slice is in its place"),
        *(_activity_checks(changed, settings) if changed.modality == "PT" else ()),
    )
    return Assessment(strength, checks, noise_before, noise_after, UNITS.get(changed.modality, ""), levels)


def edges_of(pair: VolumePair, tissue: Mask) -> EdgeFindings:
    """Return what the edges in and around the tissue of evenly sampled slices say."""
    chosen = sampled(len(pair.before))
    before, after, inside = pair.before[chosen], pair.after[chosen], tissue[chosen]
    noise = gradient_noise(before, after, inside, pair.device)
    return edge_findings(before, after, around_tissue(inside, pair.valid[chosen], pair.device), noise, pair.device)


def _structure_checks(structure: Structure, part: float, settings: GateSettings) -> tuple[Check, ...]:
    edges, loss = structure.edges, structure.loss
    sure, raw = (None, None) if loss is None else (_times(part, loss.sure), _times(part, loss.percent))
    width, faint = "edges that can be seen are as sharp as before", "what was removed shows no fainter edge"
    small, kept = "nothing small was erased or invented", "no more of faint structures is lost than gained"
    return (
        Check("edge_width", _times(part, edges.sure_growth), settings.edge_percent, "%", width),
        Check("residual_structure", _times(part, edges.sure_structure), settings.structure, "sd/pixel", faint),
        Check("local_change", _times(part, structure.largest), settings.local_sd, "sd", small),
        Check("structure_loss", sure, LOSS_LIMIT, "%", kept, raw),
    )


def _times(part: float, value: float | None) -> float | None:
    return None if value is None else part * value


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
    return Check("range", value, RANGE_LIMIT, "sd", "no value is darker or brighter than the volume had before")


def _padding_check(pair: VolumePair) -> Check:
    sides = zip(pair.before, pair.after, pair.valid, strict=True)
    changed = sum(np.count_nonzero((old != new) & ~valid) for old, new, valid in sides)
    return Check("padding", float(changed), 0.0, "voxels", "what was never measured is untouched")
