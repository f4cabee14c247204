"""The noise of an MR series, from several witnesses, on the grid that was acquired.

Slices of MR are often thick and far apart, so that differences of slices hold more anatomy than noise. The finest
detail of homogeneous tissue and the air around the body show the noise of each slice alone.
"""

import math
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from models.volume.dct import block_slices
from models.volume.noise.air import Air
from models.volume.noise.detail import FEW_FRACTION, detail_of, difference_detail, finest, homogeneous_sd
from models.volume.noise.noise_level import MAP_STEP, SliceNoise
from models.volume.noise.noise_spectrum import block_sd
from models.volume.noise.roll_off import in_slice_shape
from models.volume.noise.slice_correlation import independent_gap, settled, slice_correlations
from models.volume.noise.smooth_relative_noise import smooth_relative_noise
from models.volume.noise.witnesses import Witness, agree
from models.volume.tissue import Tissue

AIR, DETAIL = 0.03, 0.06  # relative uncertainty of the witnesses, against phantoms whose noise is known
WITH_AIR, NO_AIR, FILTERED = 0.03, 0.15, 0.25  # the same of what all have in common: anatomy and an uneven level, less
# where air agrees, more where a filter has weakened the noise of the finest detail
WHITE = 1e-3  # of the sd of coefficients: rounding


def measure_mr_noise(volume: Tensor, tissue: Tissue, air: Air | None) -> SliceNoise:
    """Measure the noise of ``volume``, (slices, 1, rows, columns) in real units, on the acquired grid.

    Args:
        air: read on the grid as recorded, since cutting k-space changes the law of a magnitude.
    """
    slices, _, rows, columns = volume.shape
    correlations = slice_correlations(volume, tissue)
    detail = detail_of(volume, tissue.threshold)
    sd = homogeneous_sd(detail)
    size = (-(-rows // MAP_STEP), -(-columns // MAP_STEP))
    level = smooth_relative_noise(detail, sd, air, finest(sd) / finest(in_slice_shape(sd)), size)
    at_blocks = functional.interpolate(level[None, None], detail.tissue.shape[1:], mode="bilinear")[0, 0]
    even = detail.over(at_blocks)
    air_sd = None if air is None else _air_over(air, level)
    shape = in_slice_shape(homogeneous_sd(even), air_sd)
    witnesses = [Witness("finest detail", finest(homogeneous_sd(even, FEW_FRACTION)) / finest(shape), DETAIL)]
    if block_slices(slices) > 1:
        differences = difference_detail(volume, tissue.threshold, settled(correlations)[0]).over(at_blocks)
        least = finest(homogeneous_sd(differences, FEW_FRACTION))
        witnesses.append(Witness("differences of slices", least / finest(shape), DETAIL))
    if air is not None and air_sd is not None:
        witnesses.append(Witness(f"air of {air.coils} channel(s)", air_sd, AIR))
    agreement = agree(witnesses)
    air_agrees = air_sd is not None and witnesses[-1] in agreement.agreeing
    without_air = NO_AIR if float((shape - 1).abs().max()) < WHITE else FILTERED
    common = WITH_AIR if air_agrees else without_air
    agreement = replace(agreement, uncertainty=math.hypot(agreement.uncertainty, common))
    coefficient_sd = block_sd(shape, settled(correlations), block_slices(slices))
    coefficient_sd = coefficient_sd / coefficient_sd.square().mean().sqrt()
    everywhere = level.expand(slices, 1, *size).contiguous()
    return SliceNoise(independent_gap(correlations), correlations, agreement.sd, everywhere, coefficient_sd, agreement)


def _air_over(air: Air, level: Tensor) -> float:
    """Return the sd of the noise of the air where the level is 1."""
    power, count = torch.from_numpy(air.power), torch.from_numpy(air.count)
    there = functional.interpolate(level[None, None].cpu().double(), power.shape, mode="bilinear")[0, 0]
    return float(((count * power / there.square()).sum() / count.sum()).sqrt())
