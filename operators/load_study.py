"""In: the input path. Out, on ``series``: one ``FoundSeries`` per tick, until none is left."""

from collections import deque
from pathlib import Path
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from operators.dicom.reading import ReadingLimits, read_study
from operators.dicom.study import Study
from operators.ledger import Ledger
from operators.messages import FoundSeries, Source
from operators.sources.nifti import find_nifti, is_nifti
from operators.sources.nifti_settings import NiftiSettings


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
        **kwargs: Any,
    ) -> None:
        self._path, self._ledger, self._limits, self._nifti = path, ledger, limits, nifti
        self._study: tuple[Source, ...] | None = None
        self._waiting: deque[Source] = deque()
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One output."""
        spec.output("series")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Emit the next series; stop after the last, or the graph would never end."""
        if self._study is None:
            self._study = self._read()
            self._waiting.extend(self._study)
        if self._waiting:
            op_output.emit(FoundSeries(self._waiting.popleft(), self._study), "series")
        if not self._waiting:
            self.stop_execution()

    def _read(self) -> tuple[Source, ...]:
        images, unread = find_nifti(self._path, self._nifti)
        study = Study((), ()) if is_nifti(self._path) else read_study(self._path, self._limits)
        series: tuple[Source, ...] = (*study.series, *images)
        self._ledger.found(series, (*study.unread, *unread))
        return series
