"""Measure the table of costs from which every run is planned: ``python -m bench.costs [--write] [--repeats 3]``.

It prints the table, and ``--write`` puts it into models/costs.yaml, the only copy. Run it on a machine that nobody else
uses, for about a quarter of an hour. It helps itself as far as it can where others do: on one thread processor time is
taken; seconds on two threads are divided by what the load prolonged a run on one thread just before; of all the median
counts. Each run is a process of its own, since the number of threads is fixed when a process starts.

A unit costs a fixed part and a part for each megavoxel, by small and large sizes, CT and MR together; reading and
writing is that of a slice or of a clip.
"""

import argparse
import multiprocessing
import os
import platform
import resource
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import mean, median

from app.host_process import load_cuda_runtime, share_cores
from models.costs import SAMPLED, TABLE

CUDA_FRACTION = 0.03  # of the time on one thread, assumed for work on a GPU: none was at hand
ON_DEVICE = ("measure", "transform", "pass ", "step", "apply", "finish", "speckle", "published", "offset", "frame")
LARGE = 1.5  # times `SAMPLED`: sizes from which the cost beyond it is read

HEAD = """# Seconds of each unit of work, [fixed, for a megavoxel, for one beyond what is sampled], by threads.
# Measured by `python -m bench.costs --write` on {processor}, {cores} cores.
# Assumed: cuda ({fraction:g} of one thread), and more than two threads (Amdahl's law); where this processor has no
# bfloat16, that it is as fast as float32.
units:
"""

Line = tuple[float, float, float]  # seconds: fixed, for a megavoxel, and for one beyond `SAMPLED`
Samples = dict[str, list[tuple[float, float]]]  # of each unit: voxels and seconds


def child(threads: int) -> tuple[Samples, float]:
    """Measure in this process."""
    load_cuda_runtime()
    from bench.cost_units import measured

    return measured(threads, cpu_time=threads == 1)


def sampled(threads: int) -> tuple[Samples, float]:
    """Measure in a process of its own with so many threads."""
    os.environ["OMP_NUM_THREADS"] = str(threads)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(child, (threads,))


def lines_of(samples: Samples, load: float) -> dict[str, Line]:
    """Return the cost of each unit.

    Args:
        samples: of all sizes.
        load: by which the seconds are divided.
    """
    lines: dict[str, Line] = {}
    for unit, points in samples.items():
        fixed, slope = line_through(sorted(point for point in points if point[0] <= SAMPLED))
        beyond = [
            1e6 * (seconds - fixed - slope * SAMPLED / 1e6) / (voxels - SAMPLED)
            for voxels, seconds in points
            if voxels > LARGE * SAMPLED and unit != "headers"
        ]
        rest = min(slope, max(0.0, mean(beyond))) if beyond else slope
        lines[unit] = fixed / load, slope / load, rest / load
    return lines


def line_through(points: list[tuple[float, float]]) -> tuple[float, float]:
    """Return the line through the means of the smaller and of the larger half, neither part of it below 0."""
    half = len(points) // 2
    (small, less), (large, more) = (map(mean, zip(*part, strict=True)) for part in (points[:half], points[half:]))
    if large == small:
        return (less + more) / 2, 0.0
    slope = min(max(0.0, (more - less) / (large - small)), more / large)
    return max(0.0, more - slope * large), 1e6 * slope


def start_seconds() -> float:
    """Return the processor time of a whole run of the command that finds nothing to denoise."""
    with tempfile.TemporaryDirectory() as work:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        source = Path(work, "in")
        source.mkdir()
        command = (sys.executable, "-m", "app", "-i", str(source), "-o", str(Path(work, "out")))
        subprocess.run(command, capture_output=True, check=False)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def table(repeats: int) -> dict[str, dict[int, Line]]:
    """Return the measured columns of every unit, by threads."""
    taken: dict[str, dict[int, list[Line]]] = defaultdict(lambda: defaultdict(list))
    for _ in range(repeats):
        one, load = sampled(1)
        two, _ = sampled(2)
        for threads, lines in ((1, lines_of(one, 1.0)), (2, lines_of(two, max(1.0, load)))):
            lines["start"] = start_seconds(), *lines.pop("headers")[1:]
            for unit, line in lines.items():
                taken[unit][threads].append(line)
    columns = {}
    for unit, by_threads in taken.items():
        one, two = (
            tuple(median(column) for column in zip(*lines, strict=True)) for _, lines in sorted(by_threads.items())
        )
        columns[unit] = {1: one, 2: tuple(min(a, max(b, a / 2)) for a, b in zip(one, two, strict=True))}
    for unit in [unit for unit in columns if unit.endswith("float32")]:
        columns.setdefault(unit.replace("float32", "bfloat16"), columns[unit])
    return columns


def text_of(columns: dict[str, dict[int, Line]]) -> str:
    """Return models/costs.yaml."""
    processor = next(
        (line.split(":")[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        platform.machine(),
    )
    rows = []
    for unit, measured in columns.items():
        row = {**measured}
        if unit.startswith(ON_DEVICE):
            row["cuda"] = tuple(CUDA_FRACTION * seconds for seconds in measured[1])
        cells = ", ".join(f"{name}: [{', '.join(f'{part:.3g}' for part in line)}]" for name, line in row.items())
        rows.append(f"  {unit}: {{{cells}}}")
    return HEAD.format(processor=processor, cores=os.cpu_count(), fraction=CUDA_FRACTION) + "\n".join(rows) + "\n"


def main() -> None:
    """Print the table, or write it."""
    parser = argparse.ArgumentParser(description="Measure the table of costs.")
    parser.add_argument("--write", action="store_true", help="put it into models/costs.yaml")
    parser.add_argument("--repeats", type=int, default=3)
    given = parser.parse_args()
    share_cores(os.environ)
    text = text_of(table(given.repeats))
    print(text)
    if given.write:
        TABLE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
