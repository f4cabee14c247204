"""What the frames of one clip show together, gathered one by one: brightest, darkest, coloured pixels."""

import numpy as np
import numpy.typing as npt

from operators.dicom.regions import Mask

CINE_LENGTH = 5  # frames from which standing still shows anything


class TissueEvidence:
    """Extremes over the frames of a clip; each (rows, columns), grey in stored units."""

    def __init__(self, shape: tuple[int, int]) -> None:
        self.brightest = np.full(shape, -np.inf, np.float32)
        self.darkest = np.full(shape, np.inf, np.float32)
        self.coloured = np.zeros(shape, bool)
        self.frames = 0

    def add(self, grey: npt.NDArray[np.float32], coloured: Mask) -> None:
        """Take one more frame, (rows, columns)."""
        np.maximum(self.brightest, grey, out=self.brightest)
        np.minimum(self.darkest, grey, out=self.darkest)
        self.coloured |= coloured
        self.frames += 1
