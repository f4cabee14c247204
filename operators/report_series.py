"""In, one port per branch: ``CheckedSeries`` or ``LedgerEntry``.

Out, on the port of the same name: ``ReportedSeries``, or a ``LedgerEntry``; entries pass as they are.
Each derived series is planned here, since its report names it, and its series number is reserved in the ledger.
"""

from dataclasses import dataclass
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.branches import add_branches, pass_on
from operators.derived_plans import plan_series
from operators.dicom.provenance import DerivedSettings
from operators.ledger import Ledger
from operators.messages import CheckedSeries, ReportedSeries
from operators.report.rendering import report_of


@dataclass(frozen=True)
class Reporting:
    """How derived series are named and reported."""

    version: str  # of this application
    naming: DerivedSettings
    wanted: bool = True  # a report for people, beside each derived series


def report(checked: CheckedSeries, reporting: Reporting, ledger: Ledger) -> ReportedSeries:
    """Return the series with its plans and, where they are wanted, a report for each."""
    study_uid = checked.source.study_uid
    plans = plan_series(checked, reporting.version, reporting.naming, ledger.used_numbers(study_uid))
    ledger.reserve(study_uid, (plan.series_number for plan in plans if plan.series_number))
    reports = tuple(report_of(checked, plan) for plan in plans) if reporting.wanted else ()
    return ReportedSeries(checked, plans, reports)


class ReportSeriesOperator(Operator):  # type: ignore[misc]
    """Measures and draws what people read beside the images."""

    def __init__(self, fragment: Any, *args: Any, reporting: Reporting, ledger: Ledger, **kwargs: Any) -> None:
        self._reporting, self._ledger = reporting, ledger
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """An input and an output for each branch."""
        add_branches(spec)

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Pass on what came of each branch."""
        pass_on(op_input, op_output, lambda checked: report(checked, self._reporting, self._ledger))
