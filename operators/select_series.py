"""In, on ``series``: ``FoundSeries``. Out: ``SelectedSeries`` on ``selected``, or a ``LedgerEntry`` on ``refused``.

The run's time is divided among the series that pass, by what they need. The parts follow from the headers alone, so
that the same study gets the same plan on every run.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.boundary import within_boundary
from operators.dicom.errors import Refusal
from operators.messages import FoundSeries, LedgerEntry, SelectedSeries
from operators.selection import SelectionSettings
from operators.series_costs import Pricing
from operators.sources.source import Source
from operators.time_budget import RunTime, SeriesTime, timetable

FIXED_BYTES = 0.8e9  # of the process before it holds a volume: libraries, network, a fit's batches
BYTES_PER_VOXEL = {"volume": 26}  # at the peak, by method; measured on 512 x 512 x 300; a clip is small


class TooLittleMemoryError(Refusal):
    """The host would kill the run in the middle of this series."""

    reason_code = "too-little-memory"

    def __init__(self, needed: float, granted: float) -> None:
        super().__init__(
            f"it needs about {needed / 1e9:.1f} GB of memory and the host grants {granted / 1e9:.1f} GB; "
            "raise the limit"
        )


@dataclass(frozen=True)
class Demands:
    """What a series must meet: the site's rules, and bytes of memory that the host grants."""

    rules: SelectionSettings
    memory: float = math.inf


def check(source: Source, demands: Demands) -> None:
    """Let the series pass.

    Raises:
        Refusal: it must not be denoised as a whole, the site does not want it, or memory is too small for it.
    """
    source.check()
    demands.rules.check(source.modality, source.headers)
    needed = FIXED_BYTES + BYTES_PER_VOXEL.get(source.method, 0) * source.voxel_count
    if needed > demands.memory:
        raise TooLittleMemoryError(needed, demands.memory)


def passes(source: Source, demands: Demands) -> bool:
    """Return whether ``check`` lets it pass, and it has an image that can be denoised."""
    try:
        check(source, demands)
        return bool(source.method and source.sizes())
    except Refusal:
        return False


def divide(study: Iterable[Source], demands: Demands, run: RunTime, pricing: Pricing) -> Mapping[Source, SeriesTime]:
    """Return the part of the run's time of each series that passes, in the order of the study."""
    served = [source for source in study if passes(source, demands)]
    starting = pricing.starting(sum(source.voxel_count for source in served))
    return dict(zip(served, timetable(run, starting, [pricing.need(source) for source in served]), strict=True))


class SelectSeriesOperator(Operator):  # type: ignore[misc]
    """Passes on the series to be denoised."""

    def __init__(
        self, fragment: Any, *args: Any, demands: Demands, run: RunTime, pricing: Pricing, **kwargs: Any
    ) -> None:
        self._demands, self._run, self._pricing = demands, run, pricing
        self._times: Mapping[Source, SeriesTime] | None = None  # once the study is known
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One input, two outputs."""
        spec.input("series")
        spec.output("selected")
        spec.output("refused")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Emit on one of the two."""
        found: FoundSeries = op_input.receive("series")
        outcome = within_boundary(found.source, lambda: self._select(found))
        op_output.emit(outcome, "refused" if isinstance(outcome, LedgerEntry) else "selected")

    def _select(self, found: FoundSeries) -> SelectedSeries:
        if self._times is None:
            self._times = divide(found.study, self._demands, self._run, self._pricing)
        check(found.source, self._demands)
        found.source.sizes()  # raises the refusal of a series without any image to denoise
        return SelectedSeries(found.source, self._times[found.source])
