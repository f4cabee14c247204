"""Mutated DICOM files of every kind through reading, decoding and deriving: each must end denoised, refused or unread.

``python -m bench.fuzz --files 5000 [--data FOLDER] [--seed 0]``

Studies of a few small files are built here; with ``--data`` real ones are taken too, a few neighbouring files of each
series. One file of a study is mutated, and the study goes the way of the operators, with noise added instead of a
fit. It runs in a process of its own with a limit on memory: an exception that is no refusal, a crash, a hang or memory
beyond the limit is a finding, and its file is copied. Exit code 1 where there is one. A series that is refused after
its examination, which a fit would have followed, is counted as late.
"""

import argparse
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import numpy.typing as npt

from bench.fuzz_studies import built_studies, real_studies
from bench.mutations import mutated
from models.compute import choose_compute
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.volume.ns_n2n_settings import NSN2NSettings
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.errors import Refusal
from operators.dicom.provenance import Provenance
from operators.dicom.reading_limits import ReadingLimits
from operators.select_series import Demands, select
from operators.selection import SelectionSettings
from operators.series_costs import Pricing
from operators.sources.finding import find_sources
from operators.sources.nifti_settings import NiftiSettings
from operators.sources.source import Source
from operators.time_budget import whole_run

Denoise = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
SECONDS = 30.0  # of a processor that one study may take; a sound one needs a tenth of a second
STALLED = 600.0  # seconds by the clock after which a study that waits counts as hanging; a busy machine takes long
PLENTY = 1e6  # seconds, a time budget that refuses nothing
MEMORY = 4 << 30  # bytes of address space beyond what the process has at its start
PROVENANCE = Provenance("NS-N2N", "0", "fuzz", 0, 100.0, "cpu", "float32", "AVX2 in 2 threads", 1)


def outcome_of(source: Source, denoise: Denoise, folder: Path) -> str:
    """Take one series the way of the operators, up to files, and return what became of it."""
    if source.refusal is not None:
        return "refused"
    try:
        images = {key: denoise(image.values) for key, image in source.images(Counter())}
        source.write(images, source.plan(PROVENANCE, DerivedSettings(), frozenset()), folder)
    except Refusal:
        return "late"
    return "denoised"


def outcomes_of(folder: Path, denoise: Denoise) -> Iterator[str]:
    """Yield the outcome of each series and each unread file of a study."""
    sources, unread = find_sources(folder, ReadingLimits(), NiftiSettings())
    yield from ("unread" for _ in unread)
    study = sorted(sources, key=lambda source: source.voxel_count)
    pricing = Pricing(choose_compute("cpu"), NSN2NSettings(), Speckle2SelfSettings())
    select(study, Demands(SelectionSettings()), whole_run(PLENTY), pricing)
    for source in study:
        with tempfile.TemporaryDirectory() as target:
            yield outcome_of(source, denoise, Path(target))


def add_noise(images: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The identity and a little noise, instead of a fit."""
    return images + np.random.default_rng(0).normal(0, 2, images.shape).astype(np.float32)


def work(orders: Connection) -> None:
    """In a process of its own: a folder in, its outcomes or a traceback out, and the peak of memory in kB."""
    warnings.simplefilter("ignore")
    space = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (space + MEMORY, space + MEMORY))
    orders.send("ready")
    while True:
        folder = orders.recv()
        signal.setitimer(signal.ITIMER_PROF, SECONDS)  # ends the process by SIGPROF
        try:
            answer = list(outcomes_of(folder, add_noise))
        except BaseException:  # reported to the parent, whatever it is: that is what this program searches for
            answer = traceback.format_exc()
        orders.send((answer, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))


class Worker:
    """The process that does the work, begun anew after each crash or hang."""

    def __init__(self) -> None:
        self.peak = 0
        self._begin()

    def _begin(self) -> None:
        context = get_context("spawn")
        self._orders, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._orders.recv()  # that it is ready: its start does not count

    def outcomes(self, folder: Path) -> list[str] | str:
        """Outcomes, or what went wrong."""
        self._orders.send(folder)
        try:
            if self._orders.poll(STALLED):
                answer, peak = self._orders.recv()
                self.peak = max(self.peak, peak)
                return answer
            wrong = f"hang: over {STALLED:.0f} s"
        except EOFError:
            self._process.join()
            code = self._process.exitcode
            spent = f"hang: over {SECONDS:.0f} s of a processor"
            wrong = spent if code == -signal.SIGPROF else f"crash: the process ended with {code}"
        self.end()
        self._begin()
        return wrong

    def end(self) -> None:
        """Let the process go."""
        self._process.kill()
        self._process.join()


def run(files: int, data: Path | None, seed: int, findings_folder: Path) -> int:
    """Mutate and run; print a table of outcomes by kind, and every finding."""
    rng = np.random.default_rng(seed)
    table: dict[str, Counter[str]] = {}
    findings: Counter[str] = Counter()
    worker, started, slowest = Worker(), time.monotonic(), 0.0
    with tempfile.TemporaryDirectory() as work:
        studies = {**built_studies(Path(work, "built")), **(real_studies(data) if data else {})}
        for number in range(files):
            kind = list(studies)[number % len(studies)]
            folder = Path(work, "case")
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            chosen = int(rng.integers(len(studies[kind])))
            for index, content in enumerate(studies[kind]):
                (folder / str(index)).write_bytes(mutated(content, rng) if index == chosen else content)
            begun = time.monotonic()
            answer = worker.outcomes(folder)
            slowest = max(slowest, time.monotonic() - begun)
            if isinstance(answer, str):
                findings[f"{kind}: {answer}"] += 1
                shutil.copytree(folder, findings_folder / str(number))
            table.setdefault(kind, Counter()).update(["FINDING"] if isinstance(answer, str) else answer)
    worker.end()
    report(table, findings)
    print(
        f"{files} files, {time.monotonic() - started:.0f} s, slowest {slowest:.1f} s, peak {worker.peak / 1024:.0f} MiB"
    )
    return int(bool(findings))


def report(table: dict[str, Counter[str]], findings: Counter[str]) -> None:
    """A row for each kind, then the findings."""
    outcomes = ("denoised", "refused", "late", "unread", "FINDING")
    print(f"{'kind':40}" + "".join(f"{outcome:>10}" for outcome in outcomes))
    for kind, counts in table.items():
        print(f"{kind:40}" + "".join(f"{counts[outcome]:10}" for outcome in outcomes))
    for finding, count in findings.most_common():
        print(f"\n{count} x {finding}")


def main() -> int:
    """The exit code."""
    parser = argparse.ArgumentParser(description="Mutate DICOM files and see that each ends denoised or refused.")
    parser.add_argument("--files", type=int, default=5000)
    parser.add_argument("--data", type=Path, help="a folder of real studies, in folders of their own")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--findings", type=Path, default=Path("build/fuzz"), help="where files with a finding go")
    given = parser.parse_args()
    shutil.rmtree(given.findings, ignore_errors=True)
    return run(given.files, given.data, given.seed, given.findings)


if __name__ == "__main__":
    sys.exit(main())
