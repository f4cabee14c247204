"""The initial estimate of a volume, from which its network starts.

Blocks are shrunk by the measured noise; the result is refined by averaging similar patches.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from models.compute import one_thread_each
from models.fitting import FitContext
from models.volume.initial.block_shrinkage import shrink
from models.volume.initial.nonlocal_bayes import refine
from models.volume.initial.similar_patches import Search
from models.volume.measured_volume import MeasuredVolume
from models.volume.slice_plan import unit_of

LOG = logging.getLogger(__name__)


def initial_estimate(volume: MeasuredVolume, passes: tuple[Search, ...], context: FitContext) -> tuple[Tensor, int]:
    """Return the estimated slices, (slices, rows, columns), in the network's units, and the passes that were begun.

    Args:
        volume: as measured.
        passes: of refinement.
        context: of the fit; no pass begins for which it has no time.
    """

    def scaled_slices() -> Iterator[tuple[Tensor, Tensor]]:
        for index, slice_ in enumerate(volume.voxels):
            yield volume.scaling.scaled(slice_)[0], volume.relative_noise(index)[0]

    images = torch.empty_like(volume.voxels[:, 0])
    with one_thread_each(volume.voxels.device) as pool:
        with context.stage("transform", images.numel()):
            for index, estimate in enumerate(shrink(scaled_slices(), volume.noise.coefficient_sd, pool)):
                images[index] = estimate
        for number, search in enumerate(passes, start=1):
            unit = unit_of(search)
            if not context.has_time_for(context.costs[unit].of(volume.tissue_voxels)):
                LOG.warning("%s: %d of %d passes, for lack of time", context.label, number - 1, len(passes))
                return images, number - 1
            label = f"{context.label}: estimate {number} of {len(passes)}"
            with context.stage(unit, volume.tissue_voxels):
                refine(images, volume, search, pool, replace(context, label=label))
    return images, len(passes)
