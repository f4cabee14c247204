"""Runs the installed application on a study, DICOM in and DICOM out, in a process of its own, as a host would."""

import logging
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import app
from validation.kit.kit_cases import KitCase
from validation.phantoms.anatomy import Phantom, Volume
from validation.phantoms.phantom_study import write_still, write_volume
from validation.phantoms.test_object import TestObject
from validation.read_back import read_result, read_rows, read_series

LOG = logging.getLogger(__name__)
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # torch takes the second where both are given
HOME = Path(app.__file__).parent.parent  # the application is started from where it is installed


@dataclass(frozen=True)
class Outcome:
    """A case that was run: what went in, and what was handed out."""

    case: KitCase
    tested: TestObject
    before: Volume  # as read back from the DICOM that went in, real units
    after: Volume | None  # as read back from the DICOM that came out; none where nothing was handed out
    row: Mapping[str, Any]  # the series' row of result.json


class Application:
    """The installed application, with the settings as they are and what a validation adds to them."""

    def __init__(self, environment: Mapping[str, str], arguments: Sequence[str] = ()) -> None:
        self._environment, self._arguments = dict(environment), tuple(arguments)
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, source: Path, target: Path, *more: str, threads: int | None = None) -> int:
        """Run on a study; return the exit code."""
        command = [sys.executable, "-m", "app", "-i", str(source), "-o", str(target), *self._arguments, *more]
        count = {name: str(threads) for name in THREAD_VARIABLES if threads}
        self._process = subprocess.Popen(
            command, cwd=HOME, env=self._environment | count, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        _, log = self._process.communicate()
        if self._process.returncode:
            LOG.warning("the application ended with %d: %s", self._process.returncode, _last_line(log))
        return self._process.returncode

    def end(self) -> None:
        """End the run in progress, from another thread."""
        if self._process:
            self._process.terminate()


def run_case(case: KitCase, application: Application, folder: Path) -> Outcome:
    """Make the case's study in `folder`, run the application on it, and read both back."""
    tested = case.make()
    source, target = folder / "study", folder / "derived"
    uid = write_study(tested.phantom, source, case.draw)
    application.run(source, target, "--seed", str(case.seed))
    row = read_rows(target).get(uid, {"status": "failed", "reason": "the application wrote no report"})
    derived = read_result(target) if row["status"] == "denoised" else {}
    after = read_series(target, derived[uid].series_uid) if uid in derived else None
    LOG.info("%s: %s %s", case.name, row["status"], row.get("reason", ""))
    return Outcome(case, tested, read_series(source, uid), after, row)


def write_study(phantom: Phantom, folder: Path, seed: int) -> str:
    """Write a phantom of any modality as one DICOM series; return its UID."""
    if phantom.modality == "US":
        return write_still(phantom.noisy[0], folder, seed)
    return write_volume(phantom, folder, seed)


def _last_line(log: bytes) -> str:
    lines: Sequence[str] = log.decode(errors="replace").splitlines()
    return lines[-1] if lines else "it said nothing"
