"""What the gate says of one volume or clip at one strength: its lights, and the figures and maps they stand on."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Check:
    """One light.

    Attributes:
        name: stable, in snake_case.
        value: what was measured; None where there is too little to measure it by.
        limit: which the magnitude of the value must not exceed.
        unit: of both: HU, Bq/ml, %, sd (of the noise), or nothing.
        meaning: what the light watches over, one sentence.
        raw: the value before its own uncertainty was taken off; None where nothing was.
    """

    name: str
    value: float | None
    limit: float
    unit: str
    meaning: str
    raw: float | None = None

    @property
    def passed(self) -> bool:
        """Whether the value keeps the limit: NaN does not, what could not be measured is left to the other lights."""
        return self.value is None or bool(abs(self.value) <= self.limit)

    def __str__(self) -> str:
        value = "not measured" if self.value is None else f"{self.value:.3g} {self.unit}".rstrip()
        return f"{self.name} {value} against {self.limit:g}"


@dataclass(frozen=True)
class LevelBias:
    """The mean change of tissue of about one value."""

    level: float  # real units
    bias: float  # after less before, real units
    voxels: int
    error: float  # standard error of the bias


@dataclass(frozen=True, eq=False)
class Assessment:
    """Of one volume or clip at one strength; bias and noise in ``unit``."""

    strength: float  # percent
    checks: tuple[Check, ...]
    noise_before: float  # standard deviation in plain tissue
    noise_after: float
    unit: str
    noise_level_map: npt.NDArray[np.float32]  # (rows, columns), coarse, of the middle slice or frame, before
    levels: tuple[LevelBias, ...]  # in rising order
    slice_bias: npt.NDArray[np.float32]  # (slices or frames,)

    @property
    def passed(self) -> bool:
        """Whether every light is on."""
        return all(check.passed for check in self.checks)

    @property
    def faults(self) -> tuple[Check, ...]:
        """The lights that are off."""
        return tuple(check for check in self.checks if not check.passed)
