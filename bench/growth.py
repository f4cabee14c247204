"""How time and memory of NS-N2N grow with slices and with pixels, and how far a step is from what the processor can do.

``python -m bench.growth`` prints two tables; one process for each size, since peak memory is counted by process. The
floor of a step is the larger of its operations over the processor's rate (a large matrix product in the same precision)
and its bytes over the memory's (a copy too large for any cache); both rates are measured here. All of it runs on one
thread. Bytes are the activations kept for the way back, written once and read once: less cannot be.
"""

import math
import multiprocessing
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench.peak import forget_peak, peak_memory
from models.compute import Compute, choose_compute
from models.fitting import FitContext
from models.volume.ns_n2n import NSN2NSettings, denoise_volume
from models.volume.pairs import CROPS, SIDE
from models.volume.slice_network import SliceNetwork

SHAPES = ((16, 128, 128), (32, 128, 128), (64, 128, 128), (128, 128, 128), (32, 256, 256), (32, 512, 512))
FEW, MORE = 5, 25  # steps; their difference is the cost of a step, free of what a run costs besides
SIGNAL, NOISE = 40.0, 20.0  # HU
MATRIX, COPIED, REPEATS = 1024, 2**25, 3  # a side; float32 values; the best time of these counts


def main() -> None:
    """Print both tables."""
    torch.set_num_threads(1)
    print("| slices x rows x columns | ms a step | s besides the steps | s for a megavoxel besides | peak MiB |")
    print("|---|---|---|---|---|")
    spawn = multiprocessing.get_context("spawn")
    for shape in SHAPES:
        with spawn.Pool(1) as pool:
            short, seconds, peak = pool.apply(_timed, (shape,))
        step = (seconds - short) / (MORE - FEW)
        fixed = short - FEW * step
        size = " x ".join(map(str, shape))
        print(f"| {size} | {1e3 * step:.0f} | {fixed:.1f} | {1e6 * fixed / math.prod(shape):.2f} | {peak:.0f} |")
    print("\n" + floor_table(choose_compute("cpu")))


def _timed(shape: tuple[int, int, int]) -> tuple[float, float, float]:
    """Seconds of processor time with few and with more steps, and the peak of memory above that before (MiB)."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    voxels = (SIGNAL + NOISE * rng.standard_normal(shape)).astype(np.float32)
    valid = np.ones(shape, bool)
    before = forget_peak()
    run(voxels, valid, 1)  # what is loaded at first use counts for nobody's time
    few, more = (min(_seconds(lambda n=n: run(voxels, valid, n)) for _ in range(2)) for n in (FEW, MORE))
    return few, more, peak_memory() - before


def run(voxels: np.ndarray, valid: np.ndarray, steps: int) -> None:
    """The default on one volume."""
    settings, context = NSN2NSettings(steps=steps), FitContext(choose_compute("cpu"), 0, 1e9, math.inf, "growth")
    denoise_volume(voxels, valid, spacing=(1.0, 1.0, 1.0), modality="CT", settings=settings, context=context)


def floor_table(compute: Compute) -> str:
    """Operations and bytes of a step and of applying to a megavoxel, the processor's rates, and time over the floor."""
    rate, bandwidth = _operation_rate(compute), _bandwidth()
    network = SliceNetwork()
    batch, plane = torch.randn(2 * CROPS, 1, SIDE, SIDE), torch.randn(1, 1, 1024, 1024)
    lines = [
        f"{compute.precision}, one thread: {rate / 1e9:.0f} GFLOP/s, {bandwidth / 1e9:.1f} GB/s.\n",
        "| | GFLOP | GB | floor ms | measured ms | over the floor |",
        "|---|---|---|---|---|---|",
    ]
    for name, work in (
        ("forward and backward of a step", lambda: _step(network, batch, compute)),
        ("1024 x 1024 pixels applied", lambda: _applied(network, plane, compute)),
    ):
        operations, moved = _operations_and_bytes(work)
        floor = max(operations / rate, moved / bandwidth)
        seconds = min(_seconds(work) for _ in range(REPEATS))
        lines.append(
            f"| {name} | {operations / 1e9:.2f} | {moved / 1e9:.2f} | {1e3 * floor:.0f} | {1e3 * seconds:.0f} |"
            f" {seconds / floor:.1f} |"
        )
    return "\n".join(lines)


def _operations_and_bytes(work: Callable[[], object]) -> tuple[int, int]:
    saved: list[int] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        saved.append(tensor.numel() * tensor.element_size())
        return tensor

    hooks = torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor)
    with FlopCounterMode(display=False) as counter, hooks:
        work()
    return counter.get_total_flops(), 2 * sum(saved)


def _step(network: torch.nn.Module, batch: torch.Tensor, compute: Compute) -> None:
    with compute.autocast():
        loss = network(batch, torch.ones_like(batch), batch).square().mean()
    loss.backward()  # type: ignore[no-untyped-call]


@torch.no_grad()
def _applied(network: torch.nn.Module, plane: torch.Tensor, compute: Compute) -> None:
    with compute.autocast():
        network(plane, torch.ones_like(plane), plane)


def _operation_rate(compute: Compute) -> float:
    a = torch.randn(MATRIX, MATRIX, dtype=compute.dtype)
    return 2 * MATRIX**3 / min(_seconds(lambda: a @ a) for _ in range(3 * REPEATS))


def _bandwidth() -> float:
    source, target = torch.randn(COPIED), torch.empty(COPIED)
    seconds = min(_seconds(lambda: target.copy_(source)) for _ in range(REPEATS))
    return 2 * 4 * COPIED / seconds


def _seconds(work: Callable[[], object]) -> float:
    """Of processor time: on one thread that is the time of a machine nobody else uses."""
    started = time.process_time()
    work()
    return time.process_time() - started


if __name__ == "__main__":
    main()
