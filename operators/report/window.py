"""The grey window of a picture: one for before and after, chosen as a reader of that modality would."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from operators.report.sample import Image, Sample

SOFT_TISSUE = (-160.0, 240.0)  # HU; CT whose header gives no window
MR_REACH = (1.0, 99.8)  # percentiles: a bright vessel must not darken the rest
GREY = 255.0  # the largest of eight bits, in which ultrasound is stored
PET_REACH = 99.7  # percentile that is shown full: the brain and the bladder may saturate
WHOLE_FROM = 1000.0  # values that are told without decimals
LEAST_SHOWN = 0.02  # of the tissue's values that a header's window must show between black and white, or it is not used


@dataclass(frozen=True)
class Window:
    """Values shown black and white; ``inverse`` shows the low ones white, as PET is read."""

    low: float
    high: float
    inverse: bool = False

    def grey(self, image: Image) -> npt.NDArray[np.uint8]:
        """The image as 8-bit grey."""
        share = np.clip((image - self.low) / (self.high - self.low), 0, 1)
        return np.asarray(np.rint(255 * (1 - share if self.inverse else share)).astype(np.uint8))

    def text(self, unit: str) -> str:
        """The window in words."""
        return f"window {_homogeneous(self.low)} to {_homogeneous(self.high)} {unit}".strip() + (
            ", low values white" if self.inverse else ""
        )


def window_of(modality: str, sample: Sample, given: Window | None) -> Window:
    """The window of a series.

    Args:
        given: what the header asks for; PET's is not used, since it is seldom set with care.
    """
    values = sample.values("before")
    tissue = values[values > sample.air()]
    if not tissue.size:
        tissue = values
    if modality == "PT":
        return _apart(0.0, float(np.percentile(tissue, PET_REACH)), inverse=True)
    if given is not None and np.mean((tissue > given.low) & (tissue < given.high)) >= LEAST_SHOWN:
        return given
    if modality == "CT":
        return Window(*SOFT_TISSUE)
    if modality == "US":
        return Window(0.0, max(GREY, float(values.max())))
    low, high = np.percentile(values, MR_REACH)
    return _apart(float(low), float(high))


def _homogeneous(number: float) -> str:
    """Four digits, and no powers of ten where a reader would write none."""
    return f"{number:.4g}" if abs(number) < WHOLE_FROM else f"{number:.0f}"


def _apart(low: float, high: float, inverse: bool = False) -> Window:
    return Window(low, high if high > low else low + 1.0, inverse)
