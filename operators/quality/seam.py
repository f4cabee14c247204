"""The step along the border of what was changed: a border must not show that was not there before."""

import numpy as np

from operators.quality.bias import Images, Mask

VISIBLE = 1 / 255  # of full scale: a mean step below one grey of a display is not seen


def border_step(before: Images, after: Images, tissue: Mask, maximum: float) -> float:
    """Return by how much the mean step across the border of the tissue grew, as a ratio: 1 where it is as before.

    Args:
        before: (frames, rows, columns), stored grey.
        after: the same shape and unit.
        tissue: (rows, columns), the pixels that may change.
        maximum: the largest storable grey.
    """
    old, new = (_mean_step(images, tissue) for images in (before, after))
    return 1 + (new - old) / max(old, VISIBLE * maximum)


def _mean_step(images: Images, tissue: Mask) -> float:
    """Return the mean absolute difference between neighbours of which one is tissue, 0 where there are none."""
    steps = [np.abs(np.diff(images, axis=axis + 1))[:, np.diff(tissue, axis=axis)].ravel() for axis in (0, 1)]
    across = np.concatenate(steps)
    return float(across.mean(dtype=np.float64)) if across.size else 0.0
