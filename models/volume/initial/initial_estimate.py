"""The initial estimate of a volume, from which its network starts.

Blocks are shrunk by the measured noise; the result is refined by averaging similar patches.
"""

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


def initial_estimate(volume: MeasuredVolume, passes: tuple[Search, ...], context: FitContext) -> Tensor:
    """Return the estimated slices, (slices, rows, columns), in the network's units.

    Args:
        volume: as measured.
        passes: of refinement.
        context: of the fit; after its deadline no pass begins.
    """

    def scaled_slices() -> Iterator[tuple[Tensor, Tensor]]:
        for index, slice_ in enumerate(volume.voxels):
            yield volume.scaling.scaled(slice_)[0], volume.relative_noise(index)[0]

    images = torch.empty_like(volume.voxels[:, 0])
    with one_thread_each(volume.voxels.device) as pool:
        for index, estimate in enumerate(shrink(scaled_slices(), volume.noise.coefficient_sd, pool)):
            images[index] = estimate
        for number, search in enumerate(passes, start=1):
            label = f"{context.label}: estimate {number} of {len(passes)}"
            refine(images, volume, search, pool, replace(context, label=label))
    return images
