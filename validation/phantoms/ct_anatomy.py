"""What a chest looks like to CT: HU of each voxel, drawn in millimetres from a seed.

Lung with vessels of 2 to 4 pixels that run at all angles, nodules and fissures; heart, aorta and a liver dome that
grows through the slices; fat, muscle, ribs, spine, skin; lesions of 10 HU and 5 mm in the soft organs.
"""

import numpy as np

from validation.phantoms.anatomy import SOLID, Grid, Volume, coverage, cylinder, ellipsoid, paint, smooth_field, warped
from validation.phantoms.structures import Tube, distance_within, scattered_balls, tree, tubes_coverage

AIR, LUNG, FISSURE, FAT = -1000.0, -850.0, -670.0, -100.0  # HU, as all below
MUSCLE, ORGAN, LIVER, VESSEL = 50.0, 42.0, 58.0, 40.0
BONE, MARROW = 480.0, 170.0
LESION_HU = 10.0  # the low-contrast task of the acceptance tests
LESION_MM = 5.0  # diameter, same source
RIB_STEP_MM = 30.0  # from one rib to the next


def chest(rng: np.random.Generator, where: Grid, lesions: int = 12) -> tuple[Volume, dict[str, Volume]]:
    """Return HU (slices, rows, columns) and the coverage (0..1) of body, lung, vessels, nodules and so on, by name.

    At most so many ``lesions`` of low contrast lie in the organs, as far as there is room.
    """
    bent = warped(rng, where, 3.0, 60.0)
    image = np.full(where.shape, AIR, np.float32)
    body = coverage(ellipsoid(bent, (0, 0, 0), (1e6, 104, 148), 2.4), where)
    paint(image, body, MUSCLE)
    paint(image, coverage(ellipsoid(bent, (0, 0, 0), (1e6, 102, 146), 2.4), where), FAT)
    paint(
        image,
        coverage(ellipsoid(bent, (0, 0, 0), (1e6, 89, 131), 2.3), where),
        MUSCLE + 3 * smooth_field(rng, where, 25),
    )
    lung = _paint_lungs(rng, image, where, bent)
    organ, soft = _paint_organs(rng, image, where, bent)
    bone = _paint_bones(rng, image, where, bent)
    free = lung * (1 - soft)
    vessels = tubes_coverage(_vessels(rng, where), where) * free
    paint(image, vessels, VESSEL)
    nodules = scattered_balls(rng, where, distance_within(free * (1 - vessels) > SOLID, where), 8, (2.5, 4.5))
    paint(image, nodules, VESSEL)
    free_organ = distance_within(organ > SOLID, where)
    faint = scattered_balls(rng, where, free_organ, lesions, (LESION_MM / 2, LESION_MM / 2))
    image += LESION_HU * faint
    return image, {
        "body": body, "lung": free, "vessels": vessels, "nodules": nodules, "lesions": faint,
        "organ": organ, "bone": bone,
    }  # fmt: skip


def _paint_lungs(rng: np.random.Generator, image: Volume, where: Grid, bent: Grid) -> Volume:
    right = ellipsoid(bent, (0, -2, -66), (190, 70, 50), 2.5)
    left = ellipsoid(bent, (10, 2, 68), (180, 68, 47), 2.5)
    lung = coverage(np.maximum(right, left), where)
    denser_below = LUNG + 0.35 * np.clip(where.y, -80, 80) + 12 * smooth_field(rng, where, 30)
    paint(image, lung, denser_below)
    fissure = np.abs(0.8 * (bent.y - 12) + 0.6 * bent.z + 0.15 * np.abs(bent.x))
    paint(image, lung * np.clip(1.1 - fissure / where.spacing[1], 0, 1), FISSURE)
    return lung


def _paint_organs(rng: np.random.Generator, image: Volume, where: Grid, bent: Grid) -> tuple[Volume, Volume]:
    """Paint the organs and airways; return the coverage of the solid ones and of all that is no lung."""
    end = float(where.z[-1, 0, 0])
    fat = np.maximum(ellipsoid(bent, (5, -22, 16), (75, 54, 56)), cylinder(bent, (38, 10), (34, 26)))
    soft = coverage(fat, where)
    paint(image, soft, FAT + 10)
    solid = np.zeros(where.shape, np.float32)
    for depth, value in (
        (ellipsoid(bent, (5, -22, 17), (70, 48, 50)), ORGAN),
        (cylinder(bent, (44, 24), (13, 13)), ORGAN + 3),
        (cylinder(bent, (34, 2), (7, 8)), ORGAN - 8),
        (ellipsoid(bent, (end + 34, -4, -68), (52, 66, 60)), LIVER),
        (ellipsoid(bent, (end + 40, 22, 78), (56, 44, 42)), LIVER - 6),
    ):
        cover = coverage(depth, where)
        paint(image, cover, value + 2 * smooth_field(rng, where, 30))
        np.maximum(solid, cover, out=solid)
    for x in (-17, 21):
        airway = cylinder(bent, (16, x), (6.5, 6.0))
        paint(image, coverage(airway + 1.5, where), MUSCLE)
        paint(image, coverage(airway, where), AIR)
        solid *= 1 - coverage(airway + 1.5, where)
        np.maximum(soft, coverage(airway + 1.5, where), out=soft)
    return solid, np.maximum(soft, solid)


def _paint_bones(rng: np.random.Generator, image: Volume, where: Grid, bent: Grid) -> Volume:
    angle = np.arctan2(np.abs(where.x), where.y)
    level = where.z + 34 * angle
    along = np.abs((level + RIB_STEP_MM / 2) % RIB_STEP_MM - RIB_STEP_MM / 2) * 0.75
    ring = np.abs(ellipsoid(bent, (0, 0, 0), (1e6, 83, 125), 2.3) + 0.5)
    rib = np.minimum(4.0 - ring, 5.5 - along) + 40 * np.minimum(0, 2.6 - angle)
    arch = np.maximum(cylinder(bent, (90, 0), (15, 7)), ellipsoid(bent, (0, 82, 0), (1e6, 7, 34)))
    bodies = np.maximum(cylinder(bent, (62, 0), (18, 21)), arch)
    depth = np.maximum.reduce([rib, bodies, cylinder(bent, (-86, 0), (6, 18))])
    canal = cylinder(bent, (82, 0), (8, 10))
    bone = coverage(depth, where) * (1 - coverage(canal, where))
    paint(image, coverage(depth, where), BONE)
    paint(image, coverage(depth - 2.2, where), MARROW + 25 * smooth_field(rng, where, 8))
    paint(image, coverage(canal + 1.5, where), BONE)
    paint(image, coverage(canal, where), MUSCLE - 25)
    return np.asarray(bone, np.float32)


def _vessels(rng: np.random.Generator, where: Grid) -> list[Tube]:
    pixel, half = where.spacing[1], float(where.z[-1, 0, 0])
    return [
        tube
        for side in (-1, 1)
        for _ in range(15)
        for tube in tree(
            rng,
            (float(rng.uniform(-half - 15, half + 15)), float(rng.uniform(-35, 35)), side * float(rng.uniform(28, 60))),
            (float(rng.uniform(-1, 1)), float(rng.uniform(-1.2, 1.2)), float(side)),
            radius=2 * pixel,
            thinnest=1 * pixel,
        )
    ]
