"""In, on ``series``: ``FoundSeries``. Out: ``SelectedSeries`` on ``selected``, or a ``LedgerEntry`` on ``refused``.

The series that pass share the run's time by their voxels. The shares follow from the headers alone, so that the same
study is planned alike on every run.
"""

from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.boundary import within_boundary
from operators.dicom.errors import Refusal
from operators.messages import FoundSeries, LedgerEntry, SelectedSeries, Source
from operators.nifti import NiftiImage
from operators.selection import SelectionSettings
from operators.time_budget import TimeSlot


def check(source: Source, settings: SelectionSettings) -> None:
    """Let the series pass.

    Raises:
        Refusal: it must not be denoised as a whole, or the site does not want it.
    """
    source.check()
    if not isinstance(source, NiftiImage):
        settings.check(source)


def passes(source: Source, settings: SelectionSettings) -> bool:
    """Whether ``check`` lets it pass."""
    try:
        check(source, settings)
    except Refusal:
        return False
    return True


def select(found: FoundSeries, settings: SelectionSettings, time: TimeSlot) -> SelectedSeries:
    """The series with its share of the time.

    Raises:
        Refusal: see ``check``.
    """
    check(found.source, settings)
    selected = [source for source in found.study if passes(source, settings)]
    share = time.share(selected.index(found.source), [source.voxel_count for source in selected])
    return SelectedSeries(found.source, share)


class SelectSeriesOperator(Operator):  # type: ignore[misc]
    """Passes on the series to be denoised."""

    def __init__(self, fragment: Any, *args: Any, settings: SelectionSettings, time: TimeSlot, **kwargs: Any) -> None:
        self._settings, self._time = settings, time
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One input, two outputs."""
        spec.input("series")
        spec.output("selected")
        spec.output("refused")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Emit on one of the two."""
        found: FoundSeries = op_input.receive("series")
        outcome = within_boundary(found.source, lambda: select(found, self._settings, self._time))
        op_output.emit(outcome, "refused" if isinstance(outcome, LedgerEntry) else "selected")
