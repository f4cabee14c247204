"""What an abdomen with contrast agent looks like to CT: HU of each voxel, drawn in millimetres from a seed.

Liver with branching veins, kidneys, aorta, spine, bowel with gas, thin vessels in fat; small dark and bright foci in
the liver. Made for thick slices, where small things fill one slice in part.
"""

import numpy as np

from validation.phantoms.anatomy import SOLID, Grid, Volume, coverage, cylinder, ellipsoid, paint, smooth_field, warped
from validation.phantoms.ct_anatomy import AIR, BONE, FAT, MARROW, MUSCLE
from validation.phantoms.structures import Tube, distance_within, scattered_balls, tree, tubes_coverage

LIVER, VEIN, KIDNEY, CORTEX, AORTA, BOWEL = 105.0, 175.0, 130.0, 190.0, 240.0, 45.0  # HU, portal phase
DARK, BRIGHT = 55.0, 165.0  # foci in the liver: metastases, enhancing nodules
FOCI, FOCUS_MM = 8, (1.0, 3.0)  # of each kind, and their radii
VEIN_TREES, VEIN_MM = 6, (4.0, 0.7)  # trees, and radii from root to tip
FAT_VESSELS, FAT_VESSEL_MM = 40, (0.7, 1.6)  # mesenteric, and their radii


def abdomen(rng: np.random.Generator, where: Grid) -> tuple[Volume, dict[str, Volume]]:
    """Return HU (slices, rows, columns) and the coverage (0..1) of body, organ, vessels, nodules and so on, by name."""
    bent = warped(rng, where, 3.0, 60.0)
    image = np.full(where.shape, AIR, np.float32)
    body = coverage(ellipsoid(bent, (0, 0, 0), (1e6, 108, 150), 2.4), where)
    inside = ellipsoid(bent, (0, -6, 0), (1e6, 78, 120), 2.3)
    paint(image, body, MUSCLE)
    paint(
        image, coverage(ellipsoid(bent, (0, 0, 0), (1e6, 106, 148), 2.4), where), FAT + 8 * smooth_field(rng, where, 25)
    )
    paint(
        image,
        coverage(ellipsoid(bent, (0, 0, 0), (1e6, 92, 132), 2.3), where),
        MUSCLE + 4 * smooth_field(rng, where, 20),
    )
    paint(image, coverage(inside, where), FAT + 8 * smooth_field(rng, where, 15))
    bone = _paint_spine(rng, image, where, bent)
    thin = tubes_coverage(_fat_vessels(rng, where), where) * coverage(inside - 2, where)
    paint(image, thin, AORTA)
    liver, solid = _paint_organs(rng, image, where, bent)
    veins = tubes_coverage(_veins(rng, where), where) * liver
    paint(image, veins, VEIN)
    free = distance_within(liver * (1 - veins) > SOLID, where)
    dark = scattered_balls(rng, where, free, FOCI, FOCUS_MM)
    bright = scattered_balls(rng, where, np.where(dark > 0, 0, free), FOCI, FOCUS_MM)
    paint(image, dark, DARK)
    paint(image, bright, BRIGHT)
    return image, {
        "body": body, "organ": liver * (1 - np.maximum.reduce([veins, dark, bright])), "bone": bone,
        "vessels": np.maximum(veins, thin * (1 - solid)), "nodules": bright, "lesions": dark,
    }  # fmt: skip


def _paint_spine(rng: np.random.Generator, image: Volume, where: Grid, bent: Grid) -> Volume:
    depth: Volume = np.maximum(cylinder(bent, (58, 0), (18, 22)), cylinder(bent, (88, 0), (14, 7)))
    bone, canal = coverage(depth, where), coverage(cylinder(bent, (80, 0), (8, 10)), where)
    paint(image, bone, BONE)
    paint(image, coverage(depth - 2.2, where), MARROW + 25 * smooth_field(rng, where, 8))
    paint(image, canal, MUSCLE - 25)
    return np.asarray(bone * (1 - canal), np.float32)


def _paint_organs(rng: np.random.Generator, image: Volume, where: Grid, bent: Grid) -> tuple[Volume, Volume]:
    """Paint the organs; return the coverage of the liver and of all of them."""
    liver = ellipsoid(bent, (-5, -10, -58), (90, 62, 58), 2.2)
    solid = np.zeros(where.shape, np.float32)
    kidneys = [ellipsoid(bent, (8, 42, side * 62), (55, 24, 22)) for side in (-1, 1)]
    parts: list[tuple[Volume, Volume | float]] = [
        (liver, LIVER + 3 * smooth_field(rng, where, 30)),
        (ellipsoid(bent, (-10, 14, 92), (50, 34, 22)), LIVER + 15),
        *((kidney, CORTEX) for kidney in kidneys),
        *((kidney - 7, KIDNEY) for kidney in kidneys),
        (cylinder(bent, (32, 10), (10, 10)), AORTA),
        (cylinder(bent, (32, -14), (8, 11)), VEIN),
        *((bowel, BOWEL) for bowel in _bowel(bent)),
    ]
    for depth, value in parts:
        cover = coverage(depth, where)
        paint(image, cover, value)
        np.maximum(solid, cover, out=solid)
    paint(image, coverage(ellipsoid(bent, (0, -50, 52), (18, 7, 12)), where), AIR)
    others = np.maximum.reduce(kidneys)
    return coverage(np.minimum(liver, -others), where), solid


def _bowel(bent: Grid) -> list[Volume]:
    centres = ((0, -42, 52), (30, -30, 28), (-30, -34, 78), (25, -20, 70), (-35, -50, 20))
    return [ellipsoid(bent, centre, (26, 15, 17)) for centre in centres]


def _veins(rng: np.random.Generator, where: Grid) -> list[Tube]:
    half = float(where.z[-1, 0, 0])
    return [
        tube
        for _ in range(VEIN_TREES)
        for tube in tree(
            rng,
            (float(rng.uniform(-half, half)), 5.0, -25.0),
            (float(rng.uniform(-1, 1)), float(rng.uniform(-1.2, 0.4)), -1.0),
            radius=VEIN_MM[0],
            thinnest=VEIN_MM[1],
        )
    ]


def _fat_vessels(rng: np.random.Generator, where: Grid) -> list[Tube]:
    half = float(where.z[-1, 0, 0])
    starts = rng.uniform((-half, -60, -20), (half, 40, 110), (FAT_VESSELS, 3))
    ways = rng.normal(0, 15, (FAT_VESSELS, 3))
    return [
        Tube(start, start + way, float(rng.uniform(*FAT_VESSEL_MM))) for start, way in zip(starts, ways, strict=True)
    ]
