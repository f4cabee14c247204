"""In, on ``volume``: ``SelectedSeries`` of CT, MR or PET.

Out, on ``outcome``: ``DenoisedSeries``, or a ``LedgerEntry``.
"""

from functools import partial
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from models.compute import Compute
from models.fitting import Denoised
from models.volume.ns_n2n import denoise_volume
from models.volume.ns_n2n_settings import NSN2NSettings
from operators.boundary import within_boundary
from operators.fit_series import fit_series
from operators.image_checks import with_original
from operators.messages import DenoisedSeries, SelectedSeries, label_of
from operators.quality.gate_settings import GateSettings
from operators.sources.image import Image
from operators.time_budget import TimeSlot


def denoise(
    selected: SelectedSeries, settings: NSN2NSettings, gate: GateSettings, compute: Compute, seed: int
) -> DenoisedSeries:
    """Fit NS-N2N on each volume of the series, and restore the original where it fails."""
    source = selected.source

    def fit_volume(image: Image, slot: TimeSlot) -> Denoised:
        context = slot.context(compute, seed, label_of(source), source.modality)
        fitted = denoise_volume(image.values, image.valid, spacing=image.spacing, settings=settings, context=context)
        with context.stage("restore volume", image.values.size):
            return with_original(image, fitted, source.modality, gate)

    return fit_series(selected, settings, fit_volume)


class DenoiseVolumeOperator(Operator):  # type: ignore[misc]
    """NS-N2N on one series."""

    def __init__(
        self,
        fragment: Any,
        *args: Any,
        settings: NSN2NSettings,
        gate: GateSettings,
        compute: Compute,
        seed: int,
        **kwargs: Any,
    ) -> None:
        self._denoise = partial(denoise, settings=settings, gate=gate, compute=compute, seed=seed)
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One input, one output."""
        spec.input("volume")
        spec.output("outcome")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Emit what came of the series."""
        selected: SelectedSeries = op_input.receive("volume")
        outcome = within_boundary(selected.source, lambda: self._denoise(selected))
        op_output.emit(outcome, "outcome")
