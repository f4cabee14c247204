"""Real volumes from a folder given by the user: of two something near the truth is known, of two nothing is.

``ct_lcd_fda``: ten simulated scans of one object stacked as slices, with the object. ``mr_epi_repeats``: one of four
repeats, with the mean of the other three. ``ct_lidc0314_1mm`` and ``pet_fdg_sts001``: as they are.
"""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bench.volumes.bench_cases import RANGES, Case
from models.volume.tissue import tissue_of
from operators.dicom.geometry import stacks_of
from operators.dicom.pixels import read_volume
from operators.dicom.reading import read_study
from validation.phantoms.anatomy import Volume

LCD_SIDE, LCD_SCANS, LCD_OFFSET = 256, 10, 1000  # pixels, realisations, stored value of 0 HU
LCD_PIXEL_MM = 0.69
LCD_FLAT = (990.0, 1010.0)  # stored truth of the body
LUNG_WINDOW = (-1050.0, 200.0)
PET_SLICES = slice(110, 158)  # chest and liver


def lcd(folder: Path) -> Case:
    """Low-contrast disks at 10 % dose, filtered back-projection."""
    source = folder / "ct_lcd_fda" / "small_dataset" / "fbp"
    files = [source / "dose_010" / "signal_present" / f"signal_present_{n:03d}.raw" for n in range(1, LCD_SCANS + 1)]
    shape = (LCD_SIDE, LCD_SIDE)
    noisy = np.stack([np.fromfile(file, np.int16).reshape(shape) for file in files]).astype(np.float32) - LCD_OFFSET
    object_ = np.fromfile(source / "ground_truth.raw", np.uint16).reshape(shape).astype(np.float32) - LCD_OFFSET
    truth = np.broadcast_to(object_, noisy.shape).copy()
    body, disks = truth > -10, truth > 2
    data_range, window = RANGES["CT"]
    regions = {"body": body, "flat": body & (truth < 1), "lesions": disks}
    return Case(noisy, truth, (1.0, LCD_PIXEL_MM, LCD_PIXEL_MM), "CT", data_range, window, regions)


def repeats(folder: Path) -> Case:
    """Echo-planar MR of a phantom; the first repeat, before steady state, serves nothing."""
    volumes = _volumes(folder / "mr_epi_repeats" / "enhanced")
    scans = [voxels for voxels, _ in volumes][1:]
    noisy, truth = scans[0], np.mean(scans[1:], axis=0, dtype=np.float32)
    threshold = tissue_of(truth, "MR").threshold
    bright = float(np.quantile(truth, 0.995))
    return Case(
        noisy, truth, volumes[0][1], "MR", bright, (0.0, bright), {"body": truth > threshold, "flat": truth > threshold}
    )


def lidc(folder: Path) -> Case:
    """Chest CT with a sharp kernel; slices of 1 mm."""
    voxels, spacing = _volumes(folder / "ct_lidc0314_1mm")[0]
    return Case(voxels, None, spacing, "CT", RANGES["CT"][0], LUNG_WINDOW)


def fdg(folder: Path) -> Case:
    """Chest and liver of a whole-body FDG PET."""
    voxels, spacing = max(_volumes(folder / "pet_fdg_sts001"), key=lambda each: len(each[0]))
    return Case(voxels[PET_SLICES].copy(), None, spacing, "PT", *RANGES["PT"])


REAL: Mapping[str, Callable[[Path], Case]] = {
    "ct_lcd_fda": lcd,
    "mr_epi_repeats": repeats,
    "ct_lidc0314_1mm": lidc,
    "pet_fdg_sts001": fdg,
}


def _volumes(folder: Path) -> list[tuple[Volume, tuple[float, float, float]]]:
    stacks = [stack for series in read_study(folder).series for stack in stacks_of(series, 4)]
    return [(read_volume(stack).voxels, stack.spacing) for stack in stacks]
