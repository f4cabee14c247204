"""In, on ``selected``: ``SelectedSeries``.

Out: the same on the port of its method, or a ``LedgerEntry`` on ``refused``.
"""

from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.boundary import within_boundary
from operators.dicom.errors import Refusal
from operators.messages import LedgerEntry, SelectedSeries
from operators.sources.source import METHOD_OF_MODALITY

REFUSED = "refused"


class NoMethodError(Refusal):
    """No method here denoises this modality."""

    def __init__(self, modality: str) -> None:
        super().__init__(f"modality {modality!r} has no method here; {', '.join(METHOD_OF_MODALITY)} are denoised")


def port_of(selected: SelectedSeries) -> str:
    """Return the output port of a series.

    Raises:
        NoMethodError: no method is for it.
    """
    if not selected.source.method:
        raise NoMethodError(selected.source.modality)
    return selected.source.method


class RouteModalityOperator(Operator):  # type: ignore[misc]
    """The one fork of the graph."""

    def setup(self, spec: OperatorSpec) -> None:
        """One input, one output for each method and one for what has none."""
        spec.input("selected")
        for port in (*dict.fromkeys(METHOD_OF_MODALITY.values()), REFUSED):
            spec.output(port)

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Emit on one port."""
        selected: SelectedSeries = op_input.receive("selected")
        outcome = within_boundary(selected.source, lambda: port_of(selected))
        if isinstance(outcome, LedgerEntry):
            op_output.emit(outcome, REFUSED)
        else:
            op_output.emit(selected, outcome)
