"""The validation document: a PDF to sign, made from the results alone."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import Flowable

from operators.report.typesetting import FAILED, LARGE, PASSED, paragraph
from validation.kit.document_pages import Column, body, document_of, heading, signature_lines, table_part
from validation.kit.document_plots import figure_parts
from validation.kit.record import Validation, as_json
from validation.kit.results import Result, failed
from validation.measures.intervals import Measured

TITLE = "Validation of the single-study denoiser"
VERDICT = ParagraphStyle("verdict", LARGE, fontSize=24, leading=34)
MATRIX = (
    Column("Id", 0.045), Column("Requirement", 0.235), Column("Test", 0.29), Column("Limit", 0.11),
    Column("Result [95 % interval]", 0.15), Column("n", 0.03), Column("Verdict", 0.14),
)  # fmt: skip
REASONS = (
    Column("Id", 0.05),
    Column("Limit", 0.15),
    Column("Reason for the limit", 0.4),
    Column("What is measured", 0.4),
)
FACTS = (Column("What", 0.3), Column("Recorded", 0.7))
SIGNERS = ("Tested by", "Reviewed by (medical physicist)", "Released for clinical evaluation by")
READING = (
    "A requirement passes when its figure keeps to the limit. 'surely' means that the whole 95 % confidence interval "
    "does; otherwise the interval reaches over the limit and more repeats (the full kit) would decide. Intervals are "
    "percentile bootstraps over n repeats (lesions, regions, blocks of slices), for counts the exact Poisson interval."
)
SCOPE = (
    "Test objects are calculated, not scanned; rods are the same in every slice, which is the best case for a method "
    "that learns from neighbouring slices, balls are not. Passing says nothing about a site's own scanner and "
    "protocols: repeat it on the site's phantom by --phantom. The software is not a medical device by itself."
)


def write_pdf(validation: Validation, path: Path) -> None:
    """Write the document."""
    path.write_bytes(document_of(list(parts(validation)), TITLE))


def parts(validation: Validation) -> Iterator[list[Flowable]]:
    """Yield what each part of the document shows."""
    yield _cover(validation)
    yield table_part("Traceability matrix", "requirement, test, limit, result", MATRIX, matrix(validation.results))
    yield from figure_parts(validation.evidence)
    reasons = [
        [r.requirement.identity, str(r.requirement.limit), r.requirement.reason, described(r)]
        for r in validation.results
    ]
    yield table_part("Reasons and measures", "", REASONS, reasons)
    yield table_part("Runs and installation", "", FACTS, _facts(validation))
    yield _signatures(validation)


def matrix(results: Sequence[Result]) -> list[list[str]]:
    """Return the rows of the traceability matrix."""
    return [
        [
            r.requirement.identity,
            r.requirement.what,
            r.requirement.test,
            str(r.requirement.limit),
            as_text(r.measured),
            str(r.measured.repeats) if r.measured else "",
            _verdict(r),
        ]
        for r in results
    ]


def as_text(measured: Measured | None) -> str:
    """Return a figure and its interval as text."""
    if measured is None:
        return "none"
    if math.isinf(measured.value):
        return "nothing left to measure"
    if measured.low == measured.high == measured.value:
        return f"{measured.value:.3g}"
    return f"{measured.value:.3g} [{measured.low:.3g}, {measured.high:.3g}]"


def described(result: Result) -> str:
    """Return the first line of what the measuring function says of itself."""
    function: Any = getattr(result.requirement.measure, "func", result.requirement.measure)
    return str(function.__doc__).partition("\n")[0]


def _verdict(result: Result) -> str:
    if result.measured is None:
        return f"{result.verdict}, {result.reason}"
    return f"{result.verdict}, {'surely' if result.sure else 'interval reaches the limit'}"


def _cover(validation: Validation) -> list[Flowable]:
    installed, results = validation.evidence.installation, validation.results
    counts = {verdict: sum(r.verdict == verdict for r in results) for verdict in ("pass", "fail", "not measured")}
    colour = FAILED if validation.verdict == "FAILED" else PASSED
    texts = [
        f"{counts['pass']} requirements passed, {counts['fail']} failed, {counts['not measured']} not measured.",
        f"Kind of run: {validation.kind}; {validation.seconds / 60:.0f} minutes.",
        f"Strength lowered by the gate: {_lowered(validation) or 'in no case'}.",
        READING,
        SCOPE,
        *(["Failed:"] if counts["fail"] else []),
        *(f"{r.requirement.identity}  {r.requirement.what}: {as_text(r.measured)}" for r in failed(results)),
    ]
    head = heading(TITLE, f"version {installed.version}, {validation.when}")
    return [*head, paragraph(validation.verdict, VERDICT, colour), *map(body, texts)]


def _lowered(validation: Validation) -> str:
    """Return the cases that were handed out at less than the strength asked for."""
    lowered = []
    for outcome in validation.evidence.outcomes:
        if outcome.row.get("written"):
            handed_out = outcome.row["written"][0]["strength"]
            if handed_out < max(tried["strength"] for image in outcome.row["assessments"] for tried in image):
                lowered.append(f"{outcome.case.name}: {handed_out:g} %")
    return "; ".join(lowered)


def _facts(validation: Validation) -> list[list[str]]:
    installed = validation.evidence.installation
    runs = [[case["name"], ", ".join(f"{key} {value}" for key, value in case.items() if key != "name" and value != "")]
            for case in as_json(validation)["cases"]]  # fmt: skip
    return [
        *runs,
        ["determinism", str(dataclasses.asdict(validation.evidence.determinism))],
        ["settings", str(dict(validation.settings))],
        ["machine", f"{installed.machine}, {installed.cores} cores, Python {installed.python}"],
        [f"SHA-256 of all {installed.files} files", installed.whole],
        *([f"SHA-256 of {room}", value] for room, value in installed.sha256.items()),
        ["libraries", ", ".join(f"{name} {found}" for name, found in installed.libraries.items())],
        ["not as pinned", ", ".join(f"{name} {found}" for name, found in installed.wrong.items()) or "none"],
    ]


def _signatures(validation: Validation) -> list[Flowable]:
    head = heading("Signatures", f"validation of {validation.when}, {validation.verdict}")
    files = f"The software with the files of SHA-256 {validation.evidence.installation.whole}."
    return [*head, body(files), *signature_lines(SIGNERS)]
