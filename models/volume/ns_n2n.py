"""Denoising of one volume by a network fitted on that volume alone, after NS-N2N (arXiv 2411.10831).

In: the slices of one volume in real units and the mask of what is not padding. Out: the same slices denoised, padding
bit-identical.

Order: fill padding -> measure tissue and noise -> fit the network and apply it (slice_fit.py) -> finish: fuse
neighbouring slices, limit the change, return the low frequencies (default variant) -> remove the Rician bias (MR).
"""

import math
from functools import partial

import numpy as np
import numpy.typing as npt

from models.fitting import Denoised, FitContext
from models.volume.acquired.working_grid import WorkingGrid, acquired_grid
from models.volume.dct import FEWEST_SLICES
from models.volume.finishing.finish import finish
from models.volume.finishing.rician import remove_rician_bias, rician_sd
from models.volume.measured_volume import measure_volume
from models.volume.noise.mr_noise import measure_mr_noise
from models.volume.noise.noise_level import measure_noise
from models.volume.ns_n2n_settings import NSN2NSettings
from models.volume.scaling import noise_units, unit_range
from models.volume.slice_fit import fit_default, fit_published

NETWORK, FILTER = "NS-N2N in three dimensions", "non-local Bayes slice by slice"

Voxels = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]


class TooFewSlicesError(ValueError):
    """The volume has too few slices for a fit on neighbouring ones, without which the published method is nothing."""

    def __init__(self, slices: int) -> None:
        super().__init__(
            f"the volume has {slices} slices and the published NS-N2N needs at least {FEWEST_SLICES} neighbouring "
            "ones; the default variant does without"
        )


def denoise_volume(
    voxels: Voxels,
    valid: Mask,
    *,
    spacing: tuple[float, float, float],
    settings: NSN2NSettings,
    context: FitContext,
) -> Denoised:
    """Remove the noise of one volume; the arguments stay as they are.

    Args:
        voxels: (slices, rows, columns) in real units.
        valid: the same shape, False on padding, which neither trains nor changes.
        spacing: mm between slices, rows and columns.
        settings: variant and steps.
        context: compute, seed, budget, deadline, label and modality of this fit: CT, MR or PT.

    Raises:
        TooFewSlicesError: fewer than `FEWEST_SLICES` slices for the published variant.
    """
    default, device, modality = settings.variant == "default", context.compute.device, context.modality
    if len(voxels) < FEWEST_SLICES and not default:
        raise TooFewSlicesError(len(voxels))
    with context.stage("measure", voxels.size):
        filled = np.ascontiguousarray(_with_padding_filled(voxels, valid))
        grid, noise_of = WorkingGrid(filled, valid, spacing), measure_noise
        if modality == "MR" and default:
            grid = acquired_grid(filled, valid, spacing)
            noise_of = partial(measure_mr_noise, air=grid.air)
        scaling_of = noise_units if default else unit_range
        volume = measure_volume(grid.voxels, grid.valid, modality, scaling_of, device, noise_of)
    in_time = context.before(context.costs["finish"].of(voxels.size))
    with context.seeded():
        fitted = (fit_default if default else fit_published)(volume, settings.steps, in_time)
    images, measures = fitted.images, {**fitted.measures, **grid.measures}
    with context.stage("finish", voxels.size):
        if default:
            measures["unchanged_above_mm"] = finish(images, grid.voxels, volume, grid.spacing, modality)
        measures |= _removed(grid.voxels, images, volume.tissue.threshold)
        images = grid.filled(images, filled)
        one_channel = modality == "MR" and (not default or (grid.air is not None and grid.air.coils == 1))
        if one_channel and settings.remove_rician_bias and (sd := rician_sd(filled, volume.noise.sd)):
            images = remove_rician_bias(images, sd)
            measures["rician_sd"] = sd
    images[~valid] = voxels[~valid]
    method = ", ".join(filter(None, (FILTER if volume.noise.in_slice else NETWORK, grid.name, volume.noise.source)))
    record = context.record(method, settings.variant, fitted.work, measures)
    return Denoised(images, record)


def _with_padding_filled(voxels: Voxels, valid: Mask) -> Voxels:
    """Return ``voxels`` with the lowest valid value on padding, whose own says nothing; a copy only if there is any."""
    if valid.all():
        return voxels
    return np.where(valid, voxels, voxels.min(where=valid, initial=math.inf))


def _removed(voxels: Voxels, images: Voxels, threshold: float) -> dict[str, float]:
    """Return mean and sd of what was removed from tissue, in real units."""
    count, total, square = 0, 0.0, 0.0
    for before, after in zip(voxels, images, strict=True):
        removed = (before - after)[before > threshold]
        count += removed.size
        total += float(removed.sum(dtype=np.float64))
        square += float(np.square(removed, dtype=np.float64).sum())
    mean = total / max(1, count)
    return {"removed_mean": mean, "removed_sd": math.sqrt(max(0.0, square / max(1, count) - mean**2))}
