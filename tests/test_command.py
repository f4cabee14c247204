"""The command as hosts run it: exit codes, what stands on stdout and stderr, and that no patient is named."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pydicom
import pytest

from app.__main__ import main
from app.arguments import CONFIG_VARIABLE, INPUT_VARIABLE, OUTPUT_VARIABLE
from app.exit_codes import ExitCode
from app.host_process import Ending
from tests.small_study import CANARY, write_series

ROOT = Path(__file__).parent.parent
QUICK = ("--set", "ns_n2n.steps=4", "--time-budget", "600", "--device", "cpu")
ENDLESS = ("--set", "ns_n2n.steps=100000", "--time-budget", "1000000", "--device", "cpu")
END_WITHIN = 10.0  # seconds after SIGTERM: what hosts grant before they kill
SCHEMA = json.loads((ROOT / "docs" / "result.schema.json").read_text())
COUNTS = ("found", "denoised", "refused", "failed", "files_written")


def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "app", *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, dict[str, Any], str]:
    """Exit code, the line of JSON, the log; nothing else may have been said, nobody named, and the schema kept."""
    out, log = process.communicate()
    assert out.count("\n") == 1, out
    assert CANARY not in out + log
    assert "Traceback" not in log
    result = json.loads(out)
    if "error" not in result:
        jsonschema.validate(result, SCHEMA)
    return process.returncode, result, log


def counts(result: Mapping[str, Any]) -> list[int]:
    return [result["counts"][name] for name in COUNTS]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    write_series(folder, "CT", 1)
    write_series(folder, "SR", 2, 1)
    (folder / f"{CANARY}.txt").write_text(CANARY)
    return folder


@pytest.fixture(scope="module")
def written(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """One run that goes well, started by the host's variables alone."""
    target = tmp_path_factory.mktemp("written") / "new"
    code, result, log = finish(start(*QUICK, **{INPUT_VARIABLE: str(study), OUTPUT_VARIABLE: str(target)}))
    assert code == ExitCode.WRITTEN, log
    return result, target


@pytest.mark.slow
def test_a_series_written_and_one_refused_is_success(written: tuple[dict[str, Any], Path]) -> None:
    result, target = written
    assert counts(result) == [2, 1, 1, 0, 7], "six images and their report"
    assert len(list(target.glob("*.dcm"))) == 7
    assert json.loads((target / "result.json").read_text()) == result
    assert {path.suffix for path in target.iterdir()} == {".dcm", ".json", ".html"}


@pytest.mark.slow
def test_metadata_is_flat(written: tuple[dict[str, Any], Path]) -> None:
    metadata = json.loads((written[1] / "metadata.json").read_text())
    assert not [value for value in metadata.values() if isinstance(value, dict | list)]
    assert (metadata["series_denoised"], metadata["modalities_denoised"]) == (1, "CT")
    assert "exception" not in metadata
    assert (metadata["schema_version"], metadata["reason_codes"]) == (2, "not-an-image-class")


@pytest.mark.slow
def test_a_row_reports_how_a_series_was_denoised(written: tuple[dict[str, Any], Path]) -> None:
    (row,) = [row for row in written[0]["series"] if row["status"] == "denoised"]
    for key in ("series_uid", "method", "instances", "seconds", "settings", "settings_hash", "seed", "device"):
        assert row[key] not in ("", None)
    assert row["steps_taken"] == row["steps_planned"]
    assert [(series["kind"], series["files"]) for series in row["written"]] == [("denoised", 6), ("report", 1)]
    ((assessment,),) = row["assessments"]
    assert assessment["passed"] == all(check["passed"] for check in assessment["checks"])
    assert row["reason_code"] == ""


@pytest.mark.slow
def test_a_row_reports_programs_why_a_series_was_refused(written: tuple[dict[str, Any], Path]) -> None:
    (row,) = [row for row in written[0]["series"] if row["status"] == "refused"]
    assert row["reason_code"] == "not-an-image-class"
    assert "method" not in row


@pytest.mark.slow
def test_nothing_to_write_leaves_nothing_but_what_was_asked_for(tmp_path: Path) -> None:
    write_series(tmp_path / "in", "SR", 2, 1)
    asked = ("--set", "outputs.metadata_on_failure=true")
    code, result, _ = finish(start("-i", tmp_path / "in", "-o", tmp_path / "out", *asked))
    assert (code, counts(result)) == (ExitCode.NOTHING_WRITTEN, [1, 0, 1, 0, 0])
    assert names(tmp_path / "out") == ["metadata.json"]
    assert json.loads((tmp_path / "out" / "metadata.json").read_text())["exception"] == "NothingWritten"


