"""A chest CT with known truth: (slices, rows, columns) in HU, noise as a scanner makes it.

Lung with vessels of 2 to 4 pixels that run at all angles, nodules and fissures; heart, aorta and a liver dome that grows through
the slices; fat, muscle, ribs, spine, skin; lesions of 10 HU and 5 mm in the soft organs. The noise comes from `ct_noise`.
"""

import numpy as np
from scipy import ndimage

from app.validation.anatomy import (
    Grid,
    Mask,
    Phantom,
    Volume,
    average_slices,
    coverage,
    cylinder,
    ellipsoid,
    grid,
    paint,
    smooth_field,
    sub_slices,
    warped,
)
from app.validation.ct_noise import scanner_noise
from app.validation.vessels import Tube, coverage_of, tree

AIR, LUNG, FAT, MUSCLE, ORGAN, LIVER, VESSEL, BONE, MARROW = -1000.0, -850.0, -100.0, 50.0, 42.0, 58.0, 40.0, 480.0, 170.0
LESION_HU = 10.0  # the low-contrast task of the acceptance tests
LESION_MM = 5.0  # diameter, same source
FOV_MM = 320.0  # a chest
BLUR_PIXELS = 0.5  # sd of the scanner's in-plane point spread: a standard kernel
RIB_STEP_MM = 30.0  # from one rib to the next
SOLID = 0.99  # coverage that counts as wholly inside


def ct(
    shape: tuple[int, int, int] = (32, 192, 192),
    *,
    slice_mm: float = 1.0,
    noise_hu: float = 22.0,
    slice_correlation: float = 0.0,
    seed: int = 0,
) -> Phantom:
    """Return a chest CT phantom.

    Args:
        shape: slices, rows, columns; rows equal columns.
        slice_mm: spacing and thickness of the slices, thick ones hold partial volume.
        noise_hu: sd of the noise in soft tissue; the dose follows from it.
        slice_correlation: correlation of the noise of neighbouring slices, below 1; overlapping reconstruction has about .34.
        seed: of anatomy and noise.

    Regions: body, lung (parenchyma), vessels (their cores), nodules, lesions, flat (soft organs away from edges and lesions), bone.
    """
    rng = np.random.default_rng(seed)
    parts = sub_slices(slice_mm)
    pixel = FOV_MM / shape[2]
    where = grid((shape[0] * parts, *shape[1:]), (slice_mm / parts, pixel, pixel))
    thin, covers = _anatomy(rng, where)
    blurred = ndimage.gaussian_filter(thin, (0, BLUR_PIXELS, BLUR_PIXELS))
    truth = average_slices(blurred, parts)
    regions = _regions({name: average_slices(cover, parts) for name, cover in covers.items()}, pixel)
    noise = scanner_noise(rng, truth, pixel, regions["flat"], noise_hu, slice_correlation)
    return Phantom(truth, truth + noise, (slice_mm, pixel, pixel), "CT", regions)


def _anatomy(rng: np.random.Generator, where: Grid) -> tuple[Volume, dict[str, Volume]]:
    bent = warped(rng, where, 3.0, 60.0)
    image = np.full(where.shape, AIR, np.float32)
    body = coverage(ellipsoid(bent, (0, 0, 0), (1e6, 104, 148), 2.4), where)
    paint(image, body, MUSCLE)
    paint(image, coverage(ellipsoid(bent, (0, 0, 0), (1e6, 102, 146), 2.4), where), FAT)
    paint(image, coverage(ellipsoid(bent, (0, 0, 0), (1e6, 89, 131), 2.3), where), MUSCLE + 3 * smooth_field(rng, where, 25))
    chest = _paint_lungs(rng, image, where, bent)
    organs = _paint_organs(rng, image, where, bent)
    bone = _paint_bones(rng, image, where, bent)
    free = chest["lung"] * (1 - organs["organ"])
    vessels = coverage_of(_vessels(rng, where), where) * free
    paint(image, vessels, VESSEL)
    nodules = _spheres(rng, where, free * (1 - vessels) > SOLID, 8, (2.5, 4.5))
    paint(image, nodules, VESSEL)
    lesions = _spheres(rng, where, organs["organ"] > SOLID, 12, (LESION_MM / 2, LESION_MM / 2))
    image += LESION_HU * lesions
    return image, {
        "body": body, "lung": free, "vessels": vessels, "nodules": nodules, "lesions": lesions,
        "organ": organs["organ"], "bone": bone,
    }  # fmt: skip


