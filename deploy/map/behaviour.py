"""What a hospital's platform may do to a container, each a named check: our own promises beyond the specification.

A hardened run as a stranger's uid, exit codes, SIGTERM and SIGKILL in the middle of a fit, an output folder that
can't be written, a full disk, too little memory. No run may leave half a file or hang.
"""

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

from outcomes import Report
from package import Ended, Package, names_in
from sample_series import CANARY, write_study

IN, OUT = "/var/holoscan/input", "/var/holoscan/output"
QUICK = ("--set", "ns_n2n.steps=4", "--device", "cpu", "--time-budget", "600")
LONG = ("--set", "ns_n2n.steps=300", "--device", "cpu", "--time-budget", "1000000")  # a fifth of it is told of
UNDER_WAY = "step"  # in the line that tells of it
UID = 4321
HARDENED = (
    "--user", f"{UID}:{UID}", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt",
    "no-new-privileges", "--shm-size", "64m",
)  # fmt: skip
FIRST_LINE_WITHIN = 5.0  # seconds from the start of the container: what the project promises
ENDS_WITHIN = 10.0  # seconds after SIGTERM: what hosts grant before they kill
SMALL_DISK = "size=64k,mode=1777"  # less than one run's results
LITTLE_MEMORY = "1000m"  # the libraries fit in, the study that is made for it does not
LARGE = {"slices": 32, "size": 1024}
TINY_MEMORY = "200m"  # not even the libraries fit in
MEMORY_WORDS = "memory and the host grants"
KILLED = 137  # the exit code of a process that the kernel ended for its memory


class Bench:
    """A study, folders for results, and the package under test."""

    def __init__(self, report: Report, package: Package, folder: Path) -> None:
        self.report, self.package, self.folder = report, package, folder
        self.study = write_study(folder / "study")

    def output(self, name: str) -> Path:
        """A new folder that anybody may write."""
        made = self.folder / name
        made.mkdir()
        made.chmod(0o777)
        return made

    def mounts(self, target: Path, source: Path | None = None, mode: str = "rw") -> tuple[str, ...]:
        """Options for the two folders."""
        return ("-v", f"{source or self.study}:{IN}:ro", "-v", f"{target}:{OUT}:{mode}")

    def fitting(self, name: str, target: Path) -> subprocess.Popen[str]:
        """A container in the middle of a long fit."""
        container = self.package.start(*LONG, options=(*HARDENED, "--name", name, *self.mounts(target)))
        assert container.stderr is not None
        next((line for line in container.stderr if UNDER_WAY in line), "")
        return container


def check_behaviour(report: Report, package: Package, folder: Path) -> None:
    """Every check of this page."""
    bench = Bench(report, package, folder)
    _default(bench)
    _hardened(bench)
    _exit_codes(bench)
    _signals(bench)
    _bad_places(bench)
    _memory(bench)


def _default(bench: Bench) -> None:
    target = bench.output("default")
    settings = bench.folder / "app.yaml"
    settings.write_text(bench.package.shell("cat $HOLOSCAN_CONFIG_PATH").out.replace("steps: 800", "steps: 4"))
    place = bench.package.environment["HOLOSCAN_CONFIG_PATH"]
    ended = bench.package.run(options=(*bench.mounts(target), "-v", f"{settings}:{place}:ro"))
    bench.report.check("starts the application without any parameter", lambda: (ended.code == 0, ended.log[-300:]))
    bench.report.check("writes DICOM into the output folder itself", lambda: any(target.glob("*.dcm")))


def _hardened(bench: Bench) -> None:
    check, before = bench.report.check, _bytes(bench.study)
    first, second = bench.output("first"), bench.output("second")
    started = time.monotonic()
    container = bench.package.start(*QUICK, options=(*HARDENED, *bench.mounts(first)))
    assert container.stderr is not None
    line = container.stderr.readline()
    seconds = time.monotonic() - started
    out, log = container.communicate()
    check("runs hardened: uid 4321, read-only root, no network, no capabilities, 64 MiB of shared memory", lambda: (
        container.returncode == 0 and any(first.glob("*.dcm")), log[-300:]))  # fmt: skip
    check(f"logs its first line within {FIRST_LINE_WITHIN:g} s: {seconds:.1f} s", lambda: (
        bool(line) and seconds <= FIRST_LINE_WITHIN))  # fmt: skip
    check("says the result in one line of JSON on stdout", lambda: json.loads(out)["counts"]["denoised"] == 1)
    check("names no patient in log or result", lambda: CANARY not in line + log + out)
    check("writes result.json and metadata.json", lambda: {"result.json", "metadata.json"} <= set(names_in(first)))
    check("writes as the user it was given", lambda: {path.stat().st_uid for path in first.iterdir()} == {UID})
    check("leaves no other file", lambda: {p.suffix for p in first.rglob("*")} == {".dcm", ".json", ".html"})
    bench.package.run(*QUICK, options=(*HARDENED, *bench.mounts(second)))
    check("gives the same bytes again", lambda: _bytes(first, "*.dcm") == _bytes(second, "*.dcm") != {})
    check("leaves the source as it was", lambda: _bytes(bench.study) == before)


