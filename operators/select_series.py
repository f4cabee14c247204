"""In, on ``series``: ``FoundSeries``. Out: ``SelectedSeries`` on ``selected``, or a ``LedgerEntry`` on ``refused``.

Everything that can refuse a series is asked of all series with the first one. Then the run's time is divided among
those that are served, by what they need. The parts follow from the headers alone, so that the same study gets the same
plan on every run.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.boundary import within_boundary
from operators.dicom.errors import Refusal
from operators.messages import FoundSeries, LedgerEntry, SelectedSeries
from operators.selection import SelectionSettings
from operators.series_costs import Pricing
from operators.sources.source import Source
from operators.time_budget import RunTime, timetable

FIXED_BYTES = 0.8e9  # of the process before it holds a volume: libraries, network, a fit's batches
# At the peak, which is in the checks, by method; measured on 100 and 300 slices of 512 x 512; a clip is small.
BYTES_PER_VOXEL = {"volume": 22}
BYTES_SAMPLED = {"volume": 28}  # more for each voxel up to SAMPLED: of a larger volume the checks sample slices
SAMPLED = 100 * 512**2


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
    if source.refusal is not None:
        raise source.refusal
    demands.rules.check(source.modality, source.headers)
    voxels, method = voxels_of(source), source.method
    needed = FIXED_BYTES + BYTES_PER_VOXEL.get(method, 0) * voxels + BYTES_SAMPLED.get(method, 0) * min(voxels, SAMPLED)
    if needed > demands.memory:
        raise TooLittleMemoryError(needed, demands.memory)


def voxels_of(source: Source) -> int:
    """Return the voxels of all images of a series that is not refused."""
    return sum(map(math.prod, source.sizes().values()))


def select(
    study: Sequence[Source], demands: Demands, run: RunTime, pricing: Pricing
) -> Mapping[Source, SelectedSeries | LedgerEntry]:
    """Examine every series of a study, and divide the time among those that are served."""
    selection: dict[Source, SelectedSeries | LedgerEntry] = {}
    served: list[Source] = []
    for source in study:
        entry = within_boundary(source, partial(check, source, demands))
        if entry is None:
            served.append(source)
        else:
            selection[source] = entry
    starting = pricing.starting(sum(source.voxel_count for source in served))
    times = timetable(run, starting, [pricing.need(source) for source in served])
    return selection | {source: SelectedSeries(source, time) for source, time in zip(served, times, strict=True)}


class SelectSeriesOperator(Operator):  # type: ignore[misc]
    """Passes on the series to be denoised."""

    def __init__(
        self, fragment: Any, *args: Any, demands: Demands, run: RunTime, pricing: Pricing, **kwargs: Any
    ) -> None:
        self._demands, self._run, self._pricing = demands, run, pricing
        self._selection: Mapping[Source, SelectedSeries | LedgerEntry] = {}
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One input, two outputs."""
        spec.input("series")
        spec.output("selected")
        spec.output("refused")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Examine the whole study with its first series, and emit on one of the two."""
        found: FoundSeries = op_input.receive("series")
        self._selection = self._selection or select(found.study, self._demands, self._run, self._pricing)
        outcome = self._selection[found.source]
        op_output.emit(outcome, "refused" if isinstance(outcome, LedgerEntry) else "selected")
