"""Absolute brightness of a fitted network's output: one gain and one offset for a whole clip, never one per frame."""

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from models.robust import evenly_spaced

FITTED_FRAMES = 8  # of a cine are enough for one gain; the offset takes them all
LOW_PASS_SIGMA = 8.0  # pixels; speckle is gone at this scale, tissue contrast is not

Image = npt.NDArray[np.float32]


def restore_brightness(frames: Image, denoised: Image, tissue: npt.NDArray[np.bool_]) -> Image:
    """Return ``gain * denoised + offset``: least squares between the low-passed tissue of output and input.

    Args:
        frames: (frames, rows, columns) grey before denoising.
        denoised: the same shape, brightness arbitrary.
        tissue: (rows, columns); only these pixels count.
    """
    if not tissue.any():
        return denoised
    chosen = evenly_spaced(len(frames), FITTED_FRAMES)
    target, given = (
        np.concatenate([_low_pass(image, tissue) for image in clip[chosen]]) for clip in (frames, denoised)
    )
    variance = given.var()
    gain = np.mean((given - given.mean()) * (target - target.mean())) / variance if variance > 0.0 else 1.0
    offset = frames[:, tissue].mean(dtype=np.float64) - gain * denoised[:, tissue].mean(dtype=np.float64)
    return np.asarray(gain * denoised + offset, np.float32)


def _low_pass(image: Image, tissue: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Return the tissue pixels of the image, smoothed within the tissue."""
    weight = gaussian_filter(tissue.astype(np.float64), LOW_PASS_SIGMA)
    smooth = gaussian_filter(np.where(tissue, image, 0.0).astype(np.float64), LOW_PASS_SIGMA)
    return np.asarray(smooth[tissue] / weight[tissue], np.float64)
