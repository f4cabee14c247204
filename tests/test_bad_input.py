"""Bad input gets one clear sentence, no file, and the exit code of a run that had nothing to write."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG4HP41

from app.application import run
from app.exit_codes import ExitCode
from app.result_json import result_of, summary_of
from app.settings import Settings
from models.compute import choose_compute
from operators.output_folder import OutputFolder
from tests.small_study import CANARY, instance, save, write_series


def empty(folder: Path) -> None:
    folder.mkdir()


def not_dicom(folder: Path) -> None:
    folder.mkdir()
    (folder / f"{CANARY}.dcm").write_text(CANARY)


def truncated(folder: Path) -> None:
    write_series(folder, "CT", 1)
    for path in filter(Path.is_file, list(folder.rglob("*"))):
        path.write_bytes(path.read_bytes()[:-100])


def no_decoder(folder: Path) -> None:
    clip = instance("US", 1, 0)
    path = save(clip, folder / "clip")
    clip.file_meta.TransferSyntaxUID = MPEG4HP41
    clip["PixelData"].VR = "OB"
    clip["PixelData"].is_undefined_length = True
    clip.PixelData = encapsulate([bytes(64)])
    clip.save_as(path, enforce_file_format=True)


def computed_map(folder: Path) -> None:
    write_series(folder, "MR", 1, ImageType=["DERIVED", "PRIMARY", "DIFFUSION", "ADC"])


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (empty, "the input holds no series"),
        (not_dicom, "not a DICOM file"),
        (truncated, "cannot be decoded"),
        (no_decoder, "cannot be decoded"),
        (computed_map, "an ADC map is not denoised"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_bad_input(tmp_path: Path, make: Callable[[Path], None], sentence: str) -> None:
    make(tmp_path / "in")
    folder, settings, compute = OutputFolder(tmp_path / "out"), Settings(), choose_compute("cpu")
    folder.prepare()
    result = result_of(run(tmp_path / "in", folder, settings, compute), settings, compute, 0.0)
    reported = " ".join([summary_of(result), *(row["reason"] for row in result["series"])])
    assert result["exit_code"] == ExitCode.NOTHING_WRITTEN, reported
    assert sentence in reported
    assert CANARY not in reported
    assert not list((tmp_path / "out").iterdir())
