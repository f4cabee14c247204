"""What the gate decided on a series, in words for a reader: one light for each kind of check."""

from collections.abc import Sequence
from dataclasses import dataclass

from operators.quality.assessment import Assessment, Check

DIGITS = 4  # after the point; less than that is nothing to a reader


@dataclass(frozen=True)
class CheckLine:
    """One check of the gate, in words."""

    name: str
    measured: str
    limit: str
    passed: bool


@dataclass(frozen=True)
class Verdict:
    """Whether all checks were passed at the strength that was asked for, and what they measured."""

    sentence: str
    reason: str  # why the strength is lower than asked for, empty where it is not
    lights: tuple[CheckLine, ...]

    @property
    def as_asked(self) -> bool:
        """Whether the series is handed out at the strength that was asked for."""
        return not self.reason


def verdict_of(assessments: Sequence[Assessment], reason: str, kept: int) -> Verdict:
    """The verdict on the images of a series at the strength at which it is handed out.

    Args:
        assessments: one for each volume or clip; of each check the one nearest to its limit is told.
        reason: why the strength is lower than asked for, empty where it is not.
        kept: small places where the original was kept.
    """
    worst: dict[str, Check] = {}
    for check in (check for one in assessments for check in one.checks):
        worst[check.name] = max(worst.get(check.name, check), check, key=_used)
    lights = tuple(_light(check) for check in worst.values())
    strength = f"{assessments[0].strength:g} percent" if assessments else "this"
    sentence = f"Passed all {len(lights)} checks at {strength} strength"
    lower = ", lower than asked for" if reason else ""
    places = f"; the original is kept at small places, {kept} in all" if kept else ""
    return Verdict(sentence + lower + places, reason, lights)


def _used(check: Check) -> float:
    """How much of its limit a check has used up."""
    if check.value is None:
        return -1.0
    return abs(check.value) / check.limit if check.limit else float(abs(check.value) > 0)


def _light(check: Check) -> CheckLine:
    measured, limit = (_told(number, check.unit) for number in (check.value, check.limit))
    return CheckLine(check.name.replace("_", " "), measured, limit, check.passed)


def _told(number: float | None, unit: str) -> str:
    if number is None:
        return "not measured"
    return f"{round(number, DIGITS) + 0.0:.3g} {unit}".rstrip()  # + 0.0: no reader needs a negative nothing
