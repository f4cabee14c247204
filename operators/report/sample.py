"""What a report looks at: some images of a series, before and after, spread evenly over it.

A report is for a reader's eye, and bounded in size and time; what decides over a series is measured on all of it.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.float32]  # (rows, columns), real units
Mask = npt.NDArray[np.bool_]

MOST_IMAGES = 16  # shown and measured; every 19th of a CT of 300 slices
MOST_PIXELS = MOST_IMAGES * 512 * 512  # larger images are fewer, so that a report never exceeds about 8 MB
FEWEST_IMAGES = 3
AIR_FRACTION = 0.05  # of the reach of values: below it lies what surrounds the body
REACH = (1.0, 99.0)  # percentiles of the values between which the reach of tissue is taken


@dataclass(frozen=True, eq=False)
class ImagePair:
    """One image before and after."""

    number: int  # its place in the series, from 1
    before: Image
    after: Image
    valid: Mask  # False for padding, and in ultrasound for all but the tissue


@dataclass(frozen=True, eq=False)
class Sample:
    """The images looked at."""

    pairs: tuple[ImagePair, ...]  # at least one
    total: int  # images in the series
    spacing: tuple[float, float] | None  # mm between rows and between columns; None where nothing tells it
    unit: str  # of the values, empty for grey levels without a unit

    @property
    def middle(self) -> ImagePair:
        """The image that is shown on paper."""
        return self.pairs[len(self.pairs) // 2]

    def values(self, side: str) -> npt.NDArray[np.float32]:
        """All valid values ``before`` or ``after``, flat, in one order for both."""
        return np.concatenate([getattr(pair, side)[pair.valid] for pair in self.pairs])

    def air(self) -> float:
        """The value below which an image shows what surrounds the body, and not tissue."""
        low, high = np.percentile(self.values("after"), REACH)
        return float(low + AIR_FRACTION * (high - low))


def spread(total: int, pixels: int) -> list[int]:
    """Which of ``total`` images are looked at, each of ``pixels`` pixels: the middles of equal parts of the series."""
    count = min(total, MOST_IMAGES, max(FEWEST_IMAGES, MOST_PIXELS // max(1, pixels)))
    return [int((2 * part + 1) * total / (2 * count)) for part in range(count)]
