"""Every figure of a GPU that the documents want, in one command of under 8 minutes and one Markdown table.

``python -m bench.gpu [--output gpu.md]`` needs torch, numpy, scipy, scikit-image and monai, neither Holoscan nor
pydicom. ``--device cpu --small`` shows anywhere that it runs. ``--floor`` computes what an H100 cannot go below.
``--study FOLDER`` runs the whole command on a study, where all that it needs is installed.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from torch.profiler import ProfilerActivity, profile

from bench.gpu_cases import Case, Images, cases, compared
from bench.gpu_floor import floor_table
from models.compute import Compute, choose_compute

LARGEST_KERNELS = 5


def main() -> None:
    """Measure, print the table and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--small", action="store_true", help="small series, which only show that everything runs")
    parser.add_argument("--floor", action="store_true", help="the floor of an H100 instead, from counts on a processor")
    parser.add_argument("--study", type=Path, help="folder of DICOM files to run the whole command on, too")
    parser.add_argument("--output", type=Path, default=Path("gpu.md"))
    given = parser.parse_args()
    lines = floor_table() if given.floor else _measured(choose_compute(given.device), given.small)
    if given.study:
        lines.append(f"| whole command, {given.study.name} | {_command(given.study, given.device):.1f} s | | | |")
    text = "\n".join(lines)
    print(text)
    given.output.write_text(text + "\n", encoding="utf-8")


def _measured(compute: Compute, small: bool) -> list[str]:
    case = compared(small)
    once = case.denoised(compute)  # libraries are loaded and kernels chosen at first use
    lines = [
        f"| {compute.processor}, {compute.precision}, torch {torch.__version__} | fit and apply | with checks | memory"
        " | PSNR, dB |",
        "|---|---|---|---|---|",
        *(_row(make(), compute) for make in cases(small)),
        *_compared(case, once, compute),
    ]
    return [*lines, *_kernels(case, compute)]


def _row(case: Case, compute: Compute) -> str:
    """Return seconds, peak memory of the device and PSNR of one series."""
    cuda = compute.kind == "cuda"
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    started = time.monotonic()
    images = case.denoised(compute)  # on the host: nothing is left to wait for
    fitted = time.monotonic() - started
    psnr, noisy = case.psnr(images), case.psnr(case.noisy)
    started = time.monotonic()
    case.check(images, compute)
    checked = fitted + time.monotonic() - started
    memory = f"{torch.cuda.max_memory_allocated() / 2**30:.2f} GiB" if cuda else "-"
    return f"| {case.name} | {fitted:.1f} s (bar {case.bar:g}) | {checked:.1f} s | {memory} | {noisy:.2f}, {psnr:.2f} |"


def _compared(case: Case, once: Images, compute: Compute) -> list[str]:
    """Return how much two runs differ, and runs on the device and on the processor."""
    again, processor = case.denoised(compute), case.denoised(choose_compute("cpu"))
    return [
        f"| {case.name}, largest difference of {name} | {np.abs(once - other).max():.3g} HU | |"
        f" | {case.psnr(once):.2f}, {case.psnr(other):.2f} |"
        for name, other in (("two runs", again), ("device and CPU", processor))
    ]


def _kernels(case: Case, compute: Compute) -> list[str]:
    """Return the operations in which most of the device's time goes."""
    cuda = compute.kind == "cuda"
    with profile(activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if cuda else [])]) as profiled:
        case.denoised(compute)
    name = "self_device_time_total" if cuda else "self_cpu_time_total"
    events = sorted(profiled.key_averages(), key=lambda event: getattr(event, name), reverse=True)
    whole = sum(getattr(event, name) for event in events) or 1.0
    return [
        f"| {case.name}, kernel {event.key[:60]} | {100 * getattr(event, name) / whole:.0f} % of"
        f" {whole / 1e6:.2f} s, {event.count} times | | | |"
        for event in events[:LARGEST_KERNELS]
    ]


def _command(study: Path, device: str) -> float:
    """Return the seconds of the whole command on a study."""
    with tempfile.TemporaryDirectory() as output:
        started = time.monotonic()
        subprocess.run([sys.executable, "-m", "app", "-i", study, "-o", output, "--device", device], check=True)
        return time.monotonic() - started


if __name__ == "__main__":
    main()
