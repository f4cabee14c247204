"""Limits of requirements that an ideal observer sets, from the test objects and the noise themselves."""

import numpy as np
import pytest
from scipy import ndimage

from validation.kit import kit_cases
from validation.kit.evidence import field
from validation.kit.requirements import requirements
from validation.measures.visibility import ideal_detectability, radial_power, visible_fading, visible_widening
from validation.phantoms.anatomy import coverage, ellipsoid, grid
from validation.phantoms.ct_inserts import PIXEL_MM, ROD_MM, SLICE_MM, ct_inserts
from validation.phantoms.ct_phantom import BLUR_PIXELS
from validation.phantoms.mr_brain import T1
from validation.phantoms.mr_inserts import PIXEL_MM as MR_PIXEL_MM
from validation.phantoms.mr_inserts import VIAL_MM

SIDE, FINE = 64, 8  # pixels, and parts of one to each side
KERNEL_END = 0.4  # cycles a pixel: beyond, the test object has signal without noise, which no reconstruction leaves


def disc(radius: float, contrast: float, blur: float) -> np.ndarray:
    fine = (np.arange(SIDE * FINE) + 0.5) / FINE - SIDE / 2
    inside = (np.hypot(fine[:, None], fine) < radius).reshape(SIDE, FINE, SIDE, FINE).mean(axis=(1, 3))
    return contrast * ndimage.gaussian_filter(inside, blur)


def limit(identity: str) -> float:
    return next(row.limit.value for row in requirements() if row.identity == identity)


def test_a_known_signal_in_white_noise_has_its_energy_over_the_noise_as_d_prime() -> None:
    white = radial_power(3 * np.random.default_rng(0).standard_normal((200, SIDE, SIDE)), np.inf)
    signal = disc(5, 2, 0)
    assert ideal_detectability(signal, white) == pytest.approx(np.sqrt((signal**2).sum()) / 3, rel=0.02)
    assert visible_fading(signal, white) == pytest.approx(1 - 3 / np.sqrt((signal**2).sum()), rel=0.02)


def test_the_limit_of_a_faint_mr_edge_is_that_of_an_ideal_observer() -> None:
    white = np.full((SIDE, SIDE), (kit_cases.NOISE_PERCENT / 100 * T1.white) ** 2)
    radius = VIAL_MM / MR_PIXEL_MM
    assert limit("MR-4") <= visible_widening(disc(radius, 50, 0), white, radius) < limit("MR-4") + 0.1


@pytest.mark.slow
def test_the_limits_of_a_faint_ct_edge_and_of_a_small_lesion_are_those_of_an_ideal_observer() -> None:
    tested = ct_inserts((12, 256, 256), noise_hu=kit_cases.NOISE_HU, seed=3)
    noise = field(tested.phantom.noisy - tested.phantom.truth, tested.phantom.regions["uniform"])
    power, radius = radial_power(noise, KERNEL_END), ROD_MM / PIXEL_MM
    assert limit("CT-4") <= visible_widening(disc(radius, 10, BLUR_PIXELS), power, radius) < limit("CT-4") + 0.4
    where = grid((9, SIDE, SIDE), (SLICE_MM, PIXEL_MM, PIXEL_MM))
    ball = coverage(ellipsoid(where, (0.0, PIXEL_MM / 2, PIXEL_MM / 2), 3 * (1.5,)), where)[4]
    fading = visible_fading(30 * ndimage.gaussian_filter(ball, BLUR_PIXELS), power)
    assert limit("CT-13") - 0.05 < fading <= limit("CT-13")
