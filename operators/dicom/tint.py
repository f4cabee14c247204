"""The grey map of a tinted ultrasound image, sepia or blue: one colour for each grey. Flow has several, and no tint."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

LEVELS = 256  # of luminance, at which colours are compared
SPREAD = 6 / 255  # of full scale, sd of a component within one level: JPEG noise stays below, two hues do not
TINTED_FRACTION = 0.95  # of the coloured pixels that must have the colour of their level; the rest may be drawn
OTHERS_FRACTION = 0.2  # of the lit pixels that may have another colour than the tint: text, bars, flow
LIT = 8 / 255  # of full scale: darker colours are not distinguished
SMOOTHING = 3.0  # levels: makers' maps are smooth, the mean of a few pixels with JPEG noise is not
LEAST_LEVELS = 8  # with a colour each; fewer are bars and letters

Grey = npt.NDArray[np.float32]
Colours = npt.NDArray[np.integer]  # (..., 3)


@dataclass(frozen=True, eq=False)
class Tint:
    """One colour for each grey."""

    greys: npt.NDArray[np.float64]  # (n,), rising
    colours: npt.NDArray[np.float64]  # (n, 3)

    def colour(self, grey: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Return the colour (..., 3) of a grey, interpolated."""
        components = [np.interp(grey, self.greys, component) for component in self.colours.T]
        return np.stack(components, axis=-1)

    def shift(self, grey: Grey, change: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Return the change of colour (..., 3) that a change of grey brings; none without a change."""
        return self.colour(grey + change) - self.colour(grey)

    def deviates(self, grey: npt.NDArray[np.floating], colours: Colours, tolerance: float) -> npt.NDArray[np.bool_]:
        """Return whether pixels have another colour than their grey."""
        return np.asarray(np.abs(colours - self.colour(grey)).max(axis=-1) > tolerance)


class TintEvidence:
    """What the coloured pixels of a clip show together, gathered frame by frame."""

    def __init__(self) -> None:
        self._counts = np.zeros(LEVELS)
        self._sums, self._squares = np.zeros((LEVELS, 3)), np.zeros((LEVELS, 3))

    def add(self, grey: Grey, colours: Callable[[], Colours], coloured: npt.NDArray[np.bool_], maximum: float) -> None:
        """Add the coloured pixels of one frame; ``colours`` (rows, columns, 3) are asked for where there are any."""
        if not coloured.any():
            return
        levels = np.rint(grey[coloured] * ((LEVELS - 1) / maximum)).astype(int)
        pixels = colours()[coloured].astype(np.float64)
        self._counts += np.bincount(levels, minlength=LEVELS)
        for component in range(3):
            self._sums[:, component] += np.bincount(levels, pixels[:, component], LEVELS)
            self._squares[:, component] += np.bincount(levels, pixels[:, component] ** 2, LEVELS)

    def tint(self, maximum: float, black: tuple[int, int, int]) -> Tint | None:
        """Return the grey map from black on, None where one grey has several colours."""
        counts = np.maximum(self._counts, 1)[:, None]
        means = self._sums / counts
        sd = np.sqrt(np.maximum(self._squares / counts - means**2, 0)).max(axis=1)
        single = (self._counts > 0) & (sd <= SPREAD * maximum)
        fraction = self._counts[single].sum() / max(self._counts.sum(), 1)
        if single.sum() < LEAST_LEVELS or fraction < TINTED_FRACTION:
            return None
        greys = np.flatnonzero(single) * (maximum / (LEVELS - 1))
        weights = gaussian_filter1d(self._counts * single, SMOOTHING)[single, None]
        colours = gaussian_filter1d(self._sums * single[:, None], SMOOTHING, axis=0)[single] / weights
        return Tint(np.insert(greys, 0, 0.0), np.insert(colours, 0, black, axis=0))
