"""An ultrasound test object: round targets of several contrasts and sizes and bright points in even speckle."""

import numpy as np

from validation.phantoms.anatomy import Phantom
from validation.phantoms.phantom_study import PIXEL_CM
from validation.phantoms.speckle_phantom import speckle_of
from validation.phantoms.test_object import Insert, TestObject

BACKGROUND_DB = -26.0  # below the top of the grey scale
CYSTS = {-40.0: 18.0, -12.0: 18.0, -6.0: 18.0, 6.0: 18.0, 10.0: 18.0, -30.0: 8.0}  # dB over it: radius in pixels
POINT_DB, POINTS = 26.0, 14  # over the background, in one pixel; how many
COLUMNS_OF_CYSTS = 3


def speckle_inserts(side: int = 320, *, seed: int) -> TestObject:
    """Return a still of `side` by `side` pixels; its rods are the cysts (contrast in dB), its balls the points."""
    rng = np.random.default_rng(seed)
    decibels = np.full((side, side), BACKGROUND_DB)
    y, x = np.ogrid[:side, :side]
    cysts, points = [], []
    for index, (contrast, radius) in enumerate(CYSTS.items()):
        row, column = ((cell + 0.5) * side / COLUMNS_OF_CYSTS for cell in divmod(index, COLUMNS_OF_CYSTS))
        decibels[np.hypot(y - row, x - column) < radius] = BACKGROUND_DB + contrast
        cysts.append(Insert((0.0, row, column), radius, contrast))
    row = round(side * 0.835)
    for column in np.linspace(0.08, 0.92, POINTS) * side:
        decibels[row, round(column)] = BACKGROUND_DB + POINT_DB
        points.append(Insert((0.0, row, round(column)), 0.5, POINT_DB))
    made = speckle_of(decibels, rng)
    uniform = np.zeros((1, side, side), bool)
    uniform[:, round(side * 0.7) : row - 20] = True
    regions = {"uniform": uniform, "body": np.ones_like(uniform)}
    spacing = (1.0, PIXEL_CM * 10, PIXEL_CM * 10)
    return TestObject(Phantom(made.truth, made.frames, spacing, "US", regions), tuple(cysts), tuple(points))
