"""The noise in the air around the body: the magnitude of nothing but noise, of one receiver coil or of several.

For n coils of noise sd s, combined as the root of the sum of squares, the mean square of a pixel is 2 n s^2, and its
mean over its sd depends on n alone (chi law; n = 1 is Rayleigh's). Air that was masked, filtered or mixed with ghosts
follows no such law and is not used.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from models.robust import MAD_TO_SD, evenly_spaced

SLICES = 24  # evenly spaced along the volume
TILE = 8  # pixels a side
FEWEST = 0.02  # fraction of all tiles
MOST_COILS = 8
LAW_TOLERANCE = 0.05  # relative, of mean over sd: 4 and 5 coils differ by 12 %
TILE_TOLERANCE = 0.2  # the same of one tile, whose chance is .09
LAWFUL = 0.5  # fraction of the dark tiles that follow the law

Volume = npt.NDArray[np.float32]
Figures = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Air:
    """Noise of the air.

    Attributes:
        coils: of the law that the air follows.
        power: (rows, columns) of tiles, mean square of the noise in one channel of the air there, all slices together.
        count: the same shape, slices whose tile is air.
        image: rows and columns of the image.
    """

    coils: int
    power: Figures
    count: Figures
    image: tuple[int, int]

    @property
    def sd(self) -> float:
        """Return the sd of the noise in one channel, of all air together."""
        return math.sqrt((self.power * self.count).sum() / self.count.sum())


def read_air(volume: Volume, threshold: float) -> Air | None:
    """Read the noise of the air in ``volume``, (slices, rows, columns), or None where no such law holds.

    Args:
        threshold: real value above which a voxel is tissue.
    """
    tiles = _tiles(volume[evenly_spaced(len(volume), SLICES)])
    means, sds = tiles.mean(axis=-1), tiles.std(axis=-1)
    dark = (tiles > 0).all(axis=-1) & (means < threshold) & (sds > 0)
    if not dark.any():
        return None
    ratios = _mean_over_sd(means, sds, dark)
    coils = min(range(1, MOST_COILS + 1), key=lambda n: abs(mean_over_sd(n) / np.median(ratios[dark]) - 1))
    away = np.abs(ratios / mean_over_sd(coils) - 1)
    air = dark & (away < TILE_TOLERANCE)
    if abs(np.median(ratios[dark]) / mean_over_sd(coils) - 1) > LAW_TOLERANCE or air.sum() < LAWFUL * dark.sum():
        return None
    if air.sum() < FEWEST * dark.size:
        return None
    count = air.sum(axis=0)
    power = (np.square(tiles).mean(axis=-1) / (2 * coils) * air).sum(axis=0) / np.maximum(count, 1)
    return Air(coils, power, count.astype(np.float64), (volume.shape[1], volume.shape[2]))


def mean_over_sd(coils: int) -> float:
    """Return that of the chi law: 1.91, 2.75, 3.40, 3.94 for 1 to 4 coils."""
    mean = math.sqrt(2) * math.exp(gammaln(coils + 0.5) - gammaln(coils))
    return mean / math.sqrt(2 * coils - mean**2)


def _mean_over_sd(means: Figures, sds: Figures, dark: Mask) -> Figures:
    """Return that of each dark tile; noise that a filter has smoothed varies less in a tile than from tile to tile."""
    rows = dark[..., 2:] & dark[..., 1:-1] & dark[..., :-2]
    bends = np.abs(np.diff(means, 2))[rows] / means[..., 1:-1][rows]  # a level that rises evenly has none
    between = (MAD_TO_SD * np.median(bends)) ** 2 / 6 if bends.size else 0.0
    varied = np.square(sds) / np.where(dark, means, 1) ** 2 + between
    return np.asarray(1 / np.sqrt(np.where(dark, varied, 1)))


def _tiles(slices: Volume) -> Figures:
    """(slices, rows, columns, TILE ** 2) of (slices, rows, columns), whole tiles only."""
    count, rows, columns = slices.shape
    whole = slices[:, : rows // TILE * TILE, : columns // TILE * TILE].astype(np.float64)
    tiles = whole.reshape(count, rows // TILE, TILE, columns // TILE, TILE).swapaxes(2, 3)
    return tiles.reshape(count, rows // TILE, columns // TILE, TILE**2)
