"""Stills as scanners make them: speckle that is not fully developed, broken reflectors, shadow, fewer beams, sharpened.

Figures of one method, as a row of the table. The truth is a mean of 64 realisations; its error is an eighth of the
speckle.
"""

import numpy as np

from bench.ultrasound.figures import Row
from bench.ultrasound.measured import Image, Mask, TimedImages
from bench.ultrasound.speckle_measures import gcnr
from validation.phantoms.anatomy import Phantom
from validation.phantoms.speckle_physics import MAXIMUM
from validation.phantoms.speckle_probe import Kind
from validation.phantoms.speckle_still import LOOK, Look
from validation.scoring import psnr

HARD = Look(scatterers=2.0, beams=0.33, curve=0.3, enhancement=0.6)
STILLS: tuple[tuple[str, Kind, int, Look], ...] = (
    ("usual look, linear", "linear", 31, LOOK),
    ("usual look, sector", "sector", 32, LOOK),
    ("2 scatterers, a third of the beams, sharpened, linear", "linear", 33, HARD),
    ("2 scatterers, a third of the beams, sharpened, sector", "sector", 34, HARD),
)


def scanner_row(still: Phantom, done: TimedImages) -> Row:
    """Return PSNR, what is kept of reflectors and of muscle's fibres, and how far lumen and shadow stand apart."""
    truth, image, regions = still.truth, done.images, still.regions
    plain = regions["tissue"] & ~np.logical_or.reduce([regions[name] for name in regions if name != "tissue"])
    return {
        "PSNR": psnr(image, truth, regions["tissue"], MAXIMUM),
        "reflectors kept": _kept(image, truth, regions["reflectors"]),
        "fibres kept": _kept(image, truth, regions["muscle"] & ~regions["reflectors"]),
        "gCNR lumen": gcnr(image[regions["lumen"]], image[plain]),
        "gCNR shadow": gcnr(image[regions["shadow"]], image[plain]),
        "s": done.seconds,
    }


def _kept(image: Image, truth: Image, region: Mask) -> float:
    """Return the slope of the image's grey over the true grey in a region."""
    true = truth[region] - truth[region].mean(dtype=np.float64)
    return float(true @ image[region] / (true @ true))
