"""Ultrasound stills that look like a scanner's, beyond the ideal of `speckle_scan`: what today's methods meet in use.

Speckle is not fully developed (few scatterers in a resolution cell), reflectors are coherent and broken, gain and
shadows vary, beams are fewer than columns and interpolated after log compression, the grey follows a vendor's curve
and edges are enhanced. Of all that the expected grey has no closed form: the truth is the mean of independent
realisations of the same tissue, with an error of the speckle's sd over the root of their number.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates

from validation.phantoms.anatomy import Phantom
from validation.phantoms.speckle_physics import (
    AXIAL_SIGMA,
    LATERAL_SIGMA,
    MARGIN,
    MAXIMUM,
    Beam,
    Real,
    echo_of,
    grey_of,
    white,
)
from validation.phantoms.speckle_probe import Kind, frame_of, sample_coordinates, tissue_of_probe
from validation.phantoms.speckle_scan import SPREAD
from validation.phantoms.speckle_tissue import Tissue, draw_tissue

SHARPENED_SIGMA = 1.5  # pixels, of the blur that edge enhancement takes off
FOCUS_DEPTH = 0.45  # where the lateral spread is least


@dataclass(frozen=True)
class Look:
    """How a scanner makes its picture."""

    scatterers: float = 6.0  # effective number in a resolution cell; speckle is fully developed from some 10 on
    beams: float = 0.5  # beams over columns
    curve: float = 0.3  # of the grey map, 0 (straight) to 1: how much it darkens dark and brightens bright echoes
    enhancement: float = 0.3  # of edges: how much of what a blur takes off is added


LOOK = Look()


def make_still(
    kind: Kind, side: int, seed: int, look: Look = LOOK, *, realisation: int = 0, truths: int = 64
) -> Phantom:
    """Return a still; its regions are tissue, muscle, lumen, reflectors, shadow and cysts.

    Args:
        kind: of the probe.
        side: rows and columns.
        seed: of the anatomy.
        look: of the picture.
        realisation: of the speckle.
        truths: realisations whose mean is the truth, others than those that are shown.
    """
    y, x = sample_coordinates(kind, side)
    tissue, imaged = draw_tissue(np.random.default_rng([seed, 0]), y, x), tissue_of_probe(kind, side)
    shown = _grey(kind, tissue, look, np.random.default_rng([seed, 1, realisation])) * imaged
    rng = np.random.default_rng([seed, 2])
    truth = sum(_truths(kind, tissue, look, rng, truths)) / truths * imaged
    inner = slice(MARGIN, -MARGIN)
    regions = {
        name: ((frame_of(kind, region[inner, inner].astype(np.float64)) > 0.5) & imaged)[None]
        for name, region in tissue.regions.items()
    }
    regions["tissue"] = imaged[None]
    return Phantom(truth[None].astype(np.float32), shown[None].astype(np.float32), (1.0, 1.0, 1.0), "US", regions)


def _truths(kind: Kind, tissue: Tissue, look: Look, rng: np.random.Generator, count: int) -> Iterator[Real]:
    for _ in range(count):
        yield _grey(kind, tissue, look, rng)


def _grey(kind: Kind, tissue: Tissue, look: Look, rng: np.random.Generator) -> Real:
    """Return one realisation as stored."""
    beam = _focused(tissue.power.shape[0])
    scatterers = white(tissue.power.shape, rng) * np.sqrt(_clumps(rng, tissue.power.shape, look.scatterers))
    echo = echo_of(scatterers * np.sqrt(tissue.power), beam)
    echo += echo_of(tissue.reflected.astype(np.complex128), beam)
    raw = _interpolated(grey_of(np.abs(echo) ** 2), look.beams)
    grey = _curved(frame_of(kind, raw), look.curve)
    sharpened = grey + look.enhancement * (grey - gaussian_filter(grey, SHARPENED_SIGMA))
    return np.asarray(np.rint(np.clip(sharpened, 0.0, MAXIMUM)))


def _clumps(rng: np.random.Generator, shape: tuple[int, ...], scatterers: float) -> Real:
    """Return the power of each pixel's scatterers, mean 1: gamma laws make the echo K-distributed."""
    cell = 2 * np.pi * AXIAL_SIGMA * LATERAL_SIGMA  # pixels that add to an echo
    return rng.gamma(scatterers / cell, cell / scatterers, shape)


def _focused(rows: int) -> Beam:
    """Return the beam that is narrow at the focus and wider above and below."""
    depth = np.abs((np.arange(rows) - MARGIN) / (rows - 2 * MARGIN) - FOCUS_DEPTH)
    return Beam(0.0, np.zeros(rows), LATERAL_SIGMA * np.interp(depth, (0.0, 1.0 - FOCUS_DEPTH), SPREAD))


def _interpolated(grey: Real, beams: float) -> Real:
    """Return the frame as fewer beams give it, linearly interpolated along rows."""
    rows, columns = grey.shape
    lines = np.linspace(0, columns - 1, round(beams * columns))
    sparse = map_coordinates(grey, np.meshgrid(np.arange(rows), lines, indexing="ij"), order=1)
    back = np.arange(columns) * (len(lines) - 1) / (columns - 1)
    return np.asarray(map_coordinates(sparse, np.meshgrid(np.arange(rows), back, indexing="ij"), order=1))


def _curved(grey: Real, strength: float) -> Real:
    """Return the grey through an S-shaped map that keeps both ends."""
    straight = grey / MAXIMUM
    return np.asarray(MAXIMUM * (straight - strength * np.sin(2 * np.pi * straight) / (2 * np.pi)))
