"""How many lost and made structures the check of a clip catches, and how often it fails where none was.

Frames are speckle as a scanner shows it, without tissue; the output is their mean, so that all speckle is removed. A
structure that is in the input only was lost, one that is in the output only was made.
"""

from collections.abc import Iterator

import numpy as np
from scipy.ndimage import gaussian_filter

from bench.ultrasound.echoes import PIXELS
from bench.ultrasound.figures import Row
from bench.ultrasound.measured import Image
from models.compute import PROCESSOR
from operators.quality.clip_structures import changed_structure
from operators.quality.gate_settings import GateSettings
from validation.phantoms.insertions import Insertion, Shape, inserted
from validation.phantoms.speckle_physics import LATERAL_SIGMA, Beam, echo_of, grey_of, white
from validation.phantoms.speckle_still import LOOK, SHARPENED_SIGMA

FRAMES, SIDE = 40, 288
GRAINS = 0.7, 1.0, 1.5, 2.0  # times the lateral extent of the speckle
SHAPES = {"line of 50": Shape(3.0, 50.0), "line of 25": Shape(3.0, 25.0), "spot of 5": Shape(5.0)}
SDS = 3.0, 4.0, 6.0


def caught_rows() -> dict[str, Row]:
    """Return for each shape and contrast the percent that fails the check, lost and made; first of frames without."""
    limit, rows = GateSettings().local_sd, {}
    failed: dict[str, list[tuple[bool, bool]]] = {}
    for index, frame in enumerate(_frames()):
        output, tissue = np.full_like(frame, frame.mean()), np.ones(frame.shape[1:], bool)
        alarm = changed_structure(frame, output, tissue, PROCESSOR) > limit
        failed.setdefault("none", []).append((alarm, alarm))
        for name, shape in SHAPES.items():
            for sds in SDS:
                centre = (0, frame.shape[1] // 2, frame.shape[2] // 2)
                structure = Insertion(shape, centre, index * np.pi / FRAMES, float(sds * frame.std()), sds)
                with_it = inserted(np.zeros_like(frame), PIXELS, [structure])
                lost = changed_structure(frame + with_it, output, tissue, PROCESSOR) > limit
                made = changed_structure(frame, output + with_it, tissue, PROCESSOR) > limit
                failed.setdefault(f"{name}, {sds:g} sd", []).append((lost, made))
    for name, found in failed.items():
        lost_percent, made_percent = 100 * np.mean(found, axis=0)
        rows[name] = {"lost, caught %": float(lost_percent), "made, caught %": float(made_percent)}
    return rows


def _frames() -> Iterator[Image]:
    """Yield speckle of several grains, every second frame sharpened as scanners do."""
    for index in range(FRAMES):
        beam = Beam(0.0, np.zeros(SIDE), np.full(SIDE, LATERAL_SIGMA * GRAINS[index % len(GRAINS)]))
        grey = grey_of(np.abs(echo_of(white((SIDE, SIDE), np.random.default_rng(index)), beam)) ** 2)
        sharpened = grey + index % 2 * LOOK.enhancement * (grey - gaussian_filter(grey, SHARPENED_SIGMA))
        yield sharpened[None].astype(np.float32)
