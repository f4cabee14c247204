"""How time and memory of NS-N2N grow with slices and pixels: ``python -m bench.growth [--most 20]`` prints a table.

One process for each size, since peak memory is counted by process; one thread, and processor time, which is the time of
a machine that nobody else uses. ``--most`` leaves out sizes of more megavoxels.
"""

import argparse
import math
import multiprocessing
import time
from collections import Counter

import numpy as np
import torch

from bench.peak import forget_peak, peak_memory
from bench.scale import table
from models.compute import choose_compute
from models.fitting import FitContext
from models.pace import Pace
from models.volume.ns_n2n import denoise_volume
from models.volume.ns_n2n_settings import NSN2NSettings

SHAPES = (
    *((slices, 128, 128) for slices in (16, 64, 256, 1000)),
    *((32, side, side) for side in (128, 256, 512)),
)
STEPS = 20
SIGNAL, NOISE = 40.0, 20.0  # HU; every voxel is tissue, of which a body fills about half
WORK = {"measure": "measure", "transform": "transform", "pass": "passes", "apply": "apply", "finish": "finish"}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure how time and memory grow with the size of a volume.")
    parser.add_argument("--most", type=float, default=math.inf, help="megavoxels of the largest size")
    most = 1e6 * parser.parse_args().most
    rows = []
    for shape in sorted({shape for shape in SHAPES if math.prod(shape) <= most}, key=lambda shape: shape[::-1]):
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            seconds, step, peak = pool.apply(timed, (shape,))
        megavoxels = math.prod(shape) / 1e6
        parts = (f"{seconds[part] / megavoxels:.2f}" for part in WORK.values())
        whole = sum(seconds.values())
        rows.append((" x ".join(map(str, shape)), f"{whole:.1f}", *parts, f"{1e3 * step:.0f}", f"{peak:.0f}"))
    print(table(("size", "s besides steps", *(f"{part}, s/MV" for part in WORK.values()), "ms/step", "MiB"), *rows))


def timed(shape: tuple[int, int, int]) -> tuple[Counter[str], float, float]:
    """Return seconds of each kind of work, of a step, and the peak of memory above that before (MiB)."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    voxels = (SIGNAL + NOISE * rng.standard_normal(shape, np.float32)).astype(np.float32)
    valid, pace = np.ones(shape, bool), Pace(time.process_time)
    context = FitContext(choose_compute("cpu"), 0, math.inf, math.inf, "growth", pace, modality="CT")
    before = forget_peak()
    settings = NSN2NSettings(steps=STEPS)
    denoise_volume(voxels, valid, spacing=(1.0, 1.0, 1.0), settings=settings, context=context)
    seconds: Counter[str] = Counter()
    for stage in pace.stages:
        if stage.unit != "step":
            seconds[WORK[stage.unit.split()[0]]] += stage.taken
    (step,) = (stage.taken / STEPS for stage in pace.stages if stage.unit == "step")
    return seconds, step, peak_memory() - before


if __name__ == "__main__":
    main()
