"""Figures of rods: how sharp their edges stay at each contrast, and how true their level."""

import numpy as np
from numpy.typing import NDArray

from validation.kit.evidence import CasePair, Evidence
from validation.kit.not_measured import NotMeasuredError
from validation.measures.edge_transfer import distances, frequency_at, profile, profile_sums, transfer, width
from validation.measures.intervals import Measured, bootstrapped, largest_of
from validation.phantoms.anatomy import Volume
from validation.phantoms.test_object import CLEAR, disc

SLICES_PER_REPEAT = 4  # of a rod: neighbours are fused, so that one slice alone is no independent repeat

Real = NDArray[np.float64]


def sharpness_retained(evidence: Evidence, group: str, contrast: float) -> Measured:
    """Frequency at half of the task transfer function after, over that of the noiseless object."""
    sums, counts, true = _edges(evidence.pairs(group), contrast)
    wanted = frequency_at(true)
    return bootstrapped(lambda i: frequency_at(profile(sums[i], counts[i])) / wanted, len(sums))


def width_ratio(evidence: Evidence, group: str, contrast: float) -> Measured:
    """Distance from 10 to 90 % of an edge after, over that of the noiseless object."""
    sums, counts, true = _edges(evidence.pairs(group), contrast)
    wanted = width(true)
    return bootstrapped(lambda i: width(profile(sums[i], counts[i])) / wanted, len(sums))


def transfers(evidence: Evidence, group: str, contrast: float) -> tuple[Real, Real, Real]:
    """Frequencies (1/mm) and the task transfer functions after and of the noiseless object."""
    pairs = evidence.pairs(group)
    sums, counts, true = _edges(pairs, contrast)
    frequencies, after = transfer(profile(sums, counts))
    return frequencies / pairs[0].tested.pixel_mm, after, transfer(true)[1]


def levels(pairs: list[CasePair], when: str, reference: str) -> tuple[Real, Real]:
    """True levels of all rods and, for each slice, by how much the mean in each is over the reference, (slices, rods).

    `when` and `reference` are before, after or truth.
    """
    rods = pairs[0].tested.rods
    errors = []
    for pair in pairs:
        insides = [disc(pair.truth.shape, rod, -CLEAR) for rod in rods]
        wrong = getattr(pair, when) - getattr(pair, reference)
        errors.append(np.stack([wrong[:, inside].mean(axis=1, dtype=np.float64) for inside in insides], axis=1))
    truth = pairs[0].truth[len(pairs[0].truth) // 2]
    true = np.array([truth[disc(truth.shape, rod, -CLEAR)].mean(dtype=np.float64) for rod in rods])
    return true, np.concatenate(errors)


def level_change(evidence: Evidence, group: str) -> Measured:
    """Largest change of a rod's mean, in the volume's unit."""
    return largest_of(levels(evidence.pairs(group), "after", "before")[1])


def relative_level_error(evidence: Evidence, group: str, above: float, below: float = np.inf) -> Measured:
    """Largest error of a rod's mean over its true level, for rods with levels between `above` and `below`."""
    true, errors = levels(evidence.pairs(group), "after", "truth")
    chosen = (true >= above) & (true < below)
    return largest_of(errors[:, chosen] / true[chosen])


def _edges(pairs: list[CasePair], contrast: float) -> tuple[Real, Real, Real]:
    """Profile sums and counts of each repeat, (repeats, BINS), and the noiseless profile."""
    sums, counts, trues = [], [], []
    for pair in pairs:
        for rod in pair.tested.rods:
            if rod.contrast == contrast:
                outward = distances(pair.truth.shape[1:], rod.centre[1:], rod.radius)
                for start in range(0, len(pair.after) - SLICES_PER_REPEAT + 1, SLICES_PER_REPEAT):
                    part, count = _summed(pair.after[start : start + SLICES_PER_REPEAT], outward)
                    sums.append(part)
                    counts.append(count)
                trues.append(_summed(pair.truth[:1], outward))
    if not sums:
        raise NotMeasuredError(f"no rod of contrast {contrast:g}", counts=False)
    return np.stack(sums), np.stack(counts), profile(*(np.stack(each) for each in zip(*trues, strict=True)))


def _summed(slices: Volume, outward: Real) -> tuple[Real, Real]:
    parts, count = profile_sums(slices, outward)
    return parts.sum(axis=0), count * len(slices)
