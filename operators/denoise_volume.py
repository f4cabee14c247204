"""In, on ``volume``: ``SelectedSeries`` of CT, MR or PET.

Out, on ``outcome``: ``DenoisedSeries``, or a ``LedgerEntry``.
"""

import time
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from monai.deploy.core import Operator, OperatorSpec

from models.compute import Compute
from models.fitting import FitContext
from models.volume.ns_n2n import MINIMUM_SLICES, denoise_volume
from models.volume.ns_n2n_settings import NSN2NSettings
from operators.boundary import within_boundary
from operators.dicom.geometry import volumes_in
from operators.dicom.pixels import Volume, read_volume
from operators.messages import DenoisedSeries, SelectedSeries, Source, denoised_series, label_of
from operators.sources.nifti import NiftiImage, read_volumes


@dataclass(frozen=True)
class FoundVolumes:
    """The volumes of a series, each with what it is known by, one in memory at a time."""

    count: int
    volumes: Iterator[tuple[Hashable, Volume]]
    left_out: Mapping[str, int]  # images by the reason


def volumes_of(source: Source) -> FoundVolumes:
    """What a series holds for the method."""
    if isinstance(source, NiftiImage):
        return FoundVolumes(source.volume_count, read_volumes(source), {})
    found = volumes_in(source, MINIMUM_SLICES)
    volumes = ((stack, read_volume(stack)) for stack in found.stacks)
    return FoundVolumes(len(found.stacks), volumes, {**source.left_out, **found.left_out})


def denoise(selected: SelectedSeries, settings: NSN2NSettings, compute: Compute, seed: int) -> DenoisedSeries:
    """Every volume of the series, each fitted on itself alone."""
    started, source = time.monotonic(), selected.source
    found = volumes_of(source)
    results = {}
    for index, (key, volume) in enumerate(found.volumes):
        time_slot = selected.time.share(index, [0] * found.count)
        results[key] = denoise_volume(
            volume.voxels,
            volume.valid,
            spacing=volume.spacing,
            modality=source.modality,
            settings=settings,
            context=FitContext(compute, seed, time_slot.planned, time_slot.deadline(), label_of(source)),
        )
    return denoised_series(source, results, found.left_out, settings, started)


class DenoiseVolumeOperator(Operator):  # type: ignore[misc]
    """NS-N2N on one series."""

    def __init__(
        self, fragment: Any, *args: Any, settings: NSN2NSettings, compute: Compute, seed: int, **kwargs: Any
    ) -> None:
        self._settings, self._compute, self._seed = settings, compute, seed
        super().__init__(fragment, *args, **kwargs)

    def setup(self, spec: OperatorSpec) -> None:
        """One input, one output."""
        spec.input("volume")
        spec.output("outcome")

    def compute(self, op_input: Any, op_output: Any, context: Any) -> None:
        """Emit what came of the series."""
        selected: SelectedSeries = op_input.receive("volume")
        outcome = within_boundary(selected.source, lambda: denoise(selected, self._settings, self._compute, self._seed))
        op_output.emit(outcome, "outcome")
