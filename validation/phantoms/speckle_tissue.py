"""Soft tissue for a linear or sector probe: layers, muscle fibres, broken fascia, a vessel, a bone with shadow.

In: a generator and coordinates as fractions of the side. Out: the power that is scattered, the coherent echoes of
reflectors, and masks by name, for the physics of `speckle_still`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from validation.phantoms.anatomy import grid, smooth_field
from validation.phantoms.speckle_physics import Real

PARENCHYMA_DB, FAT_DB, MUSCLE_DB, LUMEN_DB = -26.0, -22.0, -32.0, -58.0  # below the top of the grey scale
TEXTURE_DB, TEXTURE_PIXELS = 1.5, 40.0  # slow changes of the echogenicity: sd, and distance of its bumps
FIBRE_DB, FIBRE_PIXELS = 7.0, 12.0  # of muscle: height of its stripes, and their distance
FASCIA_DB, FASCIA_PIXELS, GAP_FRACTION = -9.0, 1.0, 0.3  # of reflectors: peak, half thickness, how much is missing
SUMMED_DB = 14.0  # by which a flat reflector echoes more than one of its pixels
LINES = (1.0, 1.0, 0.6, 0.4)  # amplitude of the layers' borders, and of septa in muscle and fat
GAP_PIXELS = 25.0  # length of a piece or a gap
BONE_DB, SHADOW_DB, SHADOW_EDGE = -2.0, 30.0, 0.015  # the shadow's border is as wide as the beam
ATTENUATION_DB = 10.0  # from top to bottom, left by gain compensation
COUPLING_DB, COUPLING_PIXELS = 2.0, 120.0  # along the skin
SHADOWED, REFLECTING = 0.5, 0.1  # of the beam stopped, of the strongest reflector: what the masks hold
CYSTS = ((0.028, -30.0), (0.018, -16.0), (0.022, 6.0), (0.014, -40.0))  # radius and dB against parenchyma


@dataclass(frozen=True)
class Tissue:
    """What scatters and reflects, on the raw canvas."""

    power: Real  # diffuse
    reflected: Real  # amplitude of coherent echoes
    regions: dict[str, npt.NDArray[np.bool_]]  # muscle, lumen, reflectors, shadow, cysts


def draw_tissue(rng: np.random.Generator, y: Real, x: Real) -> Tissue:
    """Draw one anatomy; every generator state is another."""
    decibels = np.full(y.shape, PARENCHYMA_DB) + TEXTURE_DB * _field(rng, y.shape, TEXTURE_PIXELS)
    fat, muscle = _layer_depths(rng, x)
    decibels = np.where(y < fat, FAT_DB, decibels)
    in_muscle = (y >= fat) & (y < muscle)
    decibels = np.where(in_muscle, MUSCLE_DB + _fibres(rng, y, x), decibels)
    cysts = np.zeros(y.shape, bool)
    for (radius, contrast), column in zip(CYSTS, rng.permutation(np.linspace(0.15, 0.85, len(CYSTS))), strict=True):
        inside = np.hypot(y - rng.uniform(0.5, 0.62), x - column) < radius
        decibels[inside], cysts = PARENCHYMA_DB + contrast, cysts | inside
    down, right = (y - rng.uniform(0.74, 0.8)) / 0.06, (x - rng.uniform(0.25, 0.4)) / 0.09
    lumen = np.hypot(down, right)
    decibels = np.where(lumen < 1, LUMEN_DB, decibels)
    lines = [np.abs(y - edge) for edge in (fat, muscle, 0.6 * fat + 0.4 * muscle, 0.5 * fat)]
    reflectors = np.max(
        [strength * _broken(rng, line * len(y), y.shape) for line, strength in zip(lines, LINES, strict=True)], axis=0
    )
    facing = np.abs(down) / np.maximum(lumen, 0.1)  # a wall along the beam sends nothing back
    wall = facing**4 * np.clip(1.5 - np.abs(lumen - 1) * 0.06 * len(y) / FASCIA_PIXELS, 0, 1)
    bone, shadow = _bone(rng, y, x)
    loss = ATTENUATION_DB * y + COUPLING_DB * _field(rng, (1, y.shape[1]), COUPLING_PIXELS) + SHADOW_DB * shadow
    fascia_db, bone_db = FASCIA_DB - SUMMED_DB, BONE_DB - SUMMED_DB
    amplitude = np.maximum(10 ** (fascia_db / 20) * np.maximum(reflectors, wall), 10 ** (bone_db / 20) * bone)
    regions = {
        "muscle": in_muscle, "lumen": lumen < 1, "cysts": cysts, "shadow": shadow > SHADOWED,
        "reflectors": amplitude > REFLECTING * amplitude.max(),
    }  # fmt: skip
    return Tissue(10 ** ((decibels - loss) / 10), amplitude * 10 ** (-loss / 20), regions)


def _layer_depths(rng: np.random.Generator, x: Real) -> tuple[Real, Real]:
    """Return the undulating lower borders of fat and of muscle."""
    depths = []
    for depth in (0.16, 0.4):
        phase, slope = rng.uniform(0, 2 * np.pi), rng.uniform(-0.06, 0.06)
        depths.append(depth + slope * (x - 0.5) + 0.02 * np.sin(2 * np.pi * rng.uniform(0.8, 1.6) * x + phase))
    return depths[0], depths[1]


def _fibres(rng: np.random.Generator, y: Real, x: Real) -> Real:
    """Return the stripes of muscle in dB: at a small angle, of uneven strength, broken along their length."""
    across = (y + rng.uniform(-0.15, 0.15) * x) * len(y) / FIBRE_PIXELS + 0.4 * _field(rng, y.shape, 60.0)
    return np.asarray(FIBRE_DB * np.cos(2 * np.pi * across) * (0.6 + 0.4 * _field(rng, y.shape, 30.0)))


def _broken(rng: np.random.Generator, distance: Real, shape: tuple[int, ...]) -> Real:
    """Return the strength of a reflector at this distance (pixels) from it, with gaps along the columns."""
    along = _field(rng, (1, shape[1]), 2 * GAP_PIXELS)
    pieces = np.clip((along - np.quantile(along, GAP_FRACTION)) / 0.3, 0, 1)
    return np.asarray(np.clip(1.5 - distance / FASCIA_PIXELS, 0, 1) * pieces)


def _bone(rng: np.random.Generator, y: Real, x: Real) -> tuple[Real, Real]:
    """Return the strength of a curved bright surface, and how much of the beam does not pass it."""
    middle, depth, half = rng.uniform(0.7, 0.85), rng.uniform(0.66, 0.72), rng.uniform(0.06, 0.1)
    surface = depth + 0.8 * (x - middle) ** 2 / half * 0.2
    covered = np.clip((half - np.abs(x - middle)) / SHADOW_EDGE, 0, 1)
    bone = np.clip(1.8 - np.abs(y - surface) * len(y) / FASCIA_PIXELS / 1.5, 0, 1) * (covered > 0.5)
    return np.asarray(bone), np.asarray(covered * (y > surface + 0.01))


def _field(rng: np.random.Generator, shape: tuple[int, ...], pixels: float) -> Real:
    where = grid((1, shape[0], shape[1]), (pixels, 1.0, 1.0))
    return np.asarray(smooth_field(rng, where, pixels)[0], np.float64)
