"""In: the input path. Out, on ``series``: one ``FoundSeries`` per tick, until none is left."""

from collections import deque
from pathlib import Path
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.dicom.reading_limits import ReadingLimits
from operators.ledger import Ledger
from operators.messages import FoundSeries
from operators.sources.finding import find_sources
from operators.sources.nifti_settings import NiftiSettings
from operators.sources.source import Source


class LoadStudyOperator(Operator):  # type: ignore[misc]
    """Finds every series and enters it in the ledger."""

    def __init__(
        self,
        fragment: Any,
        *args: Any,
        path: Path,
        ledger: Ledger,
        limits: ReadingLimits,
        nifti: NiftiSettings,
        smallest_first: bool = True,
        **kwargs: Any,
    ) -> None:
        self._path, self._ledger, self._limits, self._nifti = path, ledger, limits, nifti
        self._smallest_first = smallest_first
        self._study: tuple[Source, ...] | None = None
        self._waiting: deque[Source] = deque()
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One output."""
        spec.output("series")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Emit the next series; stop after the last, or the graph would never end."""
        if self._study is None:
            found, unread = find_sources(self._path, self._limits, self._nifti)
            self._ledger.found(found, unread)
            self._study = tuple(sorted(found, key=lambda source: source.voxel_count) if self._smallest_first else found)
            self._waiting.extend(self._study)
        if self._waiting:
            op_output.emit(FoundSeries(self._waiting.popleft(), self._study), "series")
        if not self._waiting:
            self.stop_execution()
