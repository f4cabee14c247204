"""The grey window of a picture: one for before and after, chosen as a reader of that modality would."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from operators.report.sample import Image, Sample

SOFT_TISSUE = (-160.0, 240.0)  # HU; CT whose header gives no window
MR_RANGE = (1.0, 99.8)  # percentiles: a bright vessel must not darken the rest
GREY = 255.0  # the largest of eight bits, in which ultrasound is stored
PET_HIGH = 99.7  # percentile that is shown full: the brain and the bladder may saturate
WHOLE_FROM = 1000.0  # values that are written without decimals

# What a header's window must do with the tissue's values, or it is not used.
LEAST_BETWEEN = 0.25  # of them between black and white: with fewer the picture is nearly all black or all white
LEAST_CONTRAST = 0.1  # of all greys, between the TENTHS of the values: with less the picture is one grey
TENTHS = (10.0, 90.0)  # percentiles


@dataclass(frozen=True)
class Window:
    """Values shown black and white; ``inverse`` shows the low ones white, as PET is read."""

    low: float
    high: float
    inverse: bool = False

    def fraction(self, image: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
        """Return how bright each value is shown, from 0 to 1, before ``inverse``."""
        return np.asarray(np.clip((image - self.low) / (self.high - self.low), 0, 1))

    def grey(self, image: Image, steps: int = 255) -> npt.NDArray[np.uint8]:
        """Return the image as 8-bit grey, in ``steps`` steps from black to white."""
        fraction = self.fraction(image)
        stepped = np.rint(steps * (1 - fraction if self.inverse else fraction))
        return np.asarray(np.rint(stepped * (255 / steps)).astype(np.uint8))

    def text(self, unit: str) -> str:
        """Return the window as text."""
        return f"Window {_rounded(self.low)} to {_rounded(self.high)} {unit}".strip() + (
            ", low values white" if self.inverse else ""
        )


def window_of(modality: str, sample: Sample, header_window: Window | None) -> Window:
    """Return the window of a series.

    Args:
        header_window: what the header asks for; PET's is not used, since it is seldom set with care.
    """
    values = sample.values("before")
    tissue = values[values > sample.air()]
    if not tissue.size:
        tissue = values
    if modality == "PT":
        return _apart(0.0, float(np.percentile(tissue, PET_HIGH)), inverse=True)
    if header_window is not None and _shows(header_window, tissue):
        return header_window
    if modality == "CT":
        return Window(*SOFT_TISSUE)
    if modality == "US":
        return Window(0.0, max(GREY, float(values.max())))
    low, high = np.percentile(values, MR_RANGE)
    return _apart(float(low), float(high))


def _shows(window: Window, tissue: npt.NDArray[np.float32]) -> bool:
    """Return whether a window leaves a picture that can be read."""
    between = np.mean((tissue > window.low) & (tissue < window.high))
    dark, bright = window.fraction(np.percentile(tissue, TENTHS))
    return bool(between >= LEAST_BETWEEN and bright - dark >= LEAST_CONTRAST)


def _rounded(number: float) -> str:
    """Return four digits, and no powers of ten where a reader would write none."""
    return f"{number:.4g}" if abs(number) < WHOLE_FROM else f"{number:.0f}"


def _apart(low: float, high: float, inverse: bool = False) -> Window:
    return Window(low, high if high > low else low + 1.0, inverse)
