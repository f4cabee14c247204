"""dciodvfy and dcentvfy: no error in a derived object, or in a study that holds it, that its source did not have."""

import re
from pathlib import Path

import pytest
from judges import files_by_uid, judge, said_by, source_of
from pydicom import dcmread

PACKAGE = "dicom3tools"
KINDS = ("ct", "enhanced CT", "enhanced MR", "enhanced PT", "mr", "pet", "us")


@pytest.mark.parametrize("kind", KINDS)
def test_no_error_in_an_object_that_its_source_did_not_have(judged: tuple[Path, Path], kind: str) -> None:
    source, derived = judged
    sources = files_by_uid(source)
    files = list((derived / kind).iterdir())
    assert files
    for file in files:
        assert errors_in(file) <= errors_in(source_of(dcmread(file, stop_before_pixels=True), sources))


@pytest.mark.parametrize("kind", KINDS)
def test_no_contradiction_in_a_study_that_its_source_did_not_have(judged: tuple[Path, Path], kind: str) -> None:
    source, derived = judged
    both = [*(source / kind).iterdir(), *(derived / kind).iterdir()]
    assert contradictions_among(both) <= contradictions_among([*(source / kind).iterdir()])


def test_the_validators_do_find_errors(judged: tuple[Path, Path], tmp_path: Path) -> None:
    source, _ = judged
    one, other = (dcmread(file) for file in sorted((source / "ct").iterdir())[:2])
    del one.StudyInstanceUID
    other.SOPInstanceUID = other.file_meta.MediaStorageSOPInstanceUID = "2.25.1"
    other.PatientBirthDate, other.Modality = "18991231", "MR"
    for number, made in enumerate((one, other)):
        made.save_as(tmp_path / str(number))
    assert errors_in(tmp_path / "0")
    assert contradictions_among([*(source / "ct").iterdir(), tmp_path / "1"])


def errors_in(file: Path) -> set[str]:
    """The errors of one object without their place: a group may move from the shared to each frame's own.

    Not counted: that the MR Pulse Sequence module of a DERIVED image may not be present, for PS3.3 C.8.13.4
    says of its attributes "may be present otherwise".
    """
    lines = said_by(judge("dciodvfy", PACKAGE), "-new", file).splitlines()
    errors = (line for line in lines if line.startswith("Error") and "MRPulseSequence" not in line)
    return {re.sub(r"</.*[/\]]([^/]+)>", r"\1", line) for line in errors}


def contradictions_among(files: list[Path]) -> set[str]:
    """What differs between objects that name one patient, study, series or equipment; without UIDs and values."""
    lines = said_by(judge("dcentvfy", PACKAGE), *sorted(files)).splitlines()
    return {re.sub(r"[<>'\"(][^ ]*|[0-9.]{10,}", "", line) for line in lines if line.startswith("Error")}
