"""The demo's study and its scores, through DICOM and back."""

import json
import shutil
import subprocess

import numpy as np
import pydicom
import pytest

from validation import demo, demo_study
from validation.phantoms.phantom_study import SERIES_NUMBER
from validation.read_back import read_series

VALIDATOR = shutil.which("dciodvfy")


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    folder = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demo_study, "CT_SHAPE", (4, 96, 96))
        patch.setattr(demo_study, "MR_SHAPE", (4, 64, 64))
        patch.setattr(demo_study, "PET_SHAPE", (8, 64, 64))
        patch.setattr(demo_study, "CINE_FRAMES", 3)
        return folder, demo_study.make_study(folder / "study", 0)


def headers(folder):
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in sorted(folder.rglob("*.dcm"))]


def test_one_study_of_one_patient_with_a_series_of_each_kind(study):
    folder, series = study
    found = headers(folder / "study")
    assert len({header.StudyInstanceUID for header in found}) == 1
    assert {header.SeriesInstanceUID for header in found} == {each.uid for each in series}
    assert {int(header.SeriesNumber) for header in found} == set(SERIES_NUMBER.values())
    assert len({header.SOPInstanceUID for header in found}) == len(found)
    assert len({float(header.RescaleSlope) for header in found if header.Modality == "PT"}) > 1


@pytest.mark.skipif(VALIDATOR is None, reason="dciodvfy is not installed")
def test_every_file_is_valid_dicom(study):
    for path in sorted((study[0] / "study").rglob("*.dcm")):
        said = subprocess.run([VALIDATOR, path], capture_output=True, text=True, check=False).stderr
        assert "Error" not in said, (path.name, said)


def test_what_is_read_back_is_near_its_truth_and_of_its_shape(study):
    folder, series = study
    for each in series:
        volume = read_series(folder / "study", each.uid)
        assert volume.shape == each.truth.shape
        assert abs(volume[each.even].mean() / each.truth[each.even].mean() - 1) < 0.05


def test_text_and_ruler_lie_outside_the_tissue_region(study):
    for path in sorted((study[0] / "study" / "us").glob("*.dcm")):
        instance = pydicom.dcmread(path)
        region = instance.SequenceOfUltrasoundRegions[0]
        frame = instance.pixel_array if instance.SamplesPerPixel == 3 else instance.pixel_array[0]
        outside = np.ones(frame.shape[:2], bool)
        rows = slice(region.RegionLocationMinY0, region.RegionLocationMaxY1 + 1)
        outside[rows, region.RegionLocationMinX0 : region.RegionLocationMaxX1 + 1] = False
        assert frame[outside].max() == 255


def test_a_perfect_derived_series_scores_best_and_is_pictured(study):
    folder, series = study
    ct = series[0]
    (folder / "derived").mkdir()
    for index, path in enumerate(sorted((folder / "study" / "ct").glob("*.dcm"))):
        derived = pydicom.dcmread(path)
        derived.SeriesInstanceUID = "2.25.1"
        derived.PixelData = (np.rint(ct.truth[index]) + 1024).astype(np.int16).tobytes()
        derived.save_as(folder / "derived" / path.name)
    derived.SeriesInstanceUID, derived.EncapsulatedDocument, derived.EncapsulatedDocumentLength = (
        "2.25.2",
        b"%PDF\0\0",
        5,
    )
    derived.save_as(folder / "derived" / "report.dcm")
    written = [{"series_uid": "2.25.1", "kind": "denoised"}, {"series_uid": "2.25.2", "kind": "report"}]
    row = {"series_uid": ct.uid, "status": "denoised", "seconds": 1.5, "written": written}
    refused = {"series_uid": series[1].uid, "status": "refused"}
    (folder / "derived" / "result.json").write_text(json.dumps({"series": [row, refused]}))
    (only,) = demo.compare(series, folder)
    assert only.after.psnr > only.before.psnr + 20
    assert only.after.ssim > 0.99
    recorded = read_series(folder / "study", ct.uid)[ct.mean_of].mean()
    assert only.mean_change == pytest.approx(ct.truth[ct.mean_of].mean() - recorded, abs=0.1)  # rounded to HU
    assert "CT" in str(only)
    pictures = {path.name for path in (folder / "pictures").iterdir()}
    assert pictures == {"ct_soft.png", "ct_lung.png", "ct_report.pdf"}
    assert (folder / "pictures" / "ct_report.pdf").read_bytes() == b"%PDF\0"


@pytest.mark.slow
def test_a_run_that_denoises_nothing_ends_the_demo_with_its_exit_code(tmp_path, monkeypatch):
    def nothing_to_denoise(folder, seed):
        folder.mkdir()
        (folder / "note.txt").write_text("no image")
        return []

    monkeypatch.setattr(demo, "make_study", nothing_to_denoise)
    assert demo.demonstrate(tmp_path, 0) == 3
    assert not (tmp_path / "table.txt").exists()
