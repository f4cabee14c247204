"""One study of many: what is finished is not done again; input, settings and version decide what that is."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.batch_task import MANIFEST, key_of
from tests.small_study import CANARY, write_series

ROOT = Path(__file__).parent.parent
QUICK = ("--set", "ns_n2n.steps=4", "--time-budget", "600", "--device", "cpu")
ENDLESS = ("--set", "ns_n2n.steps=100000", "--time-budget", "1000000", "--device", "cpu")
SBATCH = ROOT / "deploy/slurm/denoise.sbatch"


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    """Two studies: one to denoise, one without an image."""
    write_series(tmp_path / f"{CANARY} 1", "CT", 1)
    write_series(tmp_path / f"{CANARY} 2", "SR", 1, 1)
    (tmp_path / "studies.txt").write_text(f"{tmp_path / f'{CANARY} 1'}\n{tmp_path / f'{CANARY} 2'}\n")
    return tmp_path / "studies.txt"


def many(listing: Path, number: int, *arguments: str) -> list[str]:
    return [
        sys.executable,
        "-m",
        "app.batch_task",
        str(listing),
        str(number),
        str(listing.parent / "results"),
        *arguments,
    ]


def done(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    made = subprocess.run(
        command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, check=False
    )
    assert CANARY not in made.stdout + made.stderr
    return made


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestKey:
    def test_names_do_not_count_and_bytes_do(self, tmp_path: Path) -> None:
        for name, content in (
            ("a/1", b"1"),
            ("a/2", b"2"),
            ("b/x/2", b"2"),
            ("b/y", b"1"),
            ("c/1", b"1"),
            ("c/2", b""),
        ):
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(content)
        keys = [key_of(tmp_path / name, [MANIFEST], []) for name in "abc"]
        assert keys[0] == keys[1] != keys[2]

    def test_settings_and_arguments_count(self, tmp_path: Path) -> None:
        (tmp_path / "study").write_bytes(b"1")
        (tmp_path / "other.yaml").write_text("run: {seed: 1}")
        given = [
            ([MANIFEST], []),
            ([tmp_path / "other.yaml"], []),
            ([MANIFEST], ["ab", "c"]),
            ([MANIFEST], ["a", "bc"]),
        ]
        assert len({key_of(tmp_path / "study", *each) for each in given}) == len(given)


class TestWork:
    @pytest.mark.slow
    def test_what_is_finished_is_not_done_again(self, listing: Path) -> None:
        results = listing.parent / "results"
        first = done(many(listing, 1, "--", *QUICK))
        assert (first.returncode, "exit code 0" in first.stdout) == (0, True)
        record, folder = sorted(results.iterdir(), key=lambda path: path.is_dir())
        result = json.loads(record.read_text())
        assert (record.name, result["counts"]["denoised"]) == (f"{folder.name}.json", 1)
        assert len(list(folder.glob("*.dcm"))) == result["counts"]["files_written"] >= 6
        times = {path: path.stat().st_mtime_ns for path in results.rglob("*")}
        again = done(many(listing, 1, "--", *QUICK))
        assert (again.returncode, "finished before" in again.stdout) == (0, True)
        assert {path: path.stat().st_mtime_ns for path in results.rglob("*")} == times

    @pytest.mark.slow
    def test_nothing_to_write_is_finished_too(self, listing: Path) -> None:
        command = {"SLURM_ARRAY_TASK_ID": "2", "DENOISE": f"{sys.executable} -m app.batch_task"}
        array = ["bash", str(SBATCH), str(listing), str(listing.parent / "results"), "--", *QUICK]
        assert "exit code 3" in done(array, **command).stdout
        assert "finished before" in done(array, **command).stdout

    def test_a_task_that_is_ended_is_not_finished(self, listing: Path) -> None:
        process = subprocess.Popen(
            many(listing, 1, "--", *ENDLESS), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert process.stderr
        for line in process.stderr:
            if "starting" in line:
                break
        process.send_signal(signal.SIGTERM)
        process.communicate()
        assert process.returncode == 143
        assert not list((listing.parent / "results").glob("*.json"))
        assert not list((listing.parent / "results").rglob("*.dcm"))

    @pytest.mark.parametrize("number", [0, 3])
    def test_a_line_that_is_not_there_is_reported(self, listing: Path, number: int) -> None:
        made = done(many(listing, number))
        assert (made.returncode, f"no study number {number}" in made.stderr) == (2, True)

    def test_a_study_that_is_not_there_is_reported(self, listing: Path) -> None:
        listing.write_text(f"/{CANARY}\n")
        made = done(many(listing, 1))
        assert (made.returncode, "does not exist" in made.stderr) == (2, True)
