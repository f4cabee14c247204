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

from models.robust import evenly

SLICES = 24  # evenly along the volume
TILE = 8  # pixels a side
LOW = 0.1  # quantile of the tiles' means that is surely air, where there is air
ABOVE_SD = 0.5  # sd of a pixel above the mean of the air, up to which the means of tiles are air: chance moves them by .13
ROUNDS = 4  # of taking the mean of the air
FEWEST = 0.02  # fraction of all tiles
MOST_COILS = 8
LAW_TOLERANCE = 0.04  # relative, of mean over sd; 4 and 5 coils differ by 12 %

Volume = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Air:
    """Noise of the air.

    Attributes:
        sd: of the noise in one channel, the volume's unit.
        coils: of the law that the air follows.
    """

    sd: float
    coils: int


def read_air(volume: Volume, level: Volume | None = None) -> Air | None:
    """Read the noise of the air in ``volume``, (slices, rows, columns), or None where no such law holds.

    Args:
        level: (rows, columns) the local noise, by which the volume is divided.
    """
    chosen = volume[evenly(len(volume), SLICES)]
    constant = _tiles(chosen)
    usable = (constant > 0).all(axis=-1)
    if usable.sum() == 0:
        return None
    tiles = _tiles(chosen / level if level is not None else chosen)[usable].astype(np.float64)
    means = tiles.mean(axis=1)
    air = tiles[means <= np.quantile(means, LOW)]
    for _ in range(ROUNDS):
        air = tiles[means <= air.mean() + ABOVE_SD * air.std()]
    if len(air) < FEWEST * usable.size:
        return None
    ratio = air.mean() / air.std()
    coils = min(range(1, MOST_COILS + 1), key=lambda n: abs(mean_over_sd(n) / ratio - 1))
    if abs(mean_over_sd(coils) / ratio - 1) > LAW_TOLERANCE:
        return None
    return Air(math.sqrt(np.mean(air**2) / (2 * coils)), coils)


def mean_over_sd(coils: int) -> float:
    """Of the chi law: 1.91, 2.75, 3.40, 3.94 for 1 to 4 coils."""
    mean = math.sqrt(2) * math.exp(gammaln(coils + 0.5) - gammaln(coils))
    return mean / math.sqrt(2 * coils - mean**2)


def _tiles(slices: Volume) -> Volume:
    """(slices, rows, columns, TILE ** 2) of (slices, rows, columns), whole tiles only."""
    count, rows, columns = slices.shape
    whole = slices[:, : rows // TILE * TILE, : columns // TILE * TILE]
    tiles = whole.reshape(count, rows // TILE, TILE, columns // TILE, TILE).swapaxes(2, 3)
    return tiles.reshape(count, rows // TILE, columns // TILE, TILE**2)
