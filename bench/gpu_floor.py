"""What an H100 cannot go below: launches, bytes and operations of each part of the method, counted on a processor.

Bytes are those that operations read and write one by one; a compiler that fuses them would move fewer. Parts of a
volume are counted on a small one in the batches of a GPU, and scaled: launches by slices, the rest by voxels.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.launches import InLine, Launches
from models.compute import Compute
from models.fitting import FitContext
from models.side_by_side import AT_ONCE
from models.training_loop import fit
from models.volume.finishing.fusion import fuse_neighbours
from models.volume.initial import block_matching, block_shrinkage
from models.volume.initial.nonlocal_bayes import refine
from models.volume.initial.similar_patches import THOROUGH, Search
from models.volume.measured_volume import MeasuredVolume, measure_volume
from models.volume.pairs import PairDrawer
from models.volume.scaling import noise_units
from models.volume.slice_fit import LEARNING_RATE
from models.volume.slice_losses import confirmed_loss
from models.volume.slice_network import SliceNetwork
from operators.quality.local_change import BLOCK, HALO, MOST_VOXELS, small_changes
from operators.quality.volume_pair import VolumePair

LAUNCH = 6e-6  # s of the host for one operation from Python
BANDWIDTH, OPERATIONS = 3.35e12, 67e12  # H100 SXM5, NVIDIA's data sheet: bytes/s, float32 operations/s
BFLOAT16 = 989e12  # operations/s of the network, dense
COUNTED, LARGE = (24, 128, 128), (300, 512, 512)
SPACING = (1.0, 0.75, 0.75)  # mm
STEPS = 800
CPU = Compute(torch.device("cpu"), torch.bfloat16)


@dataclass(frozen=True)
class Work:
    """Launches, bytes moved and arithmetic of a part."""

    launches: float
    moved: float
    operations: float

    @classmethod
    def of(cls, run: Callable[[], object]) -> "Work":
        """Count what ``run`` does in this thread."""
        with FlopCounterMode(display=False) as arithmetic, Launches() as counted:
            run()
        return cls(counted.launched.total(), counted.moved, arithmetic.get_total_flops())

    def scaled(self, launches: float, rest: float) -> "Work":
        """Return so many times the launches, and so many times the rest."""
        return Work(launches * self.launches, rest * self.moved, rest * self.operations)

    def less(self, other: "Work") -> "Work":
        """Return what this work is above another."""
        return Work(self.launches - other.launches, self.moved - other.moved, self.operations - other.operations)


def floor_table() -> list[str]:
    """Return rows of Markdown: each part of three passes and 800 steps over a large CT."""
    for sizes in (block_matching.LEADERS, block_shrinkage.BAND, AT_ONCE):
        sizes["cpu"] = sizes["cuda"]
    volume = _measured()
    slices, voxels = LARGE[0] / COUNTED[0], math.prod(LARGE) / math.prod(COUNTED)
    searched = LARGE[0] + MOST_VOXELS / math.prod(LARGE[1:])  # slices, to restore and to check
    few, more = (Work.of(lambda n=n: _fitted(volume, n)) for n in (2, 6))
    parts = {
        "block transform": Work.of(lambda: _shrunk(volume)).scaled(slices, voxels),
        **{
            f"pass {number} of non-local Bayes": Work.of(lambda search=search: _refined(volume, search)).scaled(
                slices, voxels
            )
            for number, search in enumerate(THOROUGH, start=1)
        },
        f"{STEPS} steps": more.less(few).scaled(STEPS / 4, STEPS / 4),
        "applied": Work.of(lambda: _applied(volume)).scaled(slices, voxels),
        "fusion": Work.of(lambda: _fused(volume)).scaled(slices, voxels),
        "search for small changes": _searched().scaled(
            searched / BLOCK, searched * voxels * COUNTED[0] / LARGE[0] / BLOCK
        ),
    }
    lines = [
        "| part | launches | GB moved | TFLOP | s to launch | s to move | s to compute |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, work in parts.items():
        rate = BFLOAT16 if name.endswith("steps") or name == "applied" else OPERATIONS
        lines.append(
            f"| {name} | {work.launches:.0f} | {work.moved / 1e9:.0f} | {work.operations / 1e12:.2f} |"
            f" {LAUNCH * work.launches:.2f} | {work.moved / BANDWIDTH:.2f} | {work.operations / rate:.3f} |"
        )
    return lines


def _measured() -> MeasuredVolume:
    voxels = (40 + 20 * np.random.default_rng(0).standard_normal(COUNTED)).astype(np.float32)
    return measure_volume(voxels, np.ones(COUNTED, bool), "CT", noise_units, CPU.device)


def _context() -> FitContext:
    return FitContext(CPU, 0, math.inf, math.inf, "floor")


def _shrunk(volume: MeasuredVolume) -> None:
    slices = ((volume.scaling.scaled(each)[0], volume.relative_noise(i)[0]) for i, each in enumerate(volume.voxels))
    list(block_shrinkage.shrink(slices, volume.noise.coefficient_sd, InLine()))


def _refined(volume: MeasuredVolume, search: Search) -> None:
    refine(volume.scaling.scaled(volume.voxels[:, 0]), volume, search, InLine(), _context())


def _fitted(volume: MeasuredVolume, steps: int) -> None:
    network = SliceNetwork()
    pairs = PairDrawer(volume, volume.scaling.scaled(volume.voxels), gap=1, seed=0)
    fit(
        network,
        lambda: confirmed_loss(network, pairs.draw(), 1.0),
        _context(),
        steps=steps,
        learning_rate=LEARNING_RATE,
    )


@torch.no_grad()
def _applied(volume: MeasuredVolume) -> None:
    network, slices = SliceNetwork().eval(), volume.scaling.scaled(volume.voxels)
    for index, each in enumerate(slices):
        with CPU.autocast():
            network(each[None], volume.relative_noise(index)[None], each[None])


def _fused(volume: MeasuredVolume) -> None:
    fuse_neighbours(volume.voxels[:, 0].numpy().copy(), volume.scaling, volume.tissue.threshold, 1.0)


def _searched() -> Work:
    """Return the work on one block of slices with its neighbours."""
    before = np.random.default_rng(0).standard_normal((BLOCK + 2 * HALO, *COUNTED[1:])).astype(np.float32)
    body = np.ones(before.shape, bool)
    pair = VolumePair(before, 0.2 * before, body, SPACING, -9.0, "CT")
    return Work.of(lambda: list(small_changes(pair, body, HALO)))
