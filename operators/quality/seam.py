"""The step along the border of what was changed: a border must not show that was not there before."""

import numpy as np

from operators.quality.bias import Images, Mask


def border_step(before: Images, after: Images, tissue: Mask) -> float:
    """Return the mean step across the border of the tissue after, over that before; 1 where nothing can be measured.

    Args:
        before: (frames, rows, columns), stored grey.
        after: the same shape and unit.
        tissue: (rows, columns), the pixels that may change.
    """
    steps = _mean_step(before, tissue)
    return _mean_step(after, tissue) / steps if steps > 0 else 1.0


def _mean_step(images: Images, tissue: Mask) -> float:
    """Return the mean absolute difference between neighbours of which one is tissue."""
    steps = [
        np.abs(np.diff(images, axis=axis + 1))[:, np.diff(tissue, axis=axis)].ravel().astype(np.float64)
        for axis in (0, 1)
    ]
    return float(np.concatenate(steps).mean()) if any(step.size for step in steps) else 0.0