@pytest.mark.slow
def test_a_series_that_can_not_be_written_has_failed(
    study: Path, written: tuple[dict[str, Any], Path], tmp_path: Path
) -> None:
    in_the_way = sorted(path.name for path in written[1].glob("*.dcm"))[-1]
    (tmp_path / in_the_way).mkdir()
    code, result, log = finish(start("-i", study, "-o", tmp_path, *QUICK))
    assert (code, counts(result)) == (ExitCode.FAILED, [2, 0, 1, 1, 0])
    assert "ERROR" in log
    assert [row["reason_code"] for row in result["series"] if row["status"] == "failed"] == ["unexpected-error"]
    assert names(tmp_path) == [in_the_way]


@pytest.mark.slow
def test_a_crash_is_reported_in_one_sentence(study: Path, tmp_path: Path) -> None:
    (tmp_path / "nibabel.py").write_text(f"raise RuntimeError('{CANARY}')")
    code, result, _ = finish(start("-i", study, "-o", tmp_path / "out", PYTHONPATH=str(tmp_path)))
    assert code == ExitCode.CRASHED
    assert "RuntimeError at nibabel.py:1" in result["error"]


@pytest.mark.slow
def test_sigterm_in_the_middle_ends_soon_and_leaves_nothing(study: Path, tmp_path: Path) -> None:
    process = start("-i", study, "-o", tmp_path / "out", *ENDLESS, HOLOSCAN_LOG_LEVEL="INFO")
    assert process.stderr is not None
    next(line for line in process.stderr if "Scheduling" in line)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=END_WITHIN)
    assert process.returncode == 128 + signal.SIGTERM
    assert not names(tmp_path / "out")


@pytest.mark.slow
def test_a_killed_run_leaves_every_series_that_it_reported_whole(tmp_path: Path) -> None:
    for number in (7, 8):
        write_series(tmp_path / "in", "MR", number)
    process = start("-i", tmp_path / "in", "-o", tmp_path / "out", *QUICK)
    assert process.stderr is not None
    line = next(line for line in process.stderr if ": denoised; in " in line)
    process.kill()
    process.communicate()
    files = list((tmp_path / "out").glob("*.dcm"))
    (reported,) = {int(part.split()[0]) for part in line.split(", ") if part.strip().endswith("files")}
    images = Counter(pydicom.dcmread(path).SeriesInstanceUID for path in files)
    assert len(files) >= reported == 6 + 1
    assert {6, 1} <= set(images.values())
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "out" / "result.json").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), f"set {INPUT_VARIABLE} and {OUTPUT_VARIABLE}"),
        (("-i", "{study}/none", "-o", "{out}"), "does not exist"),
        (("-i", "{study}", "-o", "{study}"), "same path"),
        (("-i", "{study}", "-o", "{study}/CANARYBIRD.txt/out"), "can't be written"),
        (("-i", "{study}", "-o", "{out}", "--strength", "many"), "run.strength.0 takes"),
        (("-i", "{study}", "-o", "{out}", "--strength", "0"), "above 0 to 100"),
        (("-i", "{study}", "-o", "{out}", "--device", "abacus"), "'abacus'"),
        (("-i", "{study}", "-o", "{out}", "--time-budget", "-1"), "seconds above 0"),
        (("-i", "{study}", "-o", "{out}", "--set", "ns_n2n.stepz=1"), "unknown key 'ns_n2n.stepz'"),
        (("-i", "{study}", "-o", "{out}", "--config", "{study}/none.yaml"), "none.yaml: "),
        (("--turbo",), "unrecognized arguments: --turbo"),
    ],
)
def test_what_can_not_be_followed_is_reported_in_one_sentence(
    study: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    given = [argument.format(study=study, out=tmp_path / "out") for argument in arguments]
    assert main(given, {}, Ending()) == ExitCode.UNUSABLE
    captured = capsys.readouterr()
    assert message in json.loads(captured.out)["error"]
    assert message in captured.err
    assert not (tmp_path / "out").exists()
    assert CONFIG_VARIABLE not in captured.err
