"""Try the array script on a Slurm of one node: ``python deploy/slurm/trial.py [STUDIES]``, as root.

The Python is that of the application's environment. It gets many small CT studies of the phantom. One of them is broken
and refused, one task is killed. Then the same line is submitted again: the killed study is denoised, all others are
skipped. Prints each demand and whether it is met, then the figures; ends with 1 if a demand is not met.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from validation.phantoms.ct_phantom import ct_phantom  # noqa: E402
from validation.phantoms.phantom_study import write_volume  # noqa: E402

SHAPE = (8, 64, 64)  # slices, rows, columns
QUICK = ("--set", "ns_n2n.steps=20", "--device", "cpu")
BROKEN, KILLED = 7, 3  # numbers in the list
ENDED_WITHIN = 900.0  # seconds for a whole array
SMALL = ("--cpus-per-task=1", "--mem=1G")


def make_studies(folder: Path, count: int) -> Path:
    """Write studies that differ by their noise, one with truncated pixels; return their list."""
    studies = [folder / str(number) for number in range(1, count + 1)]
    for number, study in enumerate(studies, 1):
        write_volume(ct_phantom(SHAPE, seed=number), study, seed=number)
    for file in studies[BROKEN - 1].iterdir():
        file.write_bytes(file.read_bytes()[:-100])
    (folder / "studies.txt").write_text("".join(f"{study}\n" for study in studies))
    return folder / "studies.txt"


def submit(work: Path, studies: Path, count: int) -> str:
    """The array's job number."""
    array = ["sbatch", "--parsable", f"--array=1-{count}", *SMALL, f"--chdir={ROOT}"]
    log = f"--output={work}/denoise-%A_%a.log"
    script = [str(ROOT / "deploy/slurm/denoise.sbatch"), str(studies), str(work / "results")]
    return subprocess.check_output([*array, log, *script, "--", *QUICK], text=True).strip()


def wait(job: str) -> None:
    """Until no task of the array is left."""
    end = time.monotonic() + ENDED_WITHIN
    while subprocess.run(["squeue", "-h", "-j", job], capture_output=True, text=True, check=False).stdout.strip():
        if time.monotonic() > end:
            raise TimeoutError("the array did not end")
        time.sleep(1)


def kill_one(work: Path, job: str) -> None:
    """Kill every process of one task, as the kernel would for want of memory, once the application runs."""
    log = work / f"denoise-{job}_{KILLED}.log"
    while not (log.exists() and "starting" in log.read_text()):
        time.sleep(0.05)
    task = {f"SLURM_ARRAY_JOB_ID={job}".encode(), f"SLURM_ARRAY_TASK_ID={KILLED}".encode()}
    for environment in Path("/proc").glob("[0-9]*/environ"):
        with suppress(OSError):  # a process that has ended, or is nobody's to read
            if task <= set(environment.read_bytes().split(b"\0")):
                os.kill(int(environment.parent.name), signal.SIGKILL)


def outcomes(work: Path, job: str) -> dict[str, int]:
    """Count the tasks whose log has each outcome."""
    counted: dict[str, int] = {}
    for log in work.glob(f"denoise-{job}_*.log"):
        found = re.search(r"^study \d+: (exit code \d+|finished before)", log.read_text(), re.MULTILINE)
        outcome = found[1] if found else "killed"
        counted[outcome] = counted.get(outcome, 0) + 1
    return counted


def records(work: Path) -> dict[str, str]:
    """What is finished, by key."""
    return {path.stem: path.read_text() for path in (work / "results").glob("*.json")}


def whole(work: Path, finished: dict[str, str]) -> bool:
    """Whether each study's results have all the files that its record counts, the broken one's none."""
    counted = {key: json.loads(text)["counts"]["files_written"] for key, text in finished.items()}
    there = {key: len(list((work / "results" / key).glob("*.dcm"))) for key in finished}
    return counted == there and sorted(map(bool, counted.values())) == [False] + [True] * (len(counted) - 1)


def try_array(work: Path, count: int) -> bool:
    """Both rounds; whether every demand was met."""
    studies = make_studies(work / "studies", count)
    started = time.monotonic()
    first = submit(work, studies, count)
    kill_one(work, first)
    wait(first)
    between, finished = time.monotonic(), records(work)
    second = submit(work, studies, count)
    wait(second)
    ended, after = time.monotonic(), records(work)
    rounds = outcomes(work, first), outcomes(work, second)
    demands = {
        "the first round finishes all but the killed one": len(finished) == count - 1,
        "the broken study is refused, the killed task reports nothing": rounds[0]
        == {"exit code 0": count - 2, "exit code 3": 1, "killed": 1},
        "the second round does the killed one and skips all others": rounds[1]
        == {"finished before": count - 1, "exit code 0": 1},
        "what was finished is left as it was": after.items() >= finished.items() and len(after) == count,
        "every series is whole": whole(work, after),
    }
    for demand, met in demands.items():
        print("ok    " if met else "FAILED", demand)
    seconds = [json.loads(text)["seconds"] for text in after.values()]
    print(f"{count} studies on {os.cpu_count()} cores; first round {between - started:.0f} s {rounds[0]}, second "
          f"{ended - between:.0f} s {rounds[1]}; one study {sum(seconds) / len(seconds):.1f} s")  # fmt: skip
    return all(demands.values())


def main(count: int) -> int:
    """Start the cluster, try, end it."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        subprocess.run([str(ROOT / "deploy/slurm/one_node.sh"), name], check=True)
        os.environ |= {"SLURM_CONF": f"{name}/slurm.conf", "DENOISE": f"{sys.executable} -m app.batch_task"}
        try:
            met = try_array(work, count)
        finally:
            for daemon in ("slurmd", "slurmctld"):
                os.kill(int((work / f"{daemon}.pid").read_text()), signal.SIGTERM)
            time.sleep(3)  # both write their last state into the folder that goes now
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 40))
