"""A neck as T2-weighted MR shows it: amplitude of each voxel, drawn in millimetres from a seed.

Spinal cord with grey horns in fluid, a vertebra with trabeculae, muscles whose fibres run in several directions
between septa of fat, vessels with dark blood, small bright foci in muscle.
"""

from dataclasses import replace

import numpy as np

from validation.phantoms.anatomy import Grid, Volume, cylinder, ellipsoid, paint, smooth_field, warped
from validation.phantoms.mr_brain import soft
from validation.phantoms.structures import Tube, scattered_balls, tubes_coverage

FAT, MUSCLE, CORTICAL, MARROW, FLUID = 700.0, 180.0, 30.0, 420.0, 900.0  # T2 amplitudes
CORD, HORN, VESSEL, FOCUS = 380.0, 500.0, 60.0, 500.0
SKIN_MM = (62.0, 72.0)  # half axes of the neck: rows, columns
FIBRE_MM, FIBRE_CONTRAST = 3.0, 0.15  # distance of muscle bundles, and sd of their amplitude
FIBRE_STRETCH = 6.0  # length of a bundle's section over its width
SEPTUM = 0.06  # half width of a septum of fat, in sd of the field whose zeros it follows
TRABECULA_MM, TRABECULA_CONTRAST = 2.0, 0.25
FOCI, FOCUS_MM = 12, (1.0, 3.0)  # how many, and their radii
VESSELS = 14


def neck(rng: np.random.Generator, where: Grid) -> tuple[Volume, dict[str, Volume]]:
    """Return amplitude (slices, rows, columns) and the coverage (0..1) of body, muscle, cord, horns and so on."""
    bent = warped(rng, where, 1.5, 60.0)
    skin = ellipsoid(bent, (0, 0, 0), (1e6, *SKIN_MM), 2.2)
    inner = ellipsoid(bent, (0, 2, 0), (1e6, SKIN_MM[0] - 8, SKIN_MM[1] - 7), 2.2)
    image = np.zeros(where.shape, np.float32)
    paint(image, soft(skin), FAT * (1 + 0.06 * smooth_field(rng, where, 20)))
    paint(image, soft(inner), _muscle(rng, where))
    bone = np.maximum(cylinder(bent, (-6, 0), (11, 14)), cylinder(bent, (13, 0), (14, 17)))
    paint(image, soft(bone), CORTICAL)
    marrow = cylinder(bent, (-6, 0), (9, 12))
    trabeculae = np.abs(smooth_field(rng, where, TRABECULA_MM))
    paint(image, soft(marrow), np.maximum(MARROW * (1 - TRABECULA_CONTRAST * trabeculae), CORTICAL))
    cord, horns = _paint_canal(image, bent)
    muscle = np.minimum(inner - 2, -bone - 2)
    vessels = tubes_coverage(_vessels(rng, where), where) * soft(muscle)
    paint(image, vessels, VESSEL)
    foci = scattered_balls(rng, where, np.where(vessels > 0, 0, muscle), FOCI, FOCUS_MM)
    paint(image, foci, FOCUS)
    small = np.maximum(vessels, foci) > 0
    return image, {
        "body": soft(skin), "muscle": soft(np.where(small, -1, muscle)), "marrow": soft(marrow), "vessels": vessels,
        "cord": soft(np.minimum(cord, -horns)), "horns": soft(horns), "lesions": foci, "air": soft(-2 - skin),
        "deep": soft(np.where(small, -1, muscle)),
    }  # fmt: skip


def _muscle(rng: np.random.Generator, where: Grid) -> Volume:
    """Return the amplitude of muscle: bundles along rows, columns or slices by compartment, septa of fat between."""
    compartments = np.argmax([smooth_field(rng, where, 45) for _ in range(3)], axis=0)
    image = np.empty(where.shape, np.float32)
    for axis in range(3):
        # a field of shorter spacing varies more slowly along that axis
        spacing = np.array(where.spacing)
        spacing[axis] /= FIBRE_STRETCH
        bundles = smooth_field(rng, replace(where, spacing=tuple(spacing)), FIBRE_MM)
        np.copyto(image, MUSCLE * (1 + FIBRE_CONTRAST * bundles), where=compartments == axis)
    septa = 1.5 - np.abs(smooth_field(rng, where, 18)) / SEPTUM
    paint(image, np.clip(septa, 0, 1, dtype=np.float32), FAT)
    return image


def _paint_canal(image: Volume, bent: Grid) -> tuple[Volume, Volume]:
    """Paint fluid, cord and the H of its grey matter; return the depth in the cord and in the grey matter."""
    paint(image, soft(cylinder(bent, (15, 0), (9, 11))), FLUID)
    cord = cylinder(bent, (15, 0), (4.5, 7))
    paint(image, soft(cord), CORD)
    mirrored = replace(bent, x=np.abs(bent.x))
    front, back = cylinder(mirrored, (13.7, 2.3), (1.6, 1.1)), cylinder(mirrored, (16.3, 2.8), (2.0, 0.7))
    horns = np.maximum.reduce([front, back, cylinder(bent, (14.8, 0), (0.6, 2.6))])
    paint(image, soft(horns), HORN)
    return cord, horns


def _vessels(rng: np.random.Generator, where: Grid) -> list[Tube]:
    half = float(where.z[-1, 0, 0]) + 10
    ends = rng.uniform((-half, -50, -60), (half, 50, 60), (VESSELS, 2, 3))
    return [Tube(start, end, float(rng.uniform(0.6, 1.6))) for start, end in ends]
