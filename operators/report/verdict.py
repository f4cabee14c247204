"""What was handed out and what the checks measured, as text for a reader."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from operators.quality.assessment import Assessment, Check

DIGITS = 4  # after the point; less than that is nothing to a reader

Status = Literal["as asked", "lowered", "failed"]
Result = Literal["passed", "failed", "not measured"]


@dataclass(frozen=True)
class HandedOut:
    """What came of the checks of a series, at the strength at which it is handed out."""

    assessments: tuple[Assessment, ...]  # one for each volume or clip
    labels: tuple[str, ...]  # what distinguishes each of them in the series, empty for the only one
    reason: str = ""  # why the strength is lower than asked for, empty where it is not
    restored: str = ""  # where the original was restored, empty where it was not


@dataclass(frozen=True)
class CheckLine:
    """One check, as text."""

    name: str
    measured: str
    sure: str  # what of it is beyond the error of the measurement and is held to the limit; empty where none is known
    limit: str
    result: Result


@dataclass(frozen=True)
class Verdict:
    """What happened to a series."""

    status: Status
    headline: str
    details: tuple[str, ...]  # sentences
    checks: tuple[CheckLine, ...]


def verdict_of(handed_out: HandedOut) -> Verdict:
    """Return the verdict; of several volumes or clips each check shows the one nearest to its limit."""
    checks = tuple(_line(check) for check in _worst(handed_out.assessments))
    failed = [check.name for check in checks if check.result == "failed"]
    status: Status = "failed" if failed else "lowered" if handed_out.reason else "as asked"
    strength = f" at {handed_out.assessments[0].strength:g} % strength" if handed_out.assessments else ""
    headline = {
        "as asked": f"Handed out{strength}, as asked for",
        "lowered": f"Handed out{strength}, less than asked for",
        "failed": f"Handed out{strength}, with {len(failed)} of {len(checks)} checks failed",
    }[status]
    return Verdict(status, headline, tuple(_details(handed_out, checks, failed)), checks)


def _details(handed_out: HandedOut, checks: Sequence[CheckLine], failed: Sequence[str]) -> list[str]:
    """Return the sentences below the headline."""
    unmeasured = [check.name for check in checks if check.result == "not measured"]
    passed = len(checks) - len(failed) - len(unmeasured)
    sentences = [f"Failed: {', '.join(failed)}."] if failed else []
    if checks:
        sentences.append(f"{'All ' if passed == len(checks) else ''}{passed} check{'' if passed == 1 else 's'} passed.")
    if unmeasured:
        sentences.append(f"Too little data to measure: {', '.join(unmeasured)}.")
    sentences += [_sentence(clause) for clause in (handed_out.restored, handed_out.reason) if clause]
    return sentences


def _sentence(clause: str) -> str:
    return f"{clause[0].upper()}{clause[1:].rstrip('.')}."


def _worst(assessments: Sequence[Assessment]) -> list[Check]:
    """Return each check of the volume or clip that has used up most of its limit."""
    worst: dict[str, Check] = {}
    for check in (check for assessment in assessments for check in assessment.checks):
        worst[check.name] = max(worst.get(check.name, check), check, key=_used)
    return list(worst.values())


def _used(check: Check) -> float:
    """Return how much of its limit a check has used up, -1 where it was not measured."""
    if check.value is None:
        return -1.0
    return abs(check.value) / check.limit if check.limit else float(abs(check.value) > 0)


def _line(check: Check) -> CheckLine:
    value, limit = _text(check.value, check.unit), _text(check.limit, check.unit)
    measured, sure = (value, "") if check.raw is None else (_text(check.raw, check.unit), value)
    result: Result = "not measured" if check.value is None else "passed" if check.passed else "failed"
    return CheckLine(check.name.replace("_", " "), measured, sure, limit, result)


def _text(number: float | None, unit: str) -> str:
    if number is None:
        return "not measured"
    return f"{round(number, DIGITS) + 0.0:.3g} {unit}".rstrip()  # + 0.0: no reader needs a negative nothing
