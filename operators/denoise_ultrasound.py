"""In, on ``ultrasound``: ``SelectedSeries`` of stills or cines. Out, on ``outcome``: ``DenoisedSeries`` or ``LedgerEntry``."""

import time
from dataclasses import asdict
from typing import Any

from models.speckle2self import Speckle2SelfSettings, denoise_clip
from monai.deploy.core import Operator, OperatorSpec

from models.compute import Compute
from models.fitting import Denoised
from operators.boundary import within_boundary
from operators.dicom.cine import read_clip
from operators.dicom.errors import NoTissueError
from operators.dicom.reading import Instance
from operators.messages import DenoisedSeries, SelectedSeries, label_of


def denoise_instance(
    instance: Instance, selected: SelectedSeries, settings: Speckle2SelfSettings, compute: Compute, seed: int
) -> Denoised:
    """One still or one cine, fitted on itself alone."""
    clip = read_clip(instance)
    return denoise_clip(
        clip.frames,
        clip.tissue,
        maximum=clip.maximum,
        settings=settings,
        compute=compute,
        seed=seed,
        budget=selected.time.share(clip.frames.size, of=[selected.source.voxel_count]).for_fit(),
        label=label_of(selected.source),
    )


def denoise(selected: SelectedSeries, settings: Speckle2SelfSettings, compute: Compute, seed: int) -> DenoisedSeries:
    """Every clip of the series that shows grey tissue.

    Raises:
        NoTissueError: none does.
    """
    started, results = time.monotonic(), {}
    refusal: NoTissueError | None = None
    for instance in selected.source.instances:
        try:
            results[instance] = denoise_instance(instance, selected, settings, compute, seed)
        except NoTissueError as reason:
            refusal = reason
    if refusal and not results:
        raise refusal
    return DenoisedSeries(selected.source, results, asdict(settings), started)


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
