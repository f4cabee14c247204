"""Holds what was measured to the table of requirements."""

import math
from dataclasses import dataclass
from typing import Literal

from validation.kit.evidence import Evidence
from validation.kit.not_measured import NotMeasuredError
from validation.kit.requirements import Requirement, requirements
from validation.measures.intervals import Measured

Verdict = Literal["pass", "fail", "not measured"]


@dataclass(frozen=True)
class Result:
    """One requirement with what became of it."""

    requirement: Requirement
    measured: Measured | None
    verdict: Verdict
    reason: str = ""  # why it was not measured

    @property
    def sure(self) -> bool:
        """Whether the whole confidence interval lies on one side of the limit."""
        if self.measured is None or not math.isfinite(self.measured.low + self.measured.high):
            return False
        met = self.requirement.limit.met_by
        return met(self.measured.low) == met(self.measured.high)


def results_of(evidence: Evidence) -> list[Result]:
    """Measure every requirement; the figure itself decides, its interval says how surely."""
    return [_result_of(requirement, evidence) for requirement in requirements()]


def failed(results: list[Result]) -> list[Result]:
    """Return those that fail."""
    return [result for result in results if result.verdict == "fail"]


def _result_of(requirement: Requirement, evidence: Evidence) -> Result:
    try:
        measured = requirement.measure(evidence)
    except NotMeasuredError as error:
        return Result(requirement, None, "fail" if error.counts else "not measured", str(error))
    return Result(requirement, measured, "pass" if requirement.limit.met_by(measured.value) else "fail")
