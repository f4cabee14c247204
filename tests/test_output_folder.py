"""Files appear whole or not at all."""

import errno
import json
from pathlib import Path

import pytest

from operators.output_folder import NotWritableError, OutputFolder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "new" / "output"


def stage(output: OutputFolder, *names: str, error: OSError | None = None) -> None:
    with output.staged() as staging:
        for name in names:
            (staging / name).write_text(name)
        if error:
            raise error


def test_staged_files_appear_together_at_the_end(folder: Path) -> None:
    output = OutputFolder(folder)
    output.prepare()
    with output.staged() as staging:
        (staging / "a.dcm").write_text("a")
        (staging / "b.dcm").write_text("b")
        assert not list(folder.glob("*.dcm"))
    assert sorted(path.name for path in folder.iterdir()) == ["a.dcm", "b.dcm"]


def test_an_error_leaves_nothing(folder: Path) -> None:
    output = OutputFolder(folder)
    output.prepare()
    with pytest.raises(OSError, match="full"):
        stage(output, "a.dcm", error=OSError(errno.ENOSPC, "disk full"))
    assert not list(folder.iterdir())


def test_an_error_in_the_middle_of_the_move_takes_back_what_was_moved(folder: Path) -> None:
    output = OutputFolder(folder)
    output.prepare()
    (folder / "b.dcm").mkdir()
    with pytest.raises(OSError, match="directory"):
        stage(output, "a.dcm", "b.dcm")
    assert [path.name for path in folder.iterdir()] == ["b.dcm"]


def test_what_a_killed_run_left_is_removed_and_its_reports_are_taken_back(folder: Path) -> None:
    (folder / ".unfinished-x").mkdir(parents=True)
    (folder / ".unfinished-x" / "a").write_text("half")
    (folder / "result.json").write_text("{}")
    (folder / "other.txt").write_text("somebody's")
    OutputFolder(folder).prepare()
    assert [path.name for path in folder.iterdir()] == ["other.txt"]


def test_a_folder_that_takes_no_files_is_refused_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritableError, match=r"can't be written .* -o"):
        OutputFolder(tmp_path / "file" / "output").prepare()


def test_reports_are_json(folder: Path) -> None:
    output = OutputFolder(folder)
    output.prepare()
    output.write_reports({"result.json": {"exit_code": 0}})
    assert json.loads((folder / "result.json").read_text()) == {"exit_code": 0}