def _paint_lungs(rng: np.random.Generator, image: Volume, where: Grid, bent: Grid) -> dict[str, Volume]:
    right = ellipsoid(bent, (0, -2, -66), (190, 70, 50), 2.5)
    left = ellipsoid(bent, (10, 2, 68), (180, 68, 47), 2.5)
    lung = coverage(np.maximum(right, left), where)
    denser_below = LUNG + 0.35 * np.clip(where.y, -80, 80) + 12 * smooth_field(rng, where, 30)
    paint(image, lung, denser_below)
    fissure = np.abs(0.8 * (bent.y - 12) + 0.6 * bent.z + 0.15 * np.abs(bent.x))
    paint(image, lung * np.clip(1.1 - fissure / where.spacing[1], 0, 1), LUNG + 180)
    return {"lung": lung}


def _paint_organs(rng: np.random.Generator, image: Volume, where: Grid, bent: Grid) -> dict[str, Volume]:
    end = float(where.z[-1, 0, 0])
    fat = np.maximum(ellipsoid(bent, (5, -22, 16), (75, 54, 56)), cylinder(bent, (38, 10), (34, 26)))
    paint(image, coverage(fat, where), FAT + 10)
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
    return {"organ": solid}


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
            (float(rng.uniform(-half - 15, half + 15)), float(rng.uniform(-8, 22)), side * 30.0),
            (float(rng.uniform(-1, 1)), float(rng.uniform(-1.2, 1.2)), float(side)),
            radius=2 * pixel,
            thinnest=1 * pixel,
        )
    ]


def _spheres(
    rng: np.random.Generator, where: Grid, inside: Mask, count: int, radii_mm: tuple[float, float]
) -> Volume:
    """Coverage of spheres wholly within `inside`, no two of them touching."""
    cover = np.zeros(where.shape, np.float32)
    depth = ndimage.distance_transform_edt(np.pad(inside, 1), sampling=where.spacing)[1:-1, 1:-1, 1:-1]
    for _ in range(count):
        radius = rng.uniform(*radii_mm)
        free = np.argwhere(depth > radius + 2 * where.spacing[1])
        if not len(free):
            return cover
        at = free[rng.integers(len(free))]
        centre = tuple(float(axis.ravel()[i]) for axis, i in zip((where.z, where.y, where.x), at, strict=True))
        ball = radius - np.sqrt(sum((a - c) ** 2 for a, c in zip((where.z, where.y, where.x), centre, strict=True)))
        np.maximum(cover, coverage(ball, where), out=cover)
        depth = np.minimum(depth, -ball)
    return cover


def _regions(covers: dict[str, Volume], pixel: float) -> dict[str, Mask]:
    margin = np.ones((1, *2 * [2 * int(np.ceil(4 / pixel)) + 1]), bool)
    taken = ndimage.binary_dilation(np.maximum(covers["vessels"], covers["nodules"]) > 0, margin)
    flat = ndimage.binary_erosion((covers["organ"] > SOLID), margin)
    return {
        "body": covers["body"] > SOLID,
        "lung": (covers["lung"] > SOLID) & ~taken,
        "vessels": covers["vessels"] > 0.9,
        "nodules": covers["nodules"] > SOLID,
        "lesions": covers["lesions"] > SOLID,
        "flat": flat & ~ndimage.binary_dilation(covers["lesions"] > 0, margin),
        "bone": covers["bone"] > SOLID,
    }
