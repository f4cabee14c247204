"""The images that a report shows: some of a series, before and after, spaced evenly.

Their number bounds the size and the time of a report. What decides on a series is measured on all its images.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.robust import evenly_spaced

Image = npt.NDArray[np.float32]  # (rows, columns), real units
Mask = npt.NDArray[np.bool_]

MOST_IMAGES = 16  # shown and measured; every 19th of a CT of 300 slices
MOST_PIXELS = 13 * 512 * 512  # more pixels, fewer images: a report never exceeds about 8 MB
FEWEST_IMAGES = 3
AIR_FRACTION = 0.05  # of the range of values: what is below it surrounds the body
RANGE = (1.0, 99.0)  # percentiles that bound the range of values


@dataclass(frozen=True, eq=False)
class ImagePair:
    """One image before and after."""

    number: int  # in the series, from 1
    before: Image
    after: Image
    valid: Mask  # False for padding, and in ultrasound for all but the tissue
    restored: Image | None = None  # fraction of the original that was blended back; None where nothing was


@dataclass(frozen=True, eq=False)
class Sample:
    """The images that are shown and measured."""

    pairs: tuple[ImagePair, ...]  # at least one
    total: int  # images in the series
    spacing: tuple[float, float] | None  # mm between rows and between columns; None where it is not known
    unit: str  # of the values, empty for grey levels without a unit

    def values(self, side: str) -> npt.NDArray[np.float32]:
        """Return all valid values ``before`` or ``after``, flat, in one order for both."""
        return np.concatenate([getattr(pair, side)[pair.valid] for pair in self.pairs])

    def air(self) -> float:
        """Return the value below which a pixel shows what surrounds the body, and not tissue."""
        low, high = np.percentile(self.values("after"), RANGE)
        return float(low + AIR_FRACTION * (high - low))


def spread(total: int, pixels: int) -> list[int]:
    """Return the indices of the images to show, evenly spaced among ``total`` of ``pixels`` pixels each."""
    return evenly_spaced(total, min(MOST_IMAGES, max(FEWEST_IMAGES, MOST_PIXELS // max(1, pixels))))
