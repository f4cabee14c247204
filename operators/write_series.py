"""In, one port per branch: ``ReportedSeries`` or ``LedgerEntry``.

Out: files in the output folder, entries in the ledger.
The branches meet here by ports of their own; with one port for all, Holoscan loses series without an error.
"""

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.boundary import within_boundary
from operators.image_checks import images_at
from operators.ledger import Ledger
from operators.messages import LedgerEntry, ReportedSeries, entry_of, label_of
from operators.output_folder import OutputFolder
from operators.residual_series import write_parts
from operators.sources.derived_series import SeriesPlan, WrittenSeries

LOG = logging.getLogger(__name__)
PORTS = ("not_selected", "not_routed", "volume", "ultrasound")


def write(reported: ReportedSeries, residual: bool, folder: OutputFolder, used_numbers: frozenset[int]) -> LedgerEntry:
    """Write all derived series of one source with their parts and reports, whole or not at all.

    Args:
        residual: whether what was removed and a map of the noise are written as series of their own.
        used_numbers: the series numbers that are taken in the study, those of the plans too.
    """
    checked = reported.checked
    source, summary = checked.source, checked.denoised.summary
    with folder.staged() as staging:
        written = [source.write(images_at(checked.denoised, plan.strength), plan, staging) for plan in reported.plans]
        for index, plan in enumerate(reported.plans):
            if residual:
                written += write_parts(checked, _clear_of(plan, used_numbers, written), staging)
            if reported.reports:
                written += _write_report(reported, index, _clear_of(plan, used_numbers, written), staging)
    return entry_of(
        source,
        "denoised",
        checked.deviation,
        seconds=time.monotonic() - summary.started,
        settings=summary.settings,
        settings_hash=reported.plans[0].provenance.settings_hash,
        fits=summary.fits,
        written=tuple(written),
        left_out=summary.left_out,
        assessments=tuple(checked.assessments.values()),
    )


def _write_report(reported: ReportedSeries, index: int, plan: SeriesPlan, folder: Path) -> list[WrittenSeries]:
    """Write one report as a page, and file it in the study where that is possible."""
    checked, report = reported.checked, reported.reports[index]
    (folder / f"{plan.stem}.html").write_text(report.html, encoding="utf-8")
    filed = None if report.pdf is None else checked.source.write_pdf(report.pdf, checked.denoised.images, plan, folder)
    return [filed] if filed else []


def _clear_of(plan: SeriesPlan, used_numbers: frozenset[int], written: list[WrittenSeries]) -> SeriesPlan:
    """Return the plan with all series numbers that are taken by now."""
    numbers = used_numbers.union(series.series_number for series in written if series.series_number)
    return replace(plan, used_numbers=numbers)


def line_of(entry: LedgerEntry) -> tuple[int, str]:
    """Return the log level and the line of an outcome."""
    level = logging.ERROR if entry.status == "failed" else logging.INFO
    files = sum(written.files for written in entry.written)
    detail = f"in {entry.seconds:.1f} s, {files} files" if files else entry.reason
    if files and entry.reason:
        detail += f"; {entry.reason}"
    if entry.left_out:
        detail += f"; {sum(entry.left_out.values())} images left out ({'; '.join(entry.left_out)})"
    return level, f"{label_of(entry)}: {entry.status}; {detail}"


class WriteSeriesOperator(Operator):  # type: ignore[misc]
    """The end of every branch."""

    def __init__(
        self, fragment: Any, *args: Any, residual: bool, folder: OutputFolder, ledger: Ledger, **kwargs: Any
    ) -> None:
        self._residual, self._folder, self._ledger = residual, folder, ledger
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One input per branch; any input is reason enough to run."""
        for port in PORTS:
            spec.input(port)
        spec.or_combine_port_conditions(list(PORTS))

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Settle each outcome that has arrived."""
        for port in PORTS:
            outcome: ReportedSeries | LedgerEntry | None = op_input.receive(port)
            if outcome is not None:
                self._settle(outcome)

    def _settle(self, outcome: ReportedSeries | LedgerEntry) -> None:
        if isinstance(outcome, ReportedSeries):
            reported, source = outcome, outcome.checked.source
            numbers = self._ledger.used_numbers(source.study_uid)
            outcome = within_boundary(source, lambda: write(reported, self._residual, self._folder, numbers))
        self._ledger.record(outcome)
        LOG.log(*line_of(outcome))
