"""In, on ``ultrasound``: ``SelectedSeries`` of stills or cines.

Out, on ``outcome``: ``DenoisedSeries``, or a ``LedgerEntry``.
"""

import time
from collections import Counter
from typing import Any, cast

from monai.deploy.core import Operator, OperatorSpec

from models.compute import Compute
from models.fitting import Denoised, FitContext
from models.ultrasound.speckle2self import denoise_clip
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from operators.boundary import within_boundary
from operators.dicom.cine import read_clip
from operators.dicom.errors import Refusal
from operators.dicom.reading import Instance, Series
from operators.messages import DenoisedSeries, SelectedSeries, denoised_series, label_of


def denoise(selected: SelectedSeries, settings: Speckle2SelfSettings, compute: Compute, seed: int) -> DenoisedSeries:
    """Every clip of the series that can be denoised; the others are left out, with the reason.

    Raises:
        Refusal: none can.
    """
    started, source = time.monotonic(), cast(Series, selected.source)
    results: dict[Instance, Denoised] = {}
    refusal: Refusal | None = None
    left_out = Counter(source.left_out)
    voxels = [instance.voxel_count for instance in source.instances]
    for index, instance in enumerate(source.instances):
        try:
            clip = read_clip(instance)
        except Refusal as reason:
            refusal = refusal or reason
            left_out[str(reason)] += 1
        else:
            time_slot = selected.time.share(index, voxels)
            context = FitContext(compute, seed, time_slot.planned, time_slot.deadline(), label_of(source))
            results[instance] = denoise_clip(
                clip.frames, clip.tissue, maximum=clip.maximum, settings=settings, context=context
            )
    if refusal and not results:
        raise refusal
    return denoised_series(source, results, left_out, settings, started)


class DenoiseUltrasoundOperator(Operator):  # type: ignore[misc]
    """Speckle2Self on one series."""

    def __init__(
        self, fragment: Any, *args: Any, settings: Speckle2SelfSettings, compute: Compute, seed: int, **kwargs: Any
    ) -> None:
        self._settings, self._compute, self._seed = settings, compute, seed
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One input, one output."""
        spec.input("ultrasound")
        spec.output("outcome")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Emit what came of the series."""
        selected: SelectedSeries = op_input.receive("ultrasound")
        outcome = within_boundary(selected.source, lambda: denoise(selected, self._settings, self._compute, self._seed))
        op_output.emit(outcome, "outcome")
