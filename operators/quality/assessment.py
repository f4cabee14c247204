"""What the checks say of one volume or clip at one strength, and the figures they stand on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One check.

    Attributes:
        name: stable, in snake_case.
        value: what was measured; None where there is too little to measure it by.
        limit: which the magnitude of the value must not exceed.
        unit: of both: HU, Bq/ml, %, sd (of the noise), or nothing.
        meaning: what the check watches over, one sentence.
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
        """Whether the value keeps the limit: NaN does not, what could not be measured is skipped."""
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
    noise_before: float  # standard deviation in homogeneous tissue
    noise_after: float
    unit: str
    levels: tuple[LevelBias, ...]  # in rising order

    @property
    def passed(self) -> bool:
        """Whether every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def faults(self) -> tuple[Check, ...]:
        """The checks that failed."""
        return tuple(check for check in self.checks if not check.passed)
