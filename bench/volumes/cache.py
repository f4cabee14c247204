"""Results cached in a folder, one file for each method, volume, size, steps, seed and version of the code.

A run that was broken off, or repeated with more methods, computes only what is missing.
"""

import hashlib
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.volumes.bench_cases import Case
from validation.phantoms.anatomy import Volume

ROOT = Path(__file__).parent.parent.parent
PHANTOM_CODE = ("validation/phantoms", "bench/volumes/bench_cases.py", "bench/volumes/mr_cases.py")
NOISE_CODE = ("models/volume/noise", "models/volume/finishing/rician.py", "models/volume/tissue.py", "models/robust.py")
CLASSICAL = ("bm4d", "bm4d_spectrum", "bm3d_spectrum", "nlm", "tv")
OURS = ("ours", "published")


@dataclass(frozen=True, eq=False)
class Result:
    """What a method made of a volume; ``image`` is None where it failed, and ``reason`` says why."""

    image: Volume | None
    seconds: float  # of processor time
    peak: float  # MiB above what was resident before
    reason: str = ""


def version_of(method: str) -> str:
    """Of the code that a method runs; noise levels are measured by ours for all."""
    own = "classical" if method in CLASSICAL else "self_supervised"
    folders = ("models",) if method not in CLASSICAL else NOISE_CODE
    return digest(*folders, *(() if method in OURS else (f"bench/volumes/{own}.py",)))


def digest(*places: str) -> str:
    """Of the Python files in these folders and files of the project."""
    files = [file for place in places for file in sorted((ROOT / place).rglob("*.py")) or [ROOT / place]]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:10]


def cached_case(folder: Path, name: str, make: Callable[[], Case]) -> tuple[Case, Path]:
    """The case called ``name`` (seed and size included), made unless it was before, and its file."""
    file = folder / "cases" / f"{name}_{digest(*PHANTOM_CODE)}.pkl"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(pickle.dumps(make()))
    return pickle.loads(file.read_bytes()), file


def cached_result(folder: Path, case_file: Path, method: str, steps: int, seed: int, limit: float) -> Result:
    """The result of a method, computed within ``limit`` seconds unless it is there."""
    fitted = "" if method in CLASSICAL else f"_{steps}_{seed}"
    file = folder / "results" / f"{case_file.stem}_{method}{fitted}_{version_of(method)}.npz"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "bench.volumes.job", case_file, method, steps, seed, file]
        try:
            done = subprocess.run([str(word) for word in command], capture_output=True, timeout=limit, check=False)
        except subprocess.TimeoutExpired:
            return Result(None, 0.0, 0.0, f"not done in {limit:.0f} s")
        if done.returncode:
            return Result(None, 0.0, 0.0, (done.stderr.decode().strip().splitlines() or ["no reason given"])[-1])
    with np.load(file) as found:
        return Result(found["image"], float(found["seconds"]), float(found["peak"]))
