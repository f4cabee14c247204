"""One image of a source as it was acquired, and how it is shown to people."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Images = npt.NDArray[np.float32]  # (slices or frames, rows, columns)


@dataclass(frozen=True, eq=False)
class Image:
    """One volume or clip as it was acquired."""

    values: Images  # real units; of ultrasound stored luminance
    valid: npt.NDArray[np.bool_]  # like ``values``, False on padding; of ultrasound (rows, columns), False off tissue
    spacing: tuple[float, float, float]  # mm between slices, rows, columns; 0 where unknown, and between frames
    maximum: float = np.inf  # the largest value that can be stored

    def taken(self, indices: Sequence[int]) -> "Image":
        """Return some of its slices or frames."""
        chosen = list(indices)
        valid = self.valid if self.valid.ndim == 2 else self.valid[chosen]
        return replace(self, values=self.values[chosen], valid=valid)


@dataclass(frozen=True)
class Display:
    """How images of a source are shown to people."""

    unit: str = ""  # of the values, empty where they have none
    window: tuple[float, float] | None = None  # values shown black and white, as the header asks
    inverse: bool = False  # low values are shown white
    only_valid: bool = False  # pixels that are not valid may show a name, so they are cut away
