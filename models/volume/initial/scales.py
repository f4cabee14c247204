"""The initial estimate of slices whose noise is smoother than a block: its low frequencies come from coarser pixels.

    x <- x + up(x' - down(x)),   x' the estimate of means of 2 x 2 pixels

A block of 4 x 4 pixels takes the mean of such noise for structure (Facciolo, Pierazzo and Morel 2017).
"""

from dataclasses import replace

from torch import Tensor
from torch.nn import functional

from models.fitting import FitContext
from models.volume.dct import BLOCK
from models.volume.initial.initial_estimate import initial_estimate
from models.volume.initial.similar_patches import Search
from models.volume.measured_volume import MeasuredVolume
from models.volume.noise.noise_level import MAP_STEP
from models.volume.noise.smoothed_noise import smoothed_sd
from models.volume.scaling import noise_units

FINE = 1.0  # pixels: width of smoothed noise that blocks see well enough
SMALLEST = 4 * BLOCK  # pixels a side that means may have


def estimate_in_scales(
    volume: MeasuredVolume, passes: tuple[Search, ...], context: FitContext, side: int = 1
) -> tuple[Tensor, int]:
    """Return the estimated slices, (slices, rows, columns), in the network's units, and the passes that were begun.

    Args:
        volume: as measured, its pixels the means of ``side`` x ``side`` recorded ones.
        passes: of refinement, at each scale.
        context: of the fit.
    """
    images, begun = initial_estimate(volume, passes, context)
    width = volume.noise.width
    if width is None or width / side <= FINE or min(volume.size) < 2 * SMALLEST:
        return images, begun
    coarse = _halved(volume, width, side)
    estimate = estimate_in_scales(coarse, passes, context, 2 * side)[0][:, None]
    fine = volume.scaling.real(images[:, None])
    missing = coarse.scaling.real(estimate) - functional.avg_pool2d(fine, 2)
    whole = functional.interpolate(missing, scale_factor=2.0, mode="bicubic")
    fine[..., : whole.shape[-2], : whole.shape[-1]] += whole
    return volume.scaling.scaled(fine)[:, 0], begun


def _halved(volume: MeasuredVolume, width: float, side: int) -> MeasuredVolume:
    """Return means of 2 x 2 pixels that are themselves means of ``side`` x ``side`` recorded ones."""
    voxels, noise = functional.avg_pool2d(volume.voxels, 2), volume.noise
    before, sd = (smoothed_sd(width, each).to(voxels.device) for each in (side, 2 * side))
    typical = float(sd.square().mean().sqrt())
    lowered = typical / float(before.square().mean().sqrt())
    size = [-(-length // MAP_STEP) for length in voxels.shape[-2:]]
    relative = functional.interpolate(noise.relative_noise, size, mode="bilinear")
    noise = replace(noise, sd=noise.sd * lowered, coefficient_sd=sd / typical, relative_noise=relative)
    valid = volume.valid[..., 1::2, 1::2]
    return MeasuredVolume(voxels, valid, volume.tissue, noise, noise_units(voxels, noise))
