"""What ultrasound phantoms show: layers, cysts from -45 to +15 dB, bright lines, point reflectors, a vessel.

In: a generator, so that every seed is another scene. Out: a frozen description and its echogenicity at any
coordinates, for `speckle_scan`. Coordinates and sizes are fractions of the frame's side.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BACKGROUND_DB = -24.0  # below the top of the grey scale
CONTRASTS_DB = (-45.0, -20.0, -12.0, -6.0, -3.0, 3.0, 6.0, 10.0, 15.0, -30.0)
RADII = 0.024, 0.055  # of cysts
CYSTS_ACROSS = 5
LAYERS_DB = (-9.0, 8.0)  # above and below the cysts, against the background
LINE_DB, LINE_WIDTH = 17.0, 0.0045  # bright interfaces against the background; half width
VESSEL_DB, WALL_DB = -40.0, 8.0
PULSE, PULSE_PERIOD = 0.10, 16.0  # fraction by which the vessel's radius swings, frames
GAIN_LOSS_DB, GAIN_RIPPLE_DB = 5.0, 1.5  # from top to bottom, as time gain compensation leaves it
POINT_DB = -4.0  # peak of a point's echo below the top of the grey scale

Real = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Disk:
    """A round target; centre and radius in fractions of the side."""

    y: float
    x: float
    radius: float
    decibels: float  # against the background


@dataclass(frozen=True)
class Scene:
    """One anatomy."""

    cysts: tuple[Disk, ...]
    vessel: Disk | None  # pulsates
    lines: tuple[tuple[float, float], ...]  # height at the left border and slope
    points: tuple[tuple[float, float], ...]  # y, x


def draw_scene(rng: np.random.Generator, pulsating: bool) -> Scene:
    """Cysts on a jittered grid of two rows, in random order; with a vessel instead of the lower row's middle."""
    contrasts, cysts = rng.permutation(CONTRASTS_DB), []
    for index, decibels in enumerate(contrasts):
        row, column = divmod(index, CYSTS_ACROSS)
        y = 0.37 + 0.26 * row + rng.uniform(-0.02, 0.02)
        x = (column + 0.5) / CYSTS_ACROSS + rng.uniform(-0.02, 0.02)
        cysts.append(Disk(y, x, float(rng.uniform(*RADII)), float(decibels)))
    vessel = Disk(0.63, 0.5, 0.075, VESSEL_DB) if pulsating else None
    clear = tuple(each for each in cysts if vessel is None or abs(each.x - 0.5) > 0.1 or each.y < 0.5)
    lines = tuple(
        (height + float(rng.uniform(-0.015, 0.015)), float(rng.uniform(-0.05, 0.05))) for height in (0.1, 0.88)
    )
    points = tuple(
        (0.5 + float(rng.uniform(-0.008, 0.008)), x) for x in np.linspace(0.12, 0.88, 6) + rng.uniform(-0.02, 0.02, 6)
    )
    return Scene(clear, vessel, (*lines, (0.78, 0.04)), tuple((y, float(x)) for y, x in points))


def echogenicity(scene: Scene, y: Real, x: Real, frame: int) -> Real:
    """Decibels below the top of the grey scale at (y, x); depth gain included."""
    decibels = np.zeros_like(y)
    ripple = 0.02 * np.sin(2.0 * np.pi * x)
    decibels[y < 0.2 + ripple] = LAYERS_DB[0]
    decibels[y > 0.82 - ripple] = LAYERS_DB[1]
    for disk in scene.cysts:
        decibels[np.hypot(y - disk.y, x - disk.x) < disk.radius] = disk.decibels
    for height, slope in scene.lines:
        decibels[np.abs(y - height - slope * x) < LINE_WIDTH] = LINE_DB
    if scene.vessel is not None:
        swing = 1.0 + PULSE * np.sin(2.0 * np.pi * frame / PULSE_PERIOD)
        distance = np.hypot(y - scene.vessel.y, x - scene.vessel.x) / (scene.vessel.radius * swing)
        decibels[distance < 1.2] = WALL_DB
        decibels[distance < 1.0] = VESSEL_DB
    return np.asarray(BACKGROUND_DB + decibels - GAIN_LOSS_DB * y + GAIN_RIPPLE_DB * np.sin(9.0 * y))
