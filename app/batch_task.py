"""Denoise one study of a list, for engines with a task for each: ``python -m app.batch_task LIST NUMBER RESULTS``.

LIST has the path of a study on each line, NUMBER counts its lines from 1, arguments after ``--`` go to the application.
The derived series appear in ``RESULTS/KEY``. KEY is a hash over the study's bytes, the version, the settings file and
the arguments, so that a change of any of them gives another result.

A study is finished when the application has ended with exit code 0, or 3 (nothing written, nothing failed). Then
``RESULTS/KEY.json`` holds the content of result.json, and later tasks skip the study. The exit code is the
application's, and 0 for a study that is skipped. Only the standard library is imported, so that skipping is quick.
"""

import argparse
import hashlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FrameType

from app.exit_codes import ExitCode

PROJECT = Path(__file__).resolve().parents[1]
MANIFEST = PROJECT / "app.yaml"  # holds the version
FINISHED = (ExitCode.WRITTEN, ExitCode.NOTHING_WRITTEN)


def study_at(listing: Path, number: int) -> Path:
    """Return the path of the study on a line of the list.

    Raises:
        ValueError: no such line, or no such study.
    """
    lines = listing.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    if not 1 <= number <= len(lines) or not lines[number - 1].strip():
        raise ValueError(f"the list has no study number {number}; it has {len(lines)} lines, counted from 1")
    study = Path(lines[number - 1])
    if not study.exists():
        raise ValueError(f"the path of study number {number} does not exist on this machine; mend the list or mount it")
    return study.resolve()


def key_of(study: Path, settings: Iterable[Path], arguments: Sequence[str]) -> str:
    """Return the hash that is the same for the same input, settings, version and arguments; file names do not count."""
    files = [study] if study.is_file() else [path for path in study.rglob("*") if path.is_file()]
    parts = [*sorted(map(_digest, files)), *map(_digest, settings), *(argument.encode() for argument in arguments)]
    return hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in parts)).hexdigest()[:32]


def run(study: Path, output: Path, config: Path, arguments: Sequence[str]) -> tuple[int, str]:
    """Run the application; return its exit code and what it printed. SIGTERM is passed on to it."""
    paths = ["-i", str(study), "-o", str(output), "--config", str(config)]
    command = [sys.executable, "-m", "app", *paths, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=PROJECT) as process:

        def pass_on(number: int, frame: FrameType | None) -> None:
            process.send_signal(number)

        signal.signal(signal.SIGTERM, pass_on)
        printed, _ = process.communicate()
    code = process.returncode
    return (code if code >= 0 else 128 - code), printed  # 128 + number: the shells' code for a signal


def work(number: int, study: Path, results: Path, config: Path, arguments: Sequence[str]) -> int:
    """Denoise one study unless it is finished; return the exit code."""
    key = key_of(study, (MANIFEST, config), arguments)
    record = results / f"{key}.json"
    if record.exists():
        print(f"study {number}: finished before as {key}", flush=True)
        return ExitCode.WRITTEN
    started = time.monotonic()
    code, printed = run(study, results / key, config, arguments)
    print(f"study {number}: exit code {code} after {time.monotonic() - started:.1f} s as {key}", flush=True)
    if code not in FINISHED:
        return code
    unfinished = results / f".{key}.json"
    unfinished.write_text(printed)
    unfinished.replace(record)
    return ExitCode.WRITTEN


def main() -> int:
    """Follow the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m app.batch_task", description="Denoise one study of a list, once.")
    parser.add_argument("list", type=Path, help="a study's path on each line")
    parser.add_argument("number", type=int, help="number of its line, from 1")
    parser.add_argument("results", type=Path, help="folder that every task may write")
    parser.add_argument("--config", type=Path, default=MANIFEST, help="settings instead of app.yaml")
    parser.add_argument("arguments", nargs="*", help="arguments of the application, after --")
    given = parser.parse_args()
    try:
        study = study_at(given.list, given.number)
        given.results.mkdir(parents=True, exist_ok=True)
        return work(given.number, study, given.results.resolve(), given.config.resolve(), given.arguments)
    except (OSError, ValueError) as error:
        print(f"study {given.number}: {error}", file=sys.stderr)
        return ExitCode.UNUSABLE


def _digest(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


if __name__ == "__main__":
    sys.exit(main())
