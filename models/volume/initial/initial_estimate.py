"""The initial estimate of a volume, from which its network starts: made with the noise that was measured on it.

Blocks are shrunk, and what that gives is refined by what is alike in it.
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from torch import Tensor

from models.compute import one_thread_each
from models.fitting import FitContext
from models.volume.initial.nonlocal_bayes import Noisy, patch_noise, refine
from models.volume.initial.similar_patches import Search
from models.volume.initial.transform import shrunk
from models.volume.scaling import Scaling


def initial_estimate(
    volume: Tensor,
    scaling: Scaling,
    spectrum: Tensor,
    threshold: float,
    passes: tuple[Search, ...],
    context: FitContext,
) -> npt.NDArray[np.float32]:
    """The slices of ``volume``, (slices, 1, rows, columns), estimated: (slices, rows, columns), in the network's units.

    Args:
        spectrum: (BLOCK ** 3,) standard deviations of the noise of the coefficients of a block, over the local one.
        threshold: real value above which a voxel is tissue.
        passes: of refining.
        context: of the fit; past its deadline the rest stays as it is.
    """
    size = (volume.shape[-2], volume.shape[-1])

    def with_levels() -> Iterator[tuple[Tensor, Tensor]]:
        for index, slice_ in enumerate(volume):
            yield scaling.scaled(slice_)[0], scaling.level_at(index, 0, 0, size)[0]

    images = np.empty((len(volume), *size), np.float32)
    with one_thread_each(volume.device) as pool:
        for index, estimate in enumerate(shrunk(with_levels(), spectrum, pool)):
            images[index] = estimate.cpu().numpy()
        noisy = Noisy(volume, scaling, patch_noise(spectrum), threshold)
        for number, search in enumerate(passes, start=1):
            label = f"{context.label}: estimate {number} of {len(passes)}"
            refine(images, noisy, search, pool, replace(context, label=label))
    return images
