"""The noise in the air around the body: the magnitude of nothing but noise, of one receiver coil or of several.

For n coils of noise sd s, combined as the root of the sum of squares, the mean square of a pixel is 2 n s^2, and its
mean over its sd tells n (chi law; n = 1 is Rayleigh's). Air that was masked, filtered or mixed with ghosts follows no
such law and is not used.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammaln

from models.robust import evenly_spaced

SLICES = 24  # evenly along the volume
TILE = 8  # pixels a side
LOW = 0.1  # quantile of the tiles' means that is surely air, where there is air
ABOVE_SD = 0.5  # pixel sd above the mean of the air, up to which the mean of a tile is air: chance moves it by .13
ROUNDS = 4  # of taking the mean of the air
FEWEST = 0.02  # fraction of all tiles
MOST_COILS = 8
TILE_TOLERANCE = 0.2  # the same of one tile, whose chance is .09
LAW_TOLERANCE = 0.04  # relative, of mean over sd; 4 and 5 coils differ by 12 %

Volume = npt.NDArray[np.float32]
Figures = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Air:
    """Noise of the air.

    Attributes:
        sd: of the noise in one channel where it is weakest, the volume's unit.
        coils: of the law that the air follows.
        power: (rows, columns) of tiles, mean square of that noise in the air there, all slices together.
        count: the same shape, slices whose tile is air.
        image: rows and columns of the image.
    """

    sd: float
    coils: int
    power: Figures
    count: Figures
    image: tuple[int, int]


def read_air(volume: Volume, threshold: float) -> Air | None:
    """Read the noise of the air in ``volume``, (slices, rows, columns), or None where no such law holds.

    Args:
        threshold: real value above which a voxel is tissue.
    """
    tiles = _tiles(volume[evenly_spaced(len(volume), SLICES)])
    means, sds = tiles.mean(axis=-1), tiles.std(axis=-1)
    dark = (tiles > 0).all(axis=-1) & (means < threshold) & (sds > 0)
    if dark.sum() < FEWEST * dark.size:
        return None
    darkest = _darkest(tiles[dark])
    ratio = darkest.mean() / darkest.std()
    coils = min(range(1, MOST_COILS + 1), key=lambda n: abs(mean_over_sd(n) / ratio - 1))
    if len(darkest) < FEWEST * dark.size or abs(mean_over_sd(coils) / ratio - 1) > LAW_TOLERANCE:
        return None
    square = np.square(tiles).mean(axis=-1) / (2 * coils)
    air = dark & (np.abs(means / np.where(dark, sds, 1) / mean_over_sd(coils) - 1) < TILE_TOLERANCE)
    count = air.sum(axis=0)
    power = (square * air).sum(axis=0) / np.maximum(count, 1)
    sd = math.sqrt(np.square(darkest).mean() / (2 * coils))
    return Air(sd, coils, power, count.astype(np.float64), (volume.shape[1], volume.shape[2]))


def _darkest(tiles: Figures) -> Figures:
    """Those of ``tiles``, (tiles, pixels), that are as dark as the darkest, but for chance."""
    means = tiles.mean(axis=1)
    darkest = tiles[means <= np.quantile(means, LOW)]
    for _ in range(ROUNDS):
        darkest = tiles[means <= darkest.mean() + ABOVE_SD * darkest.std()]
    return np.asarray(darkest)


def mean_over_sd(coils: int) -> float:
    """Return that of the chi law: 1.91, 2.75, 3.40, 3.94 for 1 to 4 coils."""
    mean = math.sqrt(2) * math.exp(gammaln(coils + 0.5) - gammaln(coils))
    return mean / math.sqrt(2 * coils - mean**2)


def _tiles(slices: Volume) -> Figures:
    """(slices, rows, columns, TILE ** 2) of (slices, rows, columns), whole tiles only."""
    count, rows, columns = slices.shape
    whole = slices[:, : rows // TILE * TILE, : columns // TILE * TILE].astype(np.float64)
    tiles = whole.reshape(count, rows // TILE, TILE, columns // TILE, TILE).swapaxes(2, 3)
    return tiles.reshape(count, rows // TILE, columns // TILE, TILE**2)