def _exit_codes(bench: Bench) -> None:
    check, empty = bench.report.check, bench.output("empty")
    target = bench.output("codes")
    wrong = bench.package.run("--turbo", options=bench.mounts(target))
    check("ends with 2 for arguments that can't be used", lambda: (wrong.code == 2, str(wrong.code)))
    nothing = bench.package.run(options=bench.mounts(target, source=empty))
    check("ends with 3 where there is nothing to process", lambda: (nothing.code == 3, str(nothing.code)))
    check("leaves the output empty where nothing was written", lambda: not names_in(target))
    helped = bench.package.run("help")
    check("tells of itself: help", lambda: helped.code == 0 and "--help" in helped.out)
    told = bench.package.run("env")
    check("tells its variables: env", lambda: told.code == 0 and f"HOLOSCAN_INPUT_PATH={IN}" in told.out)


def _signals(bench: Bench) -> None:
    check, target = bench.report.check, bench.output("ended")
    name = f"map-test-{os.getpid()}"
    container = bench.fitting(name, target)
    started = time.monotonic()
    bench.package.engine("kill", "--signal", "TERM", name)
    _, log = container.communicate()
    seconds = time.monotonic() - started
    check("ends within 10 s of SIGTERM in the middle of a fit", lambda: (seconds < ENDS_WITHIN, f"{seconds:.1f} s"))
    check(
        "passes SIGTERM on as exit code 143",
        lambda: (container.returncode == 143, f"{container.returncode} {log[-200:]}"),
    )
    check("leaves nothing after SIGTERM", lambda: (not names_in(target), str(names_in(target))))
    container = bench.fitting(f"{name}-killed", target)
    bench.package.engine("kill", "--signal", "KILL", f"{name}-killed")
    container.communicate()
    check("leaves no result after SIGKILL", lambda: not [p for p in target.iterdir() if not p.name.startswith(".")])
    again = bench.package.run(*QUICK, options=(*HARDENED, *bench.mounts(target)))
    check("clears up after a killed run, and succeeds", lambda: (
        again.code == 0 and not [p for p in target.iterdir() if p.name.startswith(".")], again.log[-300:]))  # fmt: skip


def _bad_places(bench: Bench) -> None:
    check = bench.report.check
    closed = bench.package.run(*QUICK, options=(*HARDENED, *bench.mounts(bench.output("closed"), mode="ro")))
    check("ends with 2 and one sentence where the output can't be written", lambda: (
        closed.code == 2 and "can't be written" in closed.log, closed.log[-300:]))  # fmt: skip
    options = (*HARDENED, "-v", f"{bench.study}:{IN}:ro", "--tmpfs", f"{OUT}:{SMALL_DISK}", "--entrypoint", "/bin/sh")
    script = f"/usr/local/bin/entrypoint {' '.join(QUICK)}; code=$?; ls -A {OUT} >&2; exit $code"
    full = bench.package.run("-c", script, options=options)
    check("ends with 4 where the disk is full", lambda: (full.code == 4, f"{full.code} {full.log[-300:]}"))
    check("says that the disk is full", lambda: "No space left on device" in full.log)
    check("leaves no half-written file on a full disk", lambda: not _last_lines(full).strip())


def _last_lines(ended: Ended) -> str:
    """What was printed after the log's own closing line."""
    return ended.log.rpartition("exit code 4\n")[2]


def _memory(bench: Bench) -> None:
    check, target = bench.report.check, bench.output("memory")
    large = write_study(bench.folder / "large", **LARGE)
    options = (*HARDENED, "--memory", LITTLE_MEMORY, *bench.mounts(target, source=large))
    ended = bench.package.run(*QUICK, options=options)
    shutil.rmtree(large)
    check(f"refuses a series for which {LITTLE_MEMORY} of memory are too little, and says so", lambda: (
        ended.code == 3 and MEMORY_WORDS in ended.log, f"{ended.code} {ended.log[-300:]}"))  # fmt: skip
    killed = bench.package.run(*QUICK, options=(*HARDENED, "--memory", TINY_MEMORY, *bench.mounts(target)))
    check(f"ends with {KILLED} and does not hang where the kernel kills it for its memory", lambda: (
        killed.code == KILLED, f"{killed.code} {killed.log[-300:]}"))  # fmt: skip
    check("leaves nothing where memory was too little", lambda: not names_in(target))


def _bytes(folder: Path, pattern: str = "*") -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob(pattern)}
