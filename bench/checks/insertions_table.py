"""Insertions into real series: how many that lose half are found, and what is reported where nothing was spoiled."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np

from bench.checks.candidate_outputs import ours, stored
from bench.checks.insertion_trial import Lost, places_in, searched_body, try_insertions
from models.volume.tissue import tissue_of
from operators.dicom.errors import Refusal
from operators.dicom.geometry import stacks_of
from operators.dicom.pixels import read_volume
from operators.dicom.reading import read_study
from operators.quality.volume_pair import VolumePair
from validation.phantoms.anatomy import Phantom

CROP = (24, 128, 128)  # slices, rows, columns from the middle: small enough to fit in seconds
FEWEST = 8  # slices
ROUNDS = 4  # of insertions: only some have room at a time
SNR = (0.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, np.inf)  # of what is lost, bounds of the columns


def insertions_table(data: Path, folder: Path) -> Iterator[str]:
    """Yield the lines of a table, one for each CT, MR and PET volume below ``data``; fits are stored in ``folder``."""
    bounds = [f"{low:g} to {high:g}" for low, high in pairwise(SNR)]
    head = ("series", "modality", "places in 100 slices, unspoiled", *(f"found of lost, SNR {each}" for each in bounds))
    yield f"| {' | '.join(head)} |\n{'|---' * len(head)}|"
    for name, volume in real_volumes(data):
        after = stored(folder, f"{name} ours", lambda volume=volume: ours(volume), "models")
        threshold = tissue_of(volume.noisy, volume.modality).threshold
        valid = np.ones(volume.noisy.shape, bool)
        pair = VolumePair(volume.noisy, after, valid, volume.spacing, threshold, volume.modality)
        unspoiled = len({change.place for change in places_in(pair, searched_body(pair))})
        lost = [one for seed in range(ROUNDS) for one in try_insertions(pair, seed)]
        columns = (name, volume.modality, f"{100 * unspoiled / len(after):.0f}", *_found(lost))
        yield f"| {' | '.join(columns)} |"


def real_volumes(data: Path) -> Iterator[tuple[str, Phantom]]:
    """Yield the middle of the largest volume of each modality of each study, as a phantom whose truth nobody knows."""
    for study in sorted(one for one in data.iterdir() if one.is_dir()):
        largest: dict[str, Phantom] = {}
        for series in read_study(study).series:
            try:
                stacks = list(stacks_of(series, FEWEST)) if series.modality in ("CT", "MR", "PT") else []
            except Refusal:
                continue
            for stack in stacks:
                voxels = read_volume(stack).voxels
                cropped = voxels[tuple(_middle(size, most) for size, most in zip(voxels.shape, CROP, strict=True))]
                known = largest.get(series.modality)
                if known is None or cropped.size > known.noisy.size:
                    made = np.ascontiguousarray(cropped, np.float32)
                    largest[series.modality] = Phantom(made, made, stack.spacing, series.modality, {})
        for modality, volume in largest.items():
            yield f"{study.name} {modality}", volume


def _middle(size: int, most: int) -> slice:
    first = max(0, (size - most) // 2)
    return slice(first, first + min(size, most))


def _found(lost: list[Lost]) -> Iterator[str]:
    for low, high in pairwise(SNR):
        chosen = [one.found for one in lost if low <= one.snr < high]
        yield f"{sum(chosen)} of {len(chosen)}"
