"""In, on ``ultrasound``: ``SelectedSeries`` of stills or cines.

Out, on ``outcome``: ``DenoisedSeries``, or a ``LedgerEntry``.
"""

from functools import partial
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from models.compute import Compute
from models.fitting import Denoised
from models.ultrasound.speckle2self import denoise_clip
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from operators.boundary import within_boundary
from operators.fit_series import fit_series
from operators.image_checks import clip_with_original
from operators.messages import DenoisedSeries, SelectedSeries, label_of
from operators.quality.gate_settings import GateSettings
from operators.sources.image import Image
from operators.time_budget import TimeSlot


def denoise(
    selected: SelectedSeries, settings: Speckle2SelfSettings, gate: GateSettings, compute: Compute, seed: int
) -> DenoisedSeries:
    """Fit Speckle2Self on each clip of the series, and restore the original where a line or a spot was lost or made."""

    def fit_clip(image: Image, slot: TimeSlot) -> Denoised:
        context = slot.context(compute, seed, label_of(selected.source), selected.source.modality)
        fitted = denoise_clip(image.values, image.valid, maximum=image.maximum, settings=settings, context=context)
        return clip_with_original(image, fitted, gate)

    return fit_series(selected, settings, fit_clip)


class DenoiseUltrasoundOperator(Operator):  # type: ignore[misc]
    """Speckle2Self on one series."""

    def __init__(
        self,
        fragment: Any,
        *args: Any,
        settings: Speckle2SelfSettings,
        gate: GateSettings,
        compute: Compute,
        seed: int,
        **kwargs: Any,
    ) -> None:
        self._denoise = partial(denoise, settings=settings, gate=gate, compute=compute, seed=seed)
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One input, one output."""
        spec.input("ultrasound")
        spec.output("outcome")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Emit what came of the series."""
        selected: SelectedSeries = op_input.receive("ultrasound")
        outcome = within_boundary(selected.source, lambda: self._denoise(selected))
        op_output.emit(outcome, "outcome")
