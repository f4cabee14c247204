"""The site's own phantom scan as a test object, of which nothing is known but what its pixels show."""

import logging
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from scipy import ndimage

from validation.kit.kit_cases import SITE, KitCase
from validation.kit.not_measured import NotMeasuredError
from validation.kit.running import Application, Outcome
from validation.phantoms.anatomy import Mask, Phantom, Volume
from validation.phantoms.test_object import TestObject
from validation.read_back import read_result, read_rows, read_series

LOG = logging.getLogger(__name__)
SIDES = (64, 32, 16)  # pixels of the uniform square: the largest that is uniform wins
SMOOTH_PIXELS = 2.0  # takes the noise off, so that structure shows
STRUCTURE = 0.5  # of the noise's sd: a smoothed field that varies more is not uniform
LEVEL = 0.5  # of the way from the darkest to the brightest smoothed value: below is air
AIR = 1e9  # as uneven as that: never chosen
SLICES = 0.5  # of a volume's slices at least must be uniform there


def site_case(folder: Path, application: Application, target: Path) -> Outcome:
    """Run the application on the folder and return its largest CT, MR or PET series as a case.

    Raises:
        NotMeasuredError: nothing was handed out, or no uniform field is found in it.
    """
    application.run(folder, target)
    rows, derived = read_rows(target), read_result(target)
    volumes = [uid for uid in derived if rows[uid]["modality"] != "US"]
    if not volumes:
        reasons = {row.get("reason", "") for row in rows.values()} or {"no series there"}
        raise NotMeasuredError(f"nothing of the phantom scan was handed out: {'; '.join(sorted(reasons))}")
    uid = max(volumes, key=lambda each: int(rows[each]["instances"]))
    before, after = read_series(folder, uid), read_series(target, derived[uid].series_uid)
    uniform = uniform_field(before)
    LOG.info("uniform field of %d voxels in %d slices", uniform.sum(), len(before))
    regions = {"uniform": uniform, "body": np.ones_like(uniform)}
    phantom = Phantom(before, before, (1.0, *_pixel_mm(folder, uid)), str(rows[uid]["modality"]), regions)
    tested = TestObject(phantom)
    return Outcome(KitCase(SITE, lambda: tested, 0), tested, before, after, rows[uid])


def uniform_field(volume: Volume) -> Mask:
    """Return a square, the same through all slices, (slices, rows, columns), where the volume is most uniform.

    Raises:
        NotMeasuredError: no region is uniform.
    """
    smooth = ndimage.gaussian_filter(volume, (0, SMOOTH_PIXELS, SMOOTH_PIXELS))
    noise = volume - smooth
    for side in SIDES:
        if side > min(volume.shape[1:]):
            continue
        spread, level = (_windowed(values, side) for values in (_square(smooth), smooth))
        structure = np.sqrt(np.maximum(spread - np.square(level), 0))
        grain = np.sqrt(np.maximum(_windowed(_square(noise), side), 1e-12))
        bright = level > smooth.min() + LEVEL * (np.quantile(smooth, 0.99) - smooth.min())
        uneven = np.where(bright, structure / grain, AIR)
        half = side // 2
        inner = uneven[:, half : volume.shape[1] - half + 1, half : volume.shape[2] - half + 1]
        typical = np.quantile(inner, SLICES, axis=0)
        if typical.min() <= STRUCTURE:
            row, column = np.unravel_index(int(typical.argmin()), typical.shape)
            field = np.zeros(volume.shape, bool)
            field[:, row : row + side, column : column + side] = True
            return field
    raise NotMeasuredError("no uniform field of 16 pixels a side is found in the phantom scan")


def _square(values: Volume) -> NDArray[np.float64]:
    return np.square(values, dtype=np.float64)


def _windowed(values: NDArray[np.floating], side: int) -> NDArray[np.float64]:
    return np.asarray(ndimage.uniform_filter(values.astype(np.float64), (1, side, side)), np.float64)


def _pixel_mm(folder: Path, uid: str) -> tuple[float, float]:
    headers = (pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.rglob("*")) if path.is_file())
    rows, columns = next(header.PixelSpacing for header in headers if header.get("SeriesInstanceUID") == uid)
    return float(rows), float(columns)
