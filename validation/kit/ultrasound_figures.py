"""Figures of ultrasound: contrast, how well cysts are separated, edges, points, grey level and speckle."""

import numpy as np
from numpy.typing import NDArray

from validation.kit.evidence import CasePair, Evidence
from validation.measures.edge_transfer import distances, profile, profile_sums, width
from validation.measures.intervals import Measured, bootstrapped, largest_of, least_of, mean_of
from validation.measures.ultrasound import contrast_db, gcnr, half_width
from validation.phantoms.test_object import Insert, disc, ring

CLEAR_PIXELS = 4.0  # from a cyst's edge: the point spread reaches over it
RING_PIXELS = 12.0
POINT_PIXELS = 10  # on either side of a point
PIECES = 4  # of the uniform field, in each direction

Real = NDArray[np.float64]


def contrast_error_db(evidence: Evidence, group: str) -> Measured:
    """Largest error of a cyst's contrast beyond the input's own, dB, over cysts."""
    return largest_of(np.array([[_excess(p, c) for c in p.tested.rods] for p in evidence.pairs(group)]))


def gcnr_gain(evidence: Evidence, group: str) -> Measured:
    """Least gain of the generalised contrast-to-noise ratio over cysts."""
    gains = np.array([[_gcnr(p, "after", c) - _gcnr(p, "before", c) for c in p.tested.rods] for p in
                      evidence.pairs(group)])  # fmt: skip
    return least_of(gains)


def edge_ratio(evidence: Evidence, group: str) -> Measured:
    """Distance from 10 to 90 % across the strongest cyst's edge, over the truth's."""
    pairs = evidence.pairs(group)
    cyst = min(pairs[0].tested.rods, key=lambda rod: rod.contrast)
    after, truth = (np.stack([_profile(p, when, cyst) for p in pairs]) for when in ("after", "truth"))
    return bootstrapped(lambda i: width(after[i].mean(axis=0)) / width(truth[i].mean(axis=0)), len(pairs))


def point_ratio(evidence: Evidence, group: str, axis: int) -> Measured:
    """Half width of points over the truth's along an axis: 0 down the beam, 1 across it."""
    after, truth = ([] for _ in range(2))  # type: tuple[list[Real], list[Real]]
    for pair in evidence.pairs(group):
        for point in pair.tested.balls:
            after.append(_across(pair, "after", point, axis))
            truth.append(_across(pair, "truth", point, axis))
    seen, true = np.stack(after), np.stack(truth)
    return bootstrapped(lambda i: half_width(seen[i].mean(axis=0)) / half_width(true[i].mean(axis=0)), len(seen))


def grey_error(evidence: Evidence, group: str) -> Measured:
    """Largest error of the mean grey beyond the input's own, over the cysts' insides and the uniform field, of 255."""
    errors = []
    for pair in evidence.pairs(group):
        wrongs = [(volume - pair.truth)[0] for volume in (pair.before, pair.after)]
        insides = [disc(pair.uniform[0].shape, cyst, -CLEAR_PIXELS) for cyst in pair.tested.rods]
        old, new = (
            np.array([abs(wrong[inside].mean(dtype=np.float64)) for inside in [*insides, pair.uniform[0]]])
            for wrong in wrongs
        )
        errors.append(np.maximum(new - old, 0))
    return largest_of(np.array(errors))


def speckle_reduction(evidence: Evidence, group: str) -> Measured:
    """Return the fraction of the speckle's sd that is removed from the uniform field."""
    ratios = []
    for pair in evidence.pairs(group):
        rows, columns = (np.unique(axis) for axis in np.nonzero(pair.uniform[0]))
        for y in np.array_split(rows, PIECES):
            for x in np.array_split(columns, PIECES):
                old, new = (volume[0][np.ix_(y, x)].std(dtype=np.float64) for volume in (pair.before, pair.after))
                ratios.append(new / old)
    return mean_of(1 - np.array(ratios))


def contrasts(evidence: Evidence, group: str) -> dict[str, Real]:
    """Contrast of each cyst in dB, mean over draws, in the truth, before and after."""
    pairs = evidence.pairs(group)
    return {
        when: np.array([[_contrast(pair, when, cyst) for cyst in pair.tested.rods] for pair in pairs]).mean(axis=0)
        for when in ("truth", "before", "after")
    }


def _contrast(pair: CasePair, when: str, cyst: Insert) -> float:
    frame = getattr(pair, when)[0]
    return contrast_db(frame, disc(frame.shape, cyst, -CLEAR_PIXELS), ring(frame.shape, cyst, RING_PIXELS))


def _excess(pair: CasePair, cyst: Insert) -> float:
    """Error of the contrast beyond the input's, which speckle alone moves by more than a denoiser may."""
    true = _contrast(pair, "truth", cyst)
    old, new = (abs(_contrast(pair, when, cyst) - true) for when in ("before", "after"))
    return max(0.0, new - old)


def _gcnr(pair: CasePair, when: str, cyst: Insert) -> float:
    frame = getattr(pair, when)[0]
    return gcnr(frame, disc(frame.shape, cyst, -CLEAR_PIXELS), ring(frame.shape, cyst, RING_PIXELS))


def _profile(pair: CasePair, when: str, cyst: Insert) -> Real:
    outward = distances(pair.truth.shape[1:], cyst.centre[1:], cyst.radius)
    sums, counts = profile_sums(getattr(pair, when), outward)
    return profile(sums, counts[None])


def _across(pair: CasePair, when: str, point: Insert, axis: int) -> Real:
    row, column = (round(centre) for centre in point.centre[1:])
    reach = np.arange(-POINT_PIXELS, POINT_PIXELS + 1)
    frame = getattr(pair, when)[0]
    taken = frame[row + reach, column] if axis == 0 else frame[row, column + reach]
    return np.asarray(taken, np.float64)
