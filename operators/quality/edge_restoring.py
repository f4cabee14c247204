"""Restore edges where they grew wider than is allowed, or show in what was removed; nothing else is touched."""

import numpy as np
import numpy.typing as npt
import torch
from scipy import ndimage
from torch import Tensor
from torch.nn import functional

from models.filters import gaussian
from models.side_by_side import each, in_batches, on_device
from operators.quality import edges
from operators.quality.bias import Mask, Real
from operators.quality.blending import Blend
from operators.quality.gate_settings import GateSettings
from operators.quality.noise import gradient_noise, sampled

REGION = (3, 4, 4)  # sampled slices, and tiles a side, whose edges are judged together: one tile has few
FEWEST = 15  # tiles' worth of edges in a region
SURE = 4.0  # standard errors that a region's growth must stand out by: there are hundreds
MARGIN = 1.3  # times the fraction that linear arithmetic asks for
MOST = 0.95  # of the original, at edges
SOFT = 1.5  # pixels, sd by which the border of what is restored is smoothed


def restore_edges(blend: Blend, inside: Mask, tissue: Mask, settings: GateSettings, device: torch.device) -> bool:
    """Blend the original in at the edges of regions that surely fail, or of the whole where that fails.

    Args:
        blend: of the output.
        inside: where edges count, the same shape.
        tissue: where the noise is read, the same shape.
        settings: of the gate.
        device: on which edges are measured.

    Returns:
        Whether any was.
    """
    chosen = sampled(len(inside))
    before, after = blend.before[chosen], blend.images[chosen]
    noise = gradient_noise(before, after, tissue[chosen], device)
    if not noise.any():
        return False
    sums = in_batches(edges.edge_sums, before, after, inside[chosen], noise, device=device).astype(np.float64)
    found = edges.findings_of(sums)
    visible = np.maximum(
        _regions(sums[:, edges.VISIBLE], settings.edge_percent), needed(found.sure_growth, settings.edge_percent)
    )
    faint = needed(found.sure_structure, settings.structure)

    def restore_slice(index: int) -> None:
        near = int(np.argmin(np.abs(chosen - index)))
        if visible[near].any() or faint:
            images, inside_, noise_ = (
                on_device(one, device) for one in (blend.images[index], inside[index], noise[near])
            )
            fraction = _fraction(images, inside_, noise_, (visible[near], faint))
            blend.restore(index, fraction.cpu().numpy())

    if failed := bool(visible.any() or faint):
        each(restore_slice, range(len(inside)), device=device)
    return failed


def needed(value: float | None, limit: float) -> float:
    """Return the least fraction of the original that brings a value to its limit; 0 where it keeps it."""
    return 0.0 if value is None or abs(value) <= limit else min(MOST, MARGIN * (1 - limit / abs(value)))


def _regions(sums: Real, limit: float) -> Real:
    """Return the fraction needed around each tile of (slices, rows, columns, sums)."""
    count = np.prod(REGION)
    cross, energy = sums[..., edges.CROSS], sums[..., edges.ENERGY]
    blurred, own = sums[..., edges.BLURRED], sums[..., edges.FILTER]
    around = [
        np.maximum(count * ndimage.uniform_filter(one, REGION, mode="constant"), edges.TINY)
        for one in (cross, energy, blurred, own, cross**2, cross * energy, energy**2)
    ]
    cross, energy, blurred, own, cross2, both, energy2 = around
    ratio = cross / energy
    error = np.sqrt(np.maximum(cross2 - 2 * ratio * both + ratio**2 * energy2, 0)) / energy
    growth = edges.growth_at(np.maximum(ratio - SURE * error, 1), *edges.variance_of(energy, blurred, own))
    enough = (energy**2 > FEWEST * energy2) & (energy > blurred)
    wide = np.where(enough, growth, 0)
    return np.asarray(np.where(wide > limit, np.minimum(MARGIN * (1 - limit / np.maximum(wide, limit)), MOST), 0))


def _fraction(images: Tensor, inside: Tensor, noise: Tensor, asked: tuple[npt.NDArray[np.float64], float]) -> Tensor:
    """Return how much of the original a slice needs at each pixel: ``asked`` of each tile, and of faint edges."""
    visible, faint = asked
    steep = functional.pad(edges.steepness(images, noise)[None], (0, 1, 0, 1), mode="replicate")[0]
    rows, columns = steep.shape
    zoomed = ndimage.zoom(visible.astype(np.float32), edges.TILE, order=1, grid_mode=True, mode="nearest")
    tiles = on_device(np.ascontiguousarray(zoomed[:rows, :columns]), images.device)
    fraction = tiles.where(steep >= edges.WIDTH_SEEN, (steep >= edges.SEEN) * faint) * inside
    return gaussian(fraction, SOFT)
