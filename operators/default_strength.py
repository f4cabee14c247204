"""Choose the strength of a series for which the run names none."""

from collections.abc import Iterable

import numpy as np

from models.fitting import FitRecord
from models.ultrasound.speckle2self import SPECKLE_PERCENT

VOLUME, PET = 50.0, 40.0  # percent: the validation kit passes, faint lesions and texture stay; docs/limits.md
SPECKLE_LEFT = 0.35  # of the recorded speckle's contrast: scanners' filters leave a third to a half, for texture
LEAST_LEFT = 2.4  # percent of the grey scale (sd): a quarter of fully developed speckle on a scale of 60 dB
LEAST_STRENGTH = 25.0  # percent; with less nobody would see a change


def default_strength(fits: Iterable[FitRecord], modality: str) -> float:
    """Return percent of the change: what leaves contrast and texture.

    Speckle of a scanner that has filtered already has less contrast, so that less is left to remove.
    """
    speckle = [float(fit.measures[SPECKLE_PERCENT]) for fit in fits if SPECKLE_PERCENT in fit.measures]
    if not speckle:
        return PET if modality == "PT" else VOLUME
    left = max(SPECKLE_LEFT, LEAST_LEFT / max(float(np.median(speckle)), LEAST_LEFT))
    return max(LEAST_STRENGTH, float(round(100 * (1 - left))))
