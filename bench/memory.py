"""The peak of resident memory of the whole command on a CT of 512 x 512 x 1000, made here: 0.5 GB stored.

``python -m bench.memory [--slices 1000] [--limit-gib 4]`` prints the peak and the time; exit code 1 above the limit.
The fit is short, since its length changes no memory.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from tests.dicom_builders import image_slice, set_pixels

SIDE = 512
NOISE = 20  # stored values
COMMAND = ("--device", "cpu", "--set", "ns_n2n.steps=5", "--time-budget", "100000")


def make_series(folder: Path, slices: int) -> None:
    """A cylinder of water in air, with noise, and padding outside the scanned circle; a file per slice."""
    rows, columns = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    radius = np.hypot(rows, columns)
    clean = np.where(radius < 0.4 * SIDE, 1024, 124)
    for index in range(slices):
        rng = np.random.default_rng(index)
        made = image_slice("CT", index, PixelPaddingValue=0)
        scanned = np.clip(clean + rng.normal(0, NOISE, clean.shape), 1, 4095)
        set_pixels(made, np.where(radius < SIDE / 2, scanned, 0))
        made.save_as(folder / str(index), enforce_file_format=True)


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description="Measure the peak of memory on a long CT.")
    parser.add_argument("--slices", type=int, default=1000)
    parser.add_argument("--limit-gib", type=float, default=4.0)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as work:
        source, target = Path(work, "in"), Path(work, "out")
        source.mkdir()
        make_series(source, given.slices)
        started = time.monotonic()
        command = (sys.executable, "-m", "app", "-i", source, "-o", target, *COMMAND)
        code = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
        seconds, written = time.monotonic() - started, len(list(target.glob("*.dcm")))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    print(f"{given.slices} slices: exit code {code}, {written} files, {seconds:.0f} s, peak {peak:.2f} GiB")
    return int(code != 0 or peak > given.limit_gib)


if __name__ == "__main__":
    sys.exit(main())
