"""Find the strength at which a series may be handed out: the first step down from the one asked for that passes."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass

from operators.quality.assessment import Assessment

STEPS = (1.0, 0.75, 0.5, 0.25)  # of the strength asked for; with less nobody would see a change

Assessments = tuple[Assessment, ...]  # of all images of a series at one strength


@dataclass(frozen=True)
class Granted:
    """The outcome of the checks of one series."""

    strengths: tuple[float, ...]  # percent, each once; none where no step passed
    reason: str  # why they are not those asked for, empty where they are
    tried: Mapping[float, Assessments]  # by strength, in the order tried


def grant(asked: Sequence[float], assess: Callable[[float], Assessments], *, may_reduce: bool) -> Granted:
    """Assess the series at each strength asked for, and at lower ones where it fails and may be reduced."""
    tried: dict[float, Assessments] = {}
    granted: list[float] = []
    reasons: list[str] = []
    for wanted in asked:
        strength = _first_passed(wanted, assess, tried, STEPS if may_reduce else STEPS[:1])
        if strength != wanted:
            reasons.append(_reason(wanted, strength, tried))
        if strength:
            granted.append(strength)
    return Granted(tuple(dict.fromkeys(granted)), "; ".join(reasons), tried)


def _first_passed(
    asked: float,
    assess: Callable[[float], Assessments],
    tried: MutableMapping[float, Assessments],
    steps: Sequence[float],
) -> float:
    """The largest step of ``asked`` at which every image passes, 0 where none does; adds to ``tried``."""
    for step in steps:
        strength = round(step * asked, 1)
        if strength not in tried:
            tried[strength] = assess(strength)
        if all(assessment.passed for assessment in tried[strength]):
            return strength
    return 0.0


def _reason(asked: float, granted: float, tried: Mapping[float, Assessments]) -> str:
    """Which strengths did not pass, and the checks that failed at the least of them."""
    failed = sorted((strength for strength in tried if granted < strength <= asked), reverse=True)
    faults = {str(fault): None for assessment in tried[failed[-1]] for fault in assessment.faults}
    outcome = f"lowered to {granted:g} percent" if granted else "not handed out"
    strengths = " and ".join(", ".join(f"{strength:g}" for strength in failed).rsplit(", ", 1))
    at = f" at {failed[-1]:g} percent" if len(failed) > 1 else ""
    return f"strength {strengths} percent did not pass the gate, so it was {outcome}:{at} {', '.join(faults)}"
