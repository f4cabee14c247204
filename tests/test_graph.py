"""The whole graph on a small study: no series is lost, the same input gives the same bytes."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pydicom
import pytest

from app.application import run
from app.settings import Settings, load_settings
from models.compute import choose_compute
from operators.dicom import cine, deriving, parts, pixels
from operators.dicom.decoding import Samples, decoded_frames
from operators.dicom.label_masks import SLICES_EXAMINED
from operators.ledger import Ledger
from operators.output_folder import OutputFolder
from tests.small_study import series_uid, write_series

QUICK = ["ns_n2n.steps=4", "run.time_budget=600", "run.device=cpu"]
OUTCOMES = {1: "denoised", 2: "refused", 3: "denoised", 4: "denoised", 5: "denoised", 6: "denoised"}
INSTANCES = 6 + 6 + 1 + 6 + 2  # of the series that are denoised


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("study")
    for number, (modality, slices) in enumerate((("CT", 6), ("SR", 1), ("MR", 6), ("CT", 1), ("PT", 6), ("MR", 2)), 1):
        write_series(folder, modality, number, slices)
    return folder


def denoised(source: Path, target: Path, settings: Settings) -> Ledger:
    folder = OutputFolder(target)
    folder.prepare()
    return run(source, folder, settings, choose_compute(settings.run.device))


def hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def first(study: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Ledger, Path]:
    target = tmp_path_factory.mktemp("first")
    return denoised(study, target, load_settings(overrides=[*QUICK, "run.strength=[60,100]"])), target


def test_every_series_has_its_outcome(first: tuple[Ledger, Path]) -> None:
    entries = {entry.series_uid: entry for entry in first[0].settle()}
    assert {uid: entry.status for uid, entry in entries.items()} == {
        series_uid(number): status for number, status in OUTCOMES.items()
    }
    assert all(bool(entry.reason) is (entry.status == "refused") for entry in entries.values())


def test_two_strengths_are_two_series_of_one_fit(first: tuple[Ledger, Path]) -> None:
    for entry in first[0].settle():
        if entry.status == "denoised":
            assert [(series.kind, series.strength) for series in entry.written] == [
                ("denoised", 60), ("denoised", 100), ("report", 60), ("report", 100)
            ]  # fmt: skip
            assert len({series.series_uid for series in entry.written}) == 4
            assert len(entry.fits) == 1
    numbers = {int(pydicom.dcmread(path).SeriesNumber) for path in first[1].glob("*.dcm")}
    assert len(numbers) == 5 * 4


def test_the_output_is_flat_and_named_by_our_own_uids(first: tuple[Ledger, Path]) -> None:
    files = list(first[1].glob("*.dcm"))
    assert len(files) == 2 * (INSTANCES + 5)
    assert all(file.name == f"{pydicom.dcmread(file).SOPInstanceUID}.dcm" for file in files)
    pages = {file.name for file in first[1].iterdir()} - {file.name for file in files}
    derived = {
        series.series_uid for entry in first[0].settle() for series in entry.written if series.kind == "denoised"
    }
    assert pages == {f"{uid}.html" for uid in derived}


def test_a_report_refers_to_one_derived_series_in_its_study(first: tuple[Ledger, Path]) -> None:
    objects = [pydicom.dcmread(file) for file in first[1].glob("*.dcm")]
    reports = [one for one in objects if one.Modality == "DOC"]
    for report in reports:
        references = {item.ReferencedSOPInstanceUID for item in report.SourceInstanceSequence}
        (reported,) = {one.SeriesInstanceUID for one in objects if one.SOPInstanceUID in references}
        assert references == {one.SOPInstanceUID for one in objects if one.SeriesInstanceUID == reported}
        assert report.StudyInstanceUID == objects[0].StudyInstanceUID
    assert len(reports) == 2 * 5


@pytest.mark.slow
def test_the_same_again_is_the_same_bytes(study: Path, first: tuple[Ledger, Path], tmp_path: Path) -> None:
    before = hashes(study)
    denoised(study, tmp_path, load_settings(overrides=[*QUICK, "run.strength=[60,100]"]))
    assert hashes(tmp_path) == hashes(first[1])
    assert hashes(study) == before


@pytest.mark.slow
def test_another_setting_gives_other_uids(first: tuple[Ledger, Path], study: Path, tmp_path: Path) -> None:
    denoised(study, tmp_path, load_settings(overrides=[*QUICK, "run.seed=1", "outputs.report=false"]))
    assert len(hashes(tmp_path)) == INSTANCES, "no report where none is wanted"
    assert not set(hashes(tmp_path)) & set(hashes(first[1]))


@pytest.mark.slow
@pytest.mark.parametrize(("strengths", "decodes"), [("[100]", 2), ("[60,100]", 3)])
def test_a_ct_is_decoded_once_to_fit_and_once_for_each_series_written_and_a_few_slices_to_examine_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strengths: str, decodes: int
) -> None:
    write_series(tmp_path / "in", "CT", 1, SLICES_EXAMINED + 2)
    decoded: Counter[str] = Counter()

    def counted(dataset: pydicom.Dataset, frames: Sequence[int]) -> Iterator[tuple[Samples, str]]:
        decoded[dataset.SOPInstanceUID] += 1
        return decoded_frames(dataset, frames)

    for module in (cine, deriving, parts, pixels):
        monkeypatch.setattr(module, "decoded_frames", counted)
    ledger = denoised(tmp_path / "in", tmp_path / "out", load_settings(overrides=[*QUICK, f"run.strength={strengths}"]))
    assert [entry.status for entry in ledger.settle()] == ["denoised"]
    assert sorted(decoded.values()) == [decodes] * 2 + [decodes + 1] * SLICES_EXAMINED


def test_time_that_is_over_refuses_every_series_it_would_have_been_for(study: Path, tmp_path: Path) -> None:
    ledger = denoised(study, tmp_path, load_settings(overrides=["run.time_budget=0.000001"]))
    states = {entry.series_uid: entry.status for entry in ledger.settle()}
    assert states[series_uid(1)] == "refused"
    assert not list(tmp_path.iterdir())
