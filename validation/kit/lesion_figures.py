"""Figures of balls: contrast retained, detectability by a model observer, and recovery of hot spheres."""

import numpy as np
from numpy.typing import NDArray

from validation.kit.evidence import CasePair, Evidence
from validation.kit.not_measured import NotMeasuredError
from validation.measures.intervals import Measured, bootstrapped, mean_of
from validation.measures.observer import detectability, gabor, laguerre_gauss, regions_around, responses
from validation.phantoms.anatomy import Mask, Volume
from validation.phantoms.ct_inserts import empty_sites
from validation.phantoms.test_object import Insert, ring

UNSEEN = 0.1  # d' below which nothing is seen, so that a ratio to less says nothing
REGION_PIXELS = 17  # side of what the observer sees, odd
CHANNEL_WIDTH = 1.5  # of a lesion's diameter: Laguerre-Gauss channels then reach over its edge
RING_PIXELS = 2.0  # thickness of the background around a ball

Real = NDArray[np.float64]


def contrast_retained(evidence: Evidence, group: str, diameter: float, contrast: float) -> Measured:
    """Contrast of balls after over that of the noiseless object; diameter in mm."""
    fractions = [
        _contrast(pair, pair.after, ball) / _contrast(pair, pair.truth, ball)
        for pair in evidence.pairs(group)
        for ball in balls(pair, diameter, contrast)
    ]
    return mean_of(np.array(fractions))


def detectability_retained(
    evidence: Evidence, group: str, diameter: float, contrast: float, channels: str = "Laguerre-Gauss"
) -> Measured:
    """Model observer's d' after over that before; channels Laguerre-Gauss or Gabor."""
    (old, none_old), (new, none_new) = (
        _responses(evidence.pairs(group), when, diameter, contrast, channels) for when in ("before", "after")
    )

    def ratio(present: NDArray[np.intp], absent: NDArray[np.intp]) -> float:
        was = detectability(old[present], none_old[absent])
        return detectability(new[present], none_new[absent]) / max(was, UNSEEN)

    return bootstrapped(ratio, len(old), len(none_old))


def detected(evidence: Evidence, group: str, when: str, diameter: float, contrast: float) -> Measured:
    """Return d' itself, `when` before or after."""
    present, absent = _responses(evidence.pairs(group), when, diameter, contrast, "Laguerre-Gauss")
    return bootstrapped(lambda i, j: detectability(present[i], absent[j]), len(present), len(absent))


def recovery(evidence: Evidence, group: str, diameter: float, of: str) -> Measured:
    """SUVmean or SUVmax (`of` mean or max) of hot spheres after over that of the noiseless object."""
    recovered = []
    for pair in evidence.pairs(group):
        for ball in balls(pair, diameter):
            inside = ball_mask(pair, ball)
            recovered.append(
                getattr(pair.after[inside], of)(dtype=np.float64) / pair.truth[inside].mean(dtype=np.float64)
                if of == "mean"
                else float(pair.after[inside].max() / pair.truth[inside].max())
            )
    return mean_of(np.array(recovered))


def recovery_error(evidence: Evidence, group: str, diameter: float) -> Measured:
    """Error of the SUVmean of hot spheres beyond the input's own, over that of the noiseless object."""
    errors = []
    for pair in evidence.pairs(group):
        for ball in balls(pair, diameter):
            inside = ball_mask(pair, ball)
            true, old, new = (v[inside].mean(dtype=np.float64) for v in (pair.truth, pair.before, pair.after))
            errors.append((abs(new - true) - abs(old - true)) / true)
    return mean_of(np.array(errors))


def balls(pair: CasePair, diameter: float, contrast: float | None = None) -> list[Insert]:
    """Return the balls of a diameter (mm) and, unless it is left out, a contrast.

    Raises:
        NotMeasuredError: there are none.
    """
    radius = diameter / 2 / pair.tested.pixel_mm
    found = [
        ball
        for ball in pair.tested.balls
        if abs(ball.radius - radius) < 1e-6 and contrast in (None, ball.contrast)
    ]  # fmt: skip
    if not found:
        raise NotMeasuredError(f"no ball of {diameter:g} mm", counts=False)
    return found


def ball_mask(pair: CasePair, ball: Insert) -> Mask:
    """Return the voxels (slices, rows, columns) whose centres lie in a ball."""
    spacing = np.array(pair.phantom.spacing) / pair.tested.pixel_mm
    z, y, x = (
        (np.arange(count) - middle) * step
        for count, middle, step in zip(pair.truth.shape, ball.centre, spacing, strict=True)
    )
    distance = np.sqrt(z[:, None, None] ** 2 + y[None, :, None] ** 2 + x[None, None, :] ** 2)
    return np.asarray(distance <= ball.radius)


def _contrast(pair: CasePair, volume: Volume, ball: Insert) -> float:
    """Mean in the ball less the mean around it, in the slices that hold it."""
    reach = max(1, int(ball.radius * pair.tested.pixel_mm / pair.phantom.spacing[0]))
    z = round(ball.centre[0])
    slices = slice(max(0, z - reach), z + reach + 1)
    inside = ball_mask(pair, ball)[slices]
    around = ring(volume.shape, ball, RING_PIXELS)
    return float(volume[slices][inside].mean(dtype=np.float64) - volume[slices][:, around].mean(dtype=np.float64))


def _responses(pairs: list[CasePair], when: str, diameter: float, contrast: float, channels: str) -> tuple[Real, Real]:
    """Channel responses of regions with and without a ball."""
    width = CHANNEL_WIDTH * diameter / pairs[0].tested.pixel_mm
    seen = laguerre_gauss(REGION_PIXELS, width) if channels == "Laguerre-Gauss" else gabor(REGION_PIXELS)
    present, absent = [], []
    for pair in pairs:
        volume = getattr(pair, when)
        centres = [
            (round(b.centre[0]), round(b.centre[1]), round(b.centre[2])) for b in balls(pair, diameter, contrast)
        ]
        present.append(responses(regions_around(volume, centres, REGION_PIXELS), seen))
        absent.append(responses(regions_around(volume, empty_sites(volume.shape), REGION_PIXELS), seen))
    return np.concatenate(present), np.concatenate(absent)
