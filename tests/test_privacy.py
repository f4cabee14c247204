"""No word of a patient in logs, reports, names or refusals, wherever in the input it stands."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from dicom_builders import file_meta, image_series, image_slice, save, speckle, ultrasound
from judges import judge, said_by
from pydicom import dcmread
from pydicom.datadict import DicomDictionary, dictionary_VR, tag_for_keyword
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.tag import Tag
from pydicom.uid import JPEGBaseline8Bit

from operators.dicom.cine import read_clip
from operators.dicom.errors import Refusal
from operators.dicom.geometry import stacks_of
from operators.dicom.pixels import read_volume
from operators.dicom.reading import read_study
from tests.small_study import CANARY, write_series

ROOT = Path(__file__).parent.parent
TEXT = {"LO", "SH", "PN", "LT", "ST", "UT", "UC", "UR", "AE"}
QUICK = ("--set", "ns_n2n.steps=4", "--set", "speckle2self.steps=2", "--device", "cpu", "--time-budget", "600")


def sung_everywhere(made: Dataset, kinds: set[str]) -> Dataset:
    """A canary in every attribute of these value representations that the dictionary has, and in a private one."""
    for tag, (kind, _, _, retired, keyword) in DicomDictionary.items():
        if kind in kinds and keyword and not retired and keyword not in made and tag >> 16 not in {0, 2, 4}:
            made.add_new(tag, kind, CANARY)
    made.private_block(0x0029, CANARY, create=True).add_new(1, "LO", CANARY)
    return made


def with_raw(made: Dataset, keyword: str, value: bytes) -> Dataset:
    """With bytes that its value representation forbids; pydicom warns of such, and repeats them."""
    tag = Tag(tag_for_keyword(keyword) or 0)
    made[tag] = RawDataElement(tag, dictionary_VR(tag), len(value), value, 0, False, True)
    return made


def hostile(folder: Path) -> None:
    """Objects that are refused or unread, each with a canary in what they are refused for."""
    bird = CANARY.encode()
    keywords = ("ImagePositionPatient", "PixelSpacing", "RescaleSlope", "EchoTime", "InstanceNumber", "SeriesNumber")
    for number, keyword in enumerate(keywords, 20):
        save(
            folder / keyword,
            *(file_meta(with_raw(made, keyword, bird)) for made in image_series("CT", 4, series=number)),
        )
    for number, keyword in enumerate(("SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "SOPClassUID"), 40):
        save(folder / keyword, with_raw(image_slice("CT", 0, series=number), keyword, bird))
    words = {"Modality": CANARY, "SOPClassUID": "1.2.840.10008.5.1.4.1.1.104.1"}
    save(folder / "pdf", file_meta(image_slice("CT", 0, series=50, **words)))
    save(folder / "charset", *image_series("CT", 4, series=51, SpecificCharacterSet=CANARY))
    save(folder / "types", *image_series("MR", 4, series=52, ImageType=["DERIVED", "PRIMARY", "MIP", CANARY]))
    save(folder / "colours", ultrasound(speckle(1), CANARY, SeriesInstanceUID="1.2.3.53", SOPInstanceUID="1.2.3.53.1"))
    broken = ultrasound(speckle(1), "MONOCHROME2", SeriesInstanceUID="1.2.3.54", SOPInstanceUID="1.2.3.54.1")
    broken.PixelData = encapsulate([bird * 9])
    broken["PixelData"].VR = "OB"
    save(folder / "stream", file_meta(broken, JPEGBaseline8Bit))


@pytest.fixture(scope="module")
def reported(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """All that a run of the command says, and its output folder."""
    folder = tmp_path_factory.mktemp(CANARY)
    source, target = folder / CANARY, folder / "out"
    save(source / CANARY, *(sung_everywhere(made, TEXT) for made in image_series("CT", 6)))
    write_series(source, "MR", 9)
    save(source / "codes", *(sung_everywhere(made, {"CS"}) for made in image_series("PT", 4, series=60)))
    hostile(source)
    (source / f"{CANARY}.txt").write_text(CANARY * 99)
    (source / f"{CANARY}.nii").write_text(CANARY * 99)
    (source / "task.json").write_text(json.dumps({"id": CANARY, "info": {"mrn": CANARY}, "process": {"settings": {}}}))
    command = [sys.executable, "-X", "dev", "-W", "default", "-m", "app", "-i", source, "-o", target, *QUICK]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr, target


@pytest.mark.slow
def test_what_is_said_holds_no_canary(reported: tuple[str, Path]) -> None:
    assert CANARY.lower() not in reported[0].lower()
    assert "Traceback" not in reported[0]


@pytest.mark.slow
def test_reports_and_names_hold_no_canary(reported: tuple[str, Path]) -> None:
    for report in ("result.json", "metadata.json"):
        assert CANARY.lower() not in (reported[1] / report).read_text().lower()
    for page in reported[1].glob("*.html"):
        assert CANARY.lower() not in page.read_text().lower()
    assert not [path.name for path in reported[1].iterdir() if CANARY.lower() in path.name.lower()]


@pytest.mark.slow
def test_the_printed_report_holds_no_canary(reported: tuple[str, Path], tmp_path: Path) -> None:
    found = [dcmread(file) for file in reported[1].glob("*.dcm")]
    reports = [one for one in found if one.Modality == "DOC"]
    assert reports
    for report in reports:
        (tmp_path / "page.pdf").write_bytes(report.EncapsulatedDocument)
        text = said_by(judge("pdftotext", "poppler-utils"), tmp_path / "page.pdf", "-")
        assert "Noise reduction report" in text
        assert CANARY.lower() not in text.lower()
        assert CANARY.lower().encode() not in report.EncapsulatedDocument.lower()


@pytest.mark.slow
def test_the_run_met_all_of_it(reported: tuple[str, Path]) -> None:
    result = json.loads((reported[1] / "result.json").read_text())
    assert result["counts"]["denoised"] >= 2
    assert result["counts"]["refused"] >= 8
    assert result["counts"]["failed"] == 0
    assert sum(result["unread_files"].values()) >= 5


def test_a_setting_of_the_host_is_reported_by_key_and_file_alone(tmp_path: Path) -> None:
    write_series(tmp_path / "in", "CT", 1, 1)
    task = {"id": CANARY, "info": {"patient_name": CANARY}, "process": {"settings": {"ns_n2n.stepps": 3}}}
    (tmp_path / "in" / "task.json").write_text(json.dumps(task))
    command = [sys.executable, "-m", "app", "-i", tmp_path / "in", "-o", tmp_path / "out"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "task.json: unknown key 'ns_n2n.stepps'" in json.loads(done.stdout)["error"]
    assert CANARY not in done.stdout + done.stderr


@pytest.mark.parametrize("way", [stacks_of, lambda series, _: read_volume(stacks_of(series, 4)[0]),
                                 lambda series, _: read_clip(series.instances[0])])  # fmt: skip
def test_refusals_hold_no_canary(tmp_path: Path, way: Callable[..., object]) -> None:
    hostile(tmp_path)
    study = read_study(tmp_path)
    reasons = [unread.reason for unread in study.unread]
    for series in study.series:
        try:
            series.check()
            way(series, 4)
        except Refusal as refusal:
            reasons.append(str(refusal))
    assert len(reasons) > 8
    assert not [reason for reason in reasons if CANARY in reason]
