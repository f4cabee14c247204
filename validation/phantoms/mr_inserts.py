"""An MR test object: a cylinder with vials of known amplitude, Rician noise, air around it.

The vials give the bias at each signal level and edges of several contrasts; a uniform square lies in the middle.
"""

import numpy as np

from validation.phantoms.anatomy import Phantom, coverage, cylinder, grid, paint
from validation.phantoms.mr_brain import T1
from validation.phantoms.test_object import Insert, TestObject, voxel_of

PIXEL_MM, SLICE_MM = 1.25, 1.5
BODY = 500.0  # amplitude
BODY_MM, RING_MM, VIAL_MM = 82.0, 58.0, 11.0  # radii: of the cylinder, of the vials' ring, of a vial
VIALS = (100.0, 600.0, 200.0, 450.0, 900.0, 300.0, 750.0, 550.0)  # amplitudes, in order around the ring
UNIFORM_PIXELS = 48


def mr_inserts(shape: tuple[int, int, int] = (32, 160, 160), *, noise_percent: float, seed: int) -> TestObject:
    """Return the object; `noise_percent` is the sd of the real and imaginary noise in percent of white matter."""
    rng = np.random.default_rng(seed)
    where = grid(shape, (SLICE_MM, PIXEL_MM, PIXEL_MM))
    truth = np.zeros(shape, np.float32)
    paint(truth, coverage(cylinder(where, (0, 0), (BODY_MM, BODY_MM)), where), BODY)
    rods = []
    for index, amplitude in enumerate(VIALS):
        angle = 2 * np.pi * index / len(VIALS)
        y, x = RING_MM * np.sin(angle), RING_MM * np.cos(angle)
        paint(truth, coverage(cylinder(where, (y, x), (VIAL_MM, VIAL_MM)), where), amplitude)
        rods.append(Insert(voxel_of(where, (0.0, y, x)), VIAL_MM / PIXEL_MM, amplitude - BODY))
    sigma = noise_percent / 100 * T1.white
    real, imaginary = sigma * rng.standard_normal((2, *shape), dtype=np.float32)
    uniform = np.zeros(shape, bool)
    middle = slice((shape[1] - UNIFORM_PIXELS) // 2, (shape[1] + UNIFORM_PIXELS) // 2)
    uniform[:, middle, middle] = True
    regions = {"uniform": uniform, "body": truth > 0}
    return TestObject(Phantom(truth, np.hypot(truth + real, imaginary), where.spacing, "MR", regions), tuple(rods))
