"""Figures of uniform fields, whatever the modality: noise, its texture, mean, false structures, repeatability."""

import numpy as np
from numpy.typing import NDArray

from operators.report.noise_power import Spectrum, power_of, sds_of, spectrum_of
from validation.kit.evidence import CasePair, Evidence, field
from validation.kit.not_measured import NotMeasuredError
from validation.measures.false_structures import count
from validation.measures.intervals import Measured, bootstrapped, largest_of, rate
from validation.phantoms.anatomy import Volume

SIDES = (32, 16, 8)  # pixels of a region of interest for noise: the largest that the uniform field holds
SLICES_PER_REPEAT = 2  # neighbours are fused, so that one slice alone is no independent repeat
LESION_MM = 5.0  # false structures of the size of the smallest lesion a reader searches for

Real = NDArray[np.float64]


def noise_reduction(evidence: Evidence, group: str) -> Measured:
    """Return the fraction of the noise's sd, 0..1, that is removed from the uniform field."""
    before, after = (total.sum(axis=-1) for total in _weighted(evidence.pairs(group)))
    return bootstrapped(lambda i: 1 - float(np.sqrt(after[i].mean() / before[i].mean())), len(before))


def mean_frequency_retained(evidence: Evidence, group: str) -> Measured:
    """Mean frequency of the noise after over that before."""
    pairs = evidence.pairs(group)
    before, after = powers(pairs)
    side, spacing = _side(pairs[0]), 2 * (pairs[0].tested.pixel_mm,)

    def ratio(chosen: NDArray[np.intp]) -> float:
        new, old = (spectrum_of(power[chosen], side, spacing).mean_frequency for power in (after, before))
        return new / old

    return bootstrapped(ratio, len(before))


def spectra(evidence: Evidence, group: str) -> tuple[Spectrum, Spectrum]:
    """Noise power spectra before and after."""
    pairs = evidence.pairs(group)
    side, spacing = _side(pairs[0]), 2 * (pairs[0].tested.pixel_mm,)
    before, after = powers(pairs)
    return spectrum_of(before, side, spacing), spectrum_of(after, side, spacing)


def powers(pairs: list[CasePair]) -> tuple[Real, Real]:
    """Radial power before and after, (repeats, frequencies); a repeat is a region in neighbouring slices."""
    return _powers(pairs, "before"), _powers(pairs, "after")


def mean_shift(evidence: Evidence, group: str) -> Measured:
    """Largest change of the mean over the field's quarters and middle, in the volume's unit."""
    shifts = np.concatenate([_quarters(field(p.after, p.uniform) - field(p.before, p.uniform)) for p in
                             evidence.pairs(group)])  # fmt: skip
    return largest_of(shifts)


def mean_shift_over_noise(evidence: Evidence, group: str) -> Measured:
    """Largest change of the mean over the field's quarters and middle, over the sd of the input's noise."""
    noise = np.mean([sds_of(field(pair.before, pair.uniform)).mean() for pair in evidence.pairs(group)])
    shift = mean_shift(evidence, group)
    return Measured(shift.value / noise, shift.low / noise, shift.high / noise, shift.repeats)


def false_structures(evidence: Evidence, modality: str) -> Measured:
    """False structures for each 1000 slices of uniform field, over all groups of a modality."""
    found = slices = 0
    for group in evidence.groups(modality):
        for pair in evidence.pairs(group):
            before, after = (field(volume, pair.uniform) for volume in (pair.before, pair.after))
            found += count(before, after, LESION_MM / pair.tested.pixel_mm)
            slices += len(before)
    if not slices:
        raise NotMeasuredError(f"no {modality} in this run", counts=False)
    return rate(found, slices / 1000, slices)


def seed_difference(evidence: Evidence, group: str) -> Measured:
    """Rms difference between two seeds over the sd of the input's noise, in the body."""
    first, *others = evidence.seeds(group)
    if not others:
        raise NotMeasuredError(f"{group}: run with one seed only", counts=False)
    noise = float((first.before - first.truth)[first.uniform].std(dtype=np.float64))
    body = first.phantom.regions["body"]
    squares = np.array(
        [
            np.mean(np.square(other.after[z] - first.after[z])[body[z]], dtype=np.float64)
            for other in others
            for z in range(len(first.after))
        ]
    )
    return bootstrapped(lambda i: float(np.sqrt(squares[i].mean())) / noise, len(squares))


def total_change(evidence: Evidence, group: str) -> Measured:
    """Largest relative change of the whole volume's total over the group's draws, either way."""
    totals = np.array(
        [[v.sum(axis=(1, 2), dtype=np.float64) for v in (p.before, p.after)] for p in evidence.pairs(group)]
    )
    old, new = totals[:, 0].ravel(), totals[:, 1].ravel()
    sign = np.sign(new.sum() - old.sum())
    return bootstrapped(lambda i: sign * (float(new[i].sum() / old[i].sum()) - 1), len(old))


def _side(pair: CasePair) -> int:
    held = min(field(pair.before, pair.uniform).shape[1:])
    return next((side for side in SIDES if side <= held), held)


def _powers(pairs: list[CasePair], when: str) -> Real:
    parts = []
    for pair in pairs:
        side = _side(pair)
        volume = field(getattr(pair, when), pair.uniform)
        for y in range(0, volume.shape[1] - side + 1, side):
            for x in range(0, volume.shape[2] - side + 1, side):
                power = power_of(volume[:, y : y + side, x : x + side], 2 * (pair.tested.pixel_mm,))
                whole = len(power) // SLICES_PER_REPEAT * SLICES_PER_REPEAT
                blocks = power[:whole].reshape(-1, min(SLICES_PER_REPEAT, max(whole, 1)), power.shape[-1])
                parts.append(blocks.mean(axis=1) if whole else power)
    return np.concatenate(parts)


def _weighted(pairs: list[CasePair]) -> tuple[Real, Real]:
    """Power times frequency: summed over frequencies, the variance."""
    return tuple(power * np.arange(1, power.shape[-1] + 1) for power in powers(pairs))  # type: ignore[return-value]


def _quarters(change: Volume) -> Real:
    """Means of the four quarters and of the middle of each slice, (slices, 5)."""
    rows, columns = (count // 2 for count in change.shape[1:])
    boxes = [(slice(a, a + rows), slice(b, b + columns)) for a in (0, rows) for b in (0, columns)]
    boxes.append((slice(rows // 2, rows // 2 + rows), slice(columns // 2, columns // 2 + columns)))
    return np.stack([change[:, y, x].mean(axis=(1, 2), dtype=np.float64) for y, x in boxes], axis=1)
