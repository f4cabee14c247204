"""The validation document: a PDF to sign, made from the results alone."""

import dataclasses
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure

from validation.kit.document_pages import BOTTOM, LEFT, LINE, TOP, Column, page, paragraphs, table_pages
from validation.kit.document_plots import figures
from validation.kit.record import Validation, as_json
from validation.kit.results import Result, failed
from validation.measures.intervals import Measured

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
SIGNERS = ("Tested by", "Reviewed by (medical physicist)", "Released for clinical evaluation by")
READING = (
    "A requirement passes when its figure keeps to the limit. 'surely' means that the whole 95 % confidence interval "
    "does; otherwise the interval reaches over the limit and more repeats (the full kit) would tell. Intervals are "
    "percentile bootstraps over n repeats (lesions, regions, blocks of slices), for counts the exact Poisson interval."
)
SCOPE = (
    "Test objects are calculated, not scanned; rods are the same in every slice, which is the best case for a method "
    "that learns from neighbouring slices, balls are not. Passing says nothing about a site's own scanner and "
    "protocols: repeat it on the site's phantom by --phantom. The software is not a medical device by itself."
)


def write_pdf(validation: Validation, path: Path) -> None:
    """Write the document."""
    with PdfPages(path, metadata={"Title": "Validation of the single-study denoiser"}) as pdf:
        for figure in pages(validation):
            pdf.savefig(figure)


def pages(validation: Validation) -> Iterator[Figure]:
    """Yield the document page by page."""
    yield _cover(validation)
    yield from table_pages(
        "Traceability matrix", "requirement, test, limit, result", MATRIX, matrix(validation.results)
    )
    yield from figures(validation.evidence)
    reasons = [
        [r.requirement.identity, str(r.requirement.limit), r.requirement.reason, told_by(r)] for r in validation.results
    ]
    yield from table_pages("Reasons and measures", "", REASONS, reasons)
    yield from table_pages("Runs and installation", "", (Column("What", 0.3), Column("Told", 0.7)), _facts(validation))
    yield _signatures(validation)


def matrix(results: Sequence[Result]) -> list[list[str]]:
    """Return the rows of the traceability matrix."""
    return [
        [
            r.requirement.identity,
            r.requirement.what,
            r.requirement.test,
            str(r.requirement.limit),
            told(r.measured),
            str(r.measured.repeats) if r.measured else "",
            _verdict(r),
        ]
        for r in results
    ]


def told(measured: Measured | None) -> str:
    """Return a figure and its interval as text."""
    if measured is None:
        return "none"
    if math.isinf(measured.value):
        return "nothing left to measure"
    if measured.low == measured.high == measured.value:
        return f"{measured.value:.3g}"
    return f"{measured.value:.3g} [{measured.low:.3g}, {measured.high:.3g}]"


def told_by(result: Result) -> str:
    """Return the first line of what the measuring function says of itself."""
    function: Any = getattr(result.requirement.measure, "func", result.requirement.measure)
    return str(function.__doc__).partition("\n")[0]


def _verdict(result: Result) -> str:
    if result.measured is None:
        return f"{result.verdict}, {result.reason}"
    return f"{result.verdict}, {'surely' if result.sure else 'interval reaches the limit'}"


def _cover(validation: Validation) -> Figure:
    installed, results = validation.evidence.installation, validation.results
    counts = {verdict: sum(r.verdict == verdict for r in results) for verdict in ("pass", "fail", "not measured")}
    figure = page("Validation of the single-study denoiser", f"version {installed.version}, {validation.when}")
    colour = "#a00000" if validation.verdict == "FAILED" else "#006000"
    figure.text(LEFT, TOP - 0.03, validation.verdict, fontsize=26, weight="bold", color=colour)
    texts = [
        f"{counts['pass']} requirements passed, {counts['fail']} failed, {counts['not measured']} not measured.",
        f"Kind of run: {validation.kind}; {validation.seconds / 60:.0f} minutes.",
        f"Strength lowered by the gate: {_lowered(validation) or 'in no case'}.",
        READING,
        SCOPE,
        "Failed:" if counts["fail"] else "",
    ]
    top = paragraphs(figure, TOP - 0.1, texts)
    for number, result in enumerate(failed(results)):
        column, line = divmod(number, max(1, int((top - BOTTOM) / LINE)))
        text = f"{result.requirement.identity}  {result.requirement.what}: {told(result.measured)}"
        figure.text(LEFT + 0.45 * column, top - line * LINE, text[:78], fontsize=8)
    return figure


def _lowered(validation: Validation) -> str:
    """The cases that were handed out at less than the strength asked for."""
    asked = max(validation.settings["run"]["strength"])
    found = (
        (o.case.name, o.row["written"][0]["strength"]) for o in validation.evidence.outcomes if o.row.get("written")
    )
    return "; ".join(f"{name}: {strength:g} %" for name, strength in found if strength < asked)


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


def _signatures(validation: Validation) -> Figure:
    figure = page("Signatures", f"validation of {validation.when}, {validation.verdict}")
    paragraphs(figure, TOP, [f"The software with the files of SHA-256 {validation.evidence.installation.whole}."])
    for number, signer in enumerate(SIGNERS):
        top = 0.68 - 0.2 * number
        figure.text(LEFT, top, signer, fontsize=11, weight="bold")
        for place, name in ((0.05, "name"), (0.4, "date"), (0.6, "signature")):
            figure.text(place, top - 0.09, "." * (70 if name == "name" else 35), fontsize=9)
            figure.text(place, top - 0.115, name, fontsize=8, color="#444444")
    return figure
