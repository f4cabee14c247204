"""Does the same input give the same bytes: run after run, with one thread and with two, on a GPU where there is one?"""

import hashlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.exit_codes import ExitCode
from validation.kit.not_measured import NotMeasuredError
from validation.kit.running import Application, write_study
from validation.phantoms.ct_phantom import ct_phantom
from validation.read_back import read_result, read_series

LOG = logging.getLogger(__name__)
SHAPE = (12, 128, 128)  # a chest CT, small enough to be run several times
SHORT = ("--set", "ns_n2n.steps=60")  # of a quick validation: what differs shows after a few steps


@dataclass(frozen=True)
class Determinism:
    """What the runs showed."""

    files: int  # written by each run
    files_differing: int  # between two equal runs
    thread_rms: float  # rms difference in the body between one thread and two, over the sd of the input's noise
    thread_largest: float  # largest difference between them, HU
    gpu_files_differing: int | None  # between two equal runs on a GPU; none where there is no GPU
    gpu_largest: float | None  # largest difference between GPU and CPU, HU


def determinism(application: Application, folder: Path, quick: bool) -> Determinism:
    """Run the application on one study several times.

    Raises:
        NotMeasuredError: the application handed nothing out.
    """
    phantom = ct_phantom(SHAPE, seed=0)
    uid = write_study(phantom, folder / "study", 0)
    short = SHORT if quick else ()

    def run(name: str, device: str = "cpu", threads: int | None = None) -> Path:
        code = application.run(folder / "study", folder / name, *short, "--device", device, threads=threads)
        if code != ExitCode.WRITTEN:
            raise NotMeasuredError(f"a run on {device} ended with {code}", counts=device == "cpu")
        return folder / name

    def volume(target: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return read_series(target, read_result(target)[uid].series_uid)

    first, again, single = run("first", threads=2), run("again", threads=2), run("single", threads=1)
    difference, body = volume(first) - volume(single), phantom.regions["body"]
    noise = float((phantom.noisy - phantom.truth)[phantom.regions["flat"]].std(dtype=np.float64))
    rms = float(np.sqrt(np.mean(np.square(difference[body], dtype=np.float64)))) / noise
    gpu: tuple[int | None, float | None] = (None, None)
    try:
        on_gpu = run("gpu", "cuda")
        gpu = (differing(on_gpu, run("gpu again", "cuda")), float(np.abs(volume(on_gpu) - volume(first)).max()))
    except NotMeasuredError as reason:
        LOG.info("%s", reason)
    return Determinism(len(hashes(first)), differing(first, again), rms, float(np.abs(difference[body]).max()), *gpu)


def hashes(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each DICOM file by its name."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.dcm")}


def differing(one: Path, other: Path) -> int:
    """Return how many DICOM files are not the same in both folders."""
    return len(set(hashes(one).items()) ^ set(hashes(other).items()))
