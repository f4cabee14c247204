"""A validation as a whole, and as JSON for programs."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from validation.kit.evidence import Evidence
from validation.kit.results import Result, failed

# Of a row of result.json.
RUN_FACTS = (
    "status",
    "reason",
    "seconds",
    "method",
    "device",
    "precision",
    "processor",
    "steps_planned",
    "steps_taken",
)


@dataclass(frozen=True)
class Validation:
    """Everything in the document."""

    when: str  # date and time, ISO 8601
    kind: str  # quick, full, or the site's phantom
    settings: Mapping[str, Any]
    evidence: Evidence
    results: list[Result]
    seconds: float

    @property
    def verdict(self) -> str:
        """Of the whole."""
        return "FAILED" if failed(self.results) else "PASSED"


def as_json(validation: Validation) -> dict[str, Any]:
    """Return what the PDF says, for programs."""
    evidence = validation.evidence
    return {
        "verdict": validation.verdict,
        "when": validation.when,
        "kind": validation.kind,
        "seconds": round(validation.seconds, 1),
        "requirements": [_row(result) for result in validation.results],
        "cases": [{"name": o.case.name, **_run_of(o.row)} for o in evidence.outcomes],
        "settings": dict(validation.settings),
        "installation": dataclasses.asdict(evidence.installation),
        "determinism": dataclasses.asdict(evidence.determinism),
    }


def _row(result: Result) -> dict[str, Any]:
    requirement, measured = result.requirement, result.measured
    figure = dataclasses.asdict(measured) if measured else {}
    return {
        "id": requirement.identity,
        "what": requirement.what,
        "test": requirement.test,
        "limit": dataclasses.asdict(requirement.limit),
        "reason": requirement.reason,
        **{name: value if math.isfinite(value) else None for name, value in figure.items()},
        "verdict": result.verdict,
        "sure": result.sure,
        "not_measured": result.reason,
    }


def _run_of(row: Mapping[str, Any]) -> dict[str, Any]:
    strengths = [written["strength"] for written in row.get("written", ()) if written["kind"] == "denoised"]
    return {name: row[name] for name in RUN_FACTS if name in row} | {"strength": strengths}
