"""Small structures of one slice put into real series: what is left of each in what is delivered at full strength."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import torch

from bench.checks.candidate_outputs import ours, stored
from bench.checks.insertions_table import real_volumes
from bench.mr_levels import local_sd, measured
from models.volume.noise.noise_level import measure_noise
from models.volume.tissue import tissue_of
from operators.quality.gate_settings import GateSettings
from operators.quality.restoring import restore
from operators.quality.volume_pair import VolumePair
from validation.phantoms.anatomy import Phantom, Volume
from validation.phantoms.insertions import Shape, draw_insertions, inserted, retained

SHAPES = {"spot of 2 mm": Shape(2.0), "3 mm": Shape(3.0), "4 mm": Shape(4.0), "6 mm": Shape(6.0)} | {
    "line of 1 mm": Shape(1.0, 20.0), "2 mm": Shape(2.0, 20.0),
}  # fmt: skip
SDS = (4.0, 6.0, 9.0, 15.0)  # contrasts in sd of the noise
CODE = ("models", "operators/quality", "bench/checks/contrast_kept.py")
ROUNDS = 3  # of insertions for each series
LEAST_SHOWN = 0.5  # of a contrast, left of it where the values end: a dark thing in dark tissue
Kept = dict[tuple[str, str, float], list[float]]  # by modality, shape and contrast


def kept_table(data: Path, folder: Path) -> Iterator[str]:
    """Yield the lines of a table over all CT and MR series below ``data``; fits are stored in ``folder``."""
    kept: Kept = defaultdict(list)
    labels = {shape: label for label, shape in SHAPES.items()}
    for name, volume in real_volumes(data):
        if volume.modality == "PT":
            continue  # no scanner shows what is small in one slice
        without = stored(folder, f"{name} delivered", partial(delivered, volume), *CODE)
        room = volume.noisy > tissue_of(volume.noisy, volume.modality).threshold
        for seed in range(ROUNDS):
            rng = np.random.default_rng(seed)
            drawn = draw_insertions(rng, room, volume.spacing, SHAPES.values(), SDS, local_noise(volume))
            noisy = np.maximum(inserted(volume.noisy, volume.spacing, drawn), volume.noisy.min())
            spoiled = replace(volume, noisy=noisy, truth=noisy)
            result = stored(folder, f"{name} {seed} delivered", partial(delivered, spoiled), *CODE)
            for one in drawn:
                shown = retained(one, volume.spacing, noisy, volume.noisy)
                if shown >= LEAST_SHOWN:
                    left = retained(one, volume.spacing, result, without)
                    kept[volume.modality, labels[one.shape], one.sds].append(left / shown)
    yield f"| | | {' | '.join(f'{sds:g} sd' for sds in SDS)} |\n{'|---' * (2 + len(SDS))}|"
    for modality in dict.fromkeys(key[0] for key in kept):
        for label in SHAPES:
            cells = (_cell(kept[modality, label, sds]) for sds in SDS)
            yield f"| {modality} | {label} | {' | '.join(cells)} |"


def delivered(volume: Phantom) -> Volume:
    """Return our output with the original restored where a check asks for it."""
    before = volume.noisy.astype(np.float32)
    threshold = tissue_of(before, volume.modality).threshold
    valid = np.ones(before.shape, bool)
    pair = VolumePair(before, ours(volume), valid, volume.spacing, threshold, volume.modality)
    return restore(pair, GateSettings()).images


def local_noise(volume: Phantom) -> Volume:
    """Return the sd of the noise at each voxel, as the method measures it."""
    if volume.modality == "MR":
        noise = measured(volume)
    else:
        noise = measure_noise(torch.from_numpy(volume.noisy)[:, None], tissue_of(volume.noisy, volume.modality))
    return local_sd(noise, volume.noisy.shape[1:])


def _cell(kept: list[float]) -> str:
    return f"{np.mean(kept):.2f} / {np.quantile(kept, 0.1):.2f} ({len(kept)})" if kept else ""
