"""A brain as MR shows it: amplitude of each voxel, drawn in millimetres from a seed, in a weighting of choice.

Scalp, skull, folded cortex, white matter, ventricles, deep grey nuclei, lesions and perforating vessels in the white
matter, under a smooth residual inhomogeneity.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from validation.phantoms.anatomy import Grid, Volume, cylinder, ellipsoid, grid, paint, smooth_field, warped
from validation.phantoms.structures import Tube, scattered_balls, tubes_coverage

CORTEX_MM = 3.2  # thickness of the grey ribbon
SULCUS_DEPTH_MM = 26.0  # folds reach this deep under the brain's surface
FOLD_MM = 15.0  # from one fold to the next
SULCUS_WIDTH = 0.13  # of a fold, half the fluid between two of them
EDGE_MM = 0.7  # half width of a soft edge between tissues
BIAS = 0.1  # inhomogeneity: sd of its relative change over the head
PERFORATOR_MM = (0.5, 0.8)  # radii of perforating vessels
PERFORATOR_LENGTH_MM = 20.0


@dataclass(frozen=True)
class Weighting:
    """Amplitude of each tissue."""

    scalp: float
    skull: float
    fluid: float
    grey: float
    white: float
    nucleus: float
    lesion: float


T1 = Weighting(scalp=900.0, skull=70.0, fluid=190.0, grey=480.0, white=720.0, nucleus=560.0, lesion=430.0)
T2 = Weighting(scalp=500.0, skull=40.0, fluid=900.0, grey=520.0, white=400.0, nucleus=380.0, lesion=740.0)
FLAIR = Weighting(scalp=350.0, skull=40.0, fluid=70.0, grey=560.0, white=430.0, nucleus=480.0, lesion=820.0)


@dataclass(frozen=True)
class SmallStructures:
    """How many small things lie in the white matter."""

    lesions: int = 8
    radii: tuple[float, float] = (2.0, 4.0)  # mm, of lesions
    perforators: int = 0  # thin vessels with fluid around, fluid's amplitude


def soft(depth: Volume) -> Volume:
    """Return the coverage across an edge `2 * EDGE_MM` wide; depth in mm."""
    return np.asarray(np.clip(depth / (2 * EDGE_MM) + 0.5, 0, 1), np.float32)


def brain(
    rng: np.random.Generator, where: Grid, weighting: Weighting, small: SmallStructures = SmallStructures()
) -> tuple[Volume, dict[str, Volume]]:
    """Return amplitude (slices, rows, columns) and the coverage (0..1) of body, brain, white, grey, lesions, air, deep.

    `deep` is white matter and nuclei clear of other tissue.
    """
    bent = warped(rng, where, 2.0, 70.0)
    centre = (-12.0, 0.0, 0.0)
    head = ellipsoid(bent, centre, (98, 96, 78), 2.1)
    surface = ellipsoid(bent, centre, (84, 81, 64), 2.1)
    image = np.zeros(where.shape, np.float32)
    paint(image, soft(head), weighting.scalp * (1 + 0.08 * smooth_field(rng, where, 20)))
    paint(image, soft(head - 6), weighting.skull)
    marrow = np.minimum(head - 8.5, 11.5 - head)
    paint(image, 0.6 * soft(marrow), weighting.scalp * 0.6)
    paint(image, soft(surface + 2), weighting.fluid)
    tissue = _folded(rng, where, bent, surface)
    paint(image, soft(tissue), weighting.grey)
    white = tissue - CORTEX_MM
    paint(image, soft(white), weighting.white * (1 + 0.012 * smooth_field(rng, where, 25)))
    nuclei, ventricles = _paint_deep(image, bent, weighting)
    white = np.minimum(white, -ventricles)
    fine = _small(rng, where, np.where(nuclei > 0, 0, white), small)
    for name, value in (("lesions", weighting.lesion), ("perforators", weighting.fluid)):
        if name in fine:
            paint(image, fine[name], value)
    bias = 1 + BIAS * smooth_field(rng, where, 160)
    image *= np.clip(bias, 0.6, 1.5)
    flat = np.where(nuclei > 0, nuclei, white) * (np.maximum.reduce(list(fine.values())) == 0)
    return image, fine | {
        "body": soft(head), "brain": soft(surface), "white": soft(np.where(nuclei > -1, -1, white)),
        "grey": soft(np.minimum(tissue, CORTEX_MM - tissue)), "deep": soft(flat - EDGE_MM), "air": soft(-2 - head),
    }  # fmt: skip


def _folded(rng: np.random.Generator, where: Grid, bent: Grid, brain: Volume) -> Volume:
    """Depth under the nearest fluid: folds cut into the brain, sheets that stand upright on its surface."""
    folds = _upright(rng, bent, brain)
    reach = SULCUS_DEPTH_MM * (1 + 0.3 * smooth_field(rng, where, 3 * FOLD_MM))
    narrow = np.clip(1.1 - brain / np.maximum(reach, 1), 0, 1)
    midline = (np.abs(bent.x) < 0.9) & (brain < 30)
    fluid = (brain < 0) | (np.abs(folds) < SULCUS_WIDTH * narrow) | midline
    depth = ndimage.distance_transform_edt(~fluid, sampling=where.spacing)
    return np.where(fluid, -EDGE_MM, depth - where.spacing[1] / 2).astype(np.float32)


def _upright(rng: np.random.Generator, bent: Grid, brain: Volume) -> Volume:
    """A field that changes little with depth: points take the value found near where their ray meets the surface."""
    step = FOLD_MM / 8
    cube = grid(3 * (int(240 / step),), 3 * (step,))
    field = smooth_field(rng, cube, FOLD_MM)
    field -= ndimage.gaussian_filter(field, FOLD_MM / 2 / step)
    radius = np.sqrt(bent.z**2 + bent.y**2 + bent.x**2)
    stretch = 1 + 0.6 * np.maximum(brain, 0) / np.maximum(radius, 10)
    places = [axis * stretch / step + (cube.shape[0] - 1) / 2 for axis in (bent.z, bent.y, bent.x)]
    return np.asarray(ndimage.map_coordinates(field, places, order=1, mode="nearest") / field.std(), np.float32)


def _paint_deep(image: Volume, bent: Grid, weighting: Weighting) -> tuple[Volume, Volume]:
    """Paint nuclei and ventricles; return the depth in the nuclei, less the ventricles, and in the ventricles."""
    mirrored = Grid(bent.z, bent.y, np.abs(bent.x), bent.spacing)
    thalamus = ellipsoid(mirrored, (-14, 12, 11), (13, 15, 8))
    caudate = ellipsoid(mirrored, (0, -20, 15), (17, 11, 5))
    putamen = ellipsoid(mirrored, (-10, -5, 26), (15, 17, 5.5))
    nuclei = np.maximum.reduce([thalamus, caudate, putamen])
    paint(image, soft(nuclei), weighting.nucleus)
    front = ellipsoid(mirrored, (3, -18, 8), (18, 17, 5))
    back = ellipsoid(mirrored, (5, 16, 13), (14, 22, 6))
    body = ellipsoid(mirrored, (11, 0, 9), (9, 30, 5))
    third = cylinder(bent, (8, 0), (14, 1.8)) - np.maximum(bent.z + 2, 0)
    ventricles = np.maximum.reduce([front, back, body, third])
    paint(image, soft(ventricles), weighting.fluid)
    return np.minimum(nuclei, -ventricles), ventricles


def _small(rng: np.random.Generator, where: Grid, white: Volume, small: SmallStructures) -> dict[str, Volume]:
    """Return the coverage of lesions and perforating vessels; `white` is the depth in white matter."""
    covers = {"lesions": scattered_balls(rng, where, white, small.lesions, small.radii)}
    if small.perforators:
        covers["perforators"] = tubes_coverage(_perforators(rng, where, white, small.perforators), where) * soft(white)
    return covers


def _perforators(rng: np.random.Generator, where: Grid, white: Volume, count: int) -> Iterator[Tube]:
    """Yield straight vessels through white matter, each towards the middle of the brain."""
    deep = np.argwhere(white > 2 * EDGE_MM)
    for at in deep[rng.integers(len(deep), size=count)]:
        point = np.array([axis.ravel()[i] for axis, i in zip((where.z, where.y, where.x), at, strict=True)], float)
        way = PERFORATOR_LENGTH_MM / 2 * (point + rng.normal(0, 10, 3)) / np.linalg.norm(point)
        yield Tube(point - way, point + way, float(rng.uniform(*PERFORATOR_MM)))
