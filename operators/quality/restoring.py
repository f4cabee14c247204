"""Give back the original where an output fails, smoothly, with the least fraction that passes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from models.filters import gaussian
from models.side_by_side import each, on_device
from operators.quality.assessment import LevelBias
from operators.quality.bias import Images, Mask, level_biases, square_means, sure
from operators.quality.blending import Blend, RestoredMap, blend_of
from operators.quality.edge_restoring import needed, restore_edges
from operators.quality.gate_settings import GateSettings
from operators.quality.intensity_checks import limit_of, relative
from operators.quality.noise import noise_levels, sampled
from operators.quality.small_structures import restore_small_structures
from operators.quality.volume_pair import VolumePair, around_tissue

ROUNDS = 3  # of measuring and restoring: the first asks for what linear arithmetic says
LEVEL_SMOOTH = 4.0  # pixels, sd of the smoothing by which a voxel's own intensity is known
MOST_TISSUE = 50.0  # percent; where more would be restored, the strength of all is lowered instead


@dataclass(frozen=True, eq=False)
class Restored:
    """An output with the original restored where it failed.

    Attributes:
        images: (slices, rows, columns), real units.
        coarse: where and how much, ``operators.quality.blending``; None where nothing was restored.
        percent: of the tissue's voxels, those with a tenth of the original or more.
        by_check: the same for each check that asked for it.
        locations: small ones, where something was erased or invented.
    """

    images: Images
    coarse: RestoredMap | None
    percent: float
    by_check: Mapping[str, float]
    locations: int


def restore(pair: VolumePair, settings: GateSettings) -> Restored:
    """Give the output of ``pair``, in place, the original where edges, intensities or details fail."""
    tissue = pair.tissue
    blend = blend_of(pair.before, pair.after)
    by_check: dict[str, float] = {}
    inside = around_tissue(tissue, pair.valid, pair.device)
    steps: dict[str, Callable[[], int]] = {  # small structures last: they are judged by what is changed around them
        "level_bias": lambda: _repeated(lambda: _restore_levels(blend, pair, tissue, settings)),
        "edge_width": lambda: _repeated(lambda: restore_edges(blend, inside, tissue, settings, pair.device)),
        "local_change": lambda: _restore_details(blend, pair, tissue, settings),
    }
    locations, known = 0, 0.0
    for name, step in steps.items():
        locations = step()
        percent = blend.percent(tissue)
        if percent > known:
            by_check[name] = percent - known
        known = percent
    if not blend.replaced or known > MOST_TISSUE:
        blend.undo()
        return Restored(pair.after, None, 0.0, {}, 0)
    return Restored(blend.images, blend.coarse(), known, by_check, locations)


def _restore_details(blend: Blend, pair: VolumePair, tissue: Mask, settings: GateSettings) -> int:
    noise_sd, _ = noise_levels(pair.before, pair.after, tissue)
    if not noise_sd:
        return 0
    return restore_small_structures(blend, pair, noise_sd, settings.local_sd)


def _repeated(step: Callable[[], bool]) -> int:
    """Repeat a step while it restores something."""
    for _ in range(ROUNDS):
        if not step():
            break
    return 0


def _restore_levels(blend: Blend, pair: VolumePair, tissue: Mask, settings: GateSettings) -> bool:
    """Blend the original in where tissue has an intensity whose mean was moved; return whether any was."""
    chosen = sampled(len(tissue))
    before, images = pair.before[chosen], blend.images[chosen]
    level, change = square_means(before, images, images, tissue[chosen])
    mean = float(pair.before.mean(where=tissue, dtype=np.float64)) if tissue.any() else 0.0

    def fraction(bias: LevelBias, error: float) -> float:
        return needed(
            relative(sure(bias.bias, error), bias.level, mean, pair.modality), limit_of(settings, pair.modality)
        )

    found = [(bias.level, fraction(bias, error)) for bias, error in level_biases(level, change)]
    if not any(asked for _, asked in found):
        return False
    levels, fractions = zip(*found, strict=True)

    def restore_slice(index: int) -> None:
        images, inside = on_device(blend.images[index], pair.device), on_device(tissue[index], pair.device)
        own = gaussian(images, LEVEL_SMOOTH).cpu().numpy()
        there = gaussian(inside.to(images.dtype), 1.0).cpu().numpy()
        blend.restore(index, np.asarray(np.interp(own, levels, fractions) * there, np.float32))

    each(restore_slice, range(len(tissue)), device=pair.device)
    return True


def clip(images: Images, pair: VolumePair) -> None:
    """Keep an output, in place, within what can be measured: no CT below the least before, no negative signal.

    Where the original itself is negative, as in PET with scatter subtracted, its least value bounds the output.
    """
    lowest = float(pair.before.min(where=pair.valid, initial=np.inf))
    lowest = lowest if pair.modality == "CT" else min(0.0, lowest)
    np.maximum(images, np.float32(lowest), out=images, where=pair.valid)
