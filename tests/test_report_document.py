"""The report as DICOM: an encapsulated PDF that the judges pass, filed with its study, the same bytes each time."""

import io
import subprocess
from pathlib import Path

import pytest
from dicom_builders import base, image_slice
from judges import judge, said_by
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.uid import CTImageStorage, EncapsulatedPDFStorage
from report_content import content
from test_judges_validators import contradictions_among, errors_in

from operators.dicom.encapsulated_pdf import Reported, encapsulated_pdf
from operators.dicom.provenance import Provenance
from operators.report.content import Content
from operators.report.pdf import page_pdf
from operators.report.plots import plots_png

PROVENANCE = Provenance("NS-N2N", "0.1.0", "abc123", 7, 100.0, "cpu", "float32", "AVX2 in 2 threads", 50)
REPORTED = Reported("2.25.11", ((CTImageStorage, "2.25.12"), (CTImageStorage, "2.25.13")))


@pytest.fixture(scope="module")
def pdf() -> bytes:
    return pdf_of(content())


def pdf_of(shown: Content) -> bytes:
    return page_pdf(shown, plots_png(shown))


def made_of(source: Dataset, pdf: bytes) -> Dataset:
    """Through bytes and back."""
    stream = io.BytesIO()
    encapsulated_pdf(pdf, source, REPORTED, PROVENANCE, 2002).save_as(stream, enforce_file_format=True)
    stream.seek(0)
    return dcmread(stream)


def test_it_is_filed_with_its_study_under_its_patient(pdf: bytes) -> None:
    source = image_slice("CT", 0)
    made = made_of(source, pdf)
    for keyword in ("PatientName", "PatientID", "StudyInstanceUID", "AccessionNumber", "StudyDate", "StudyID"):
        assert made[keyword].value == source[keyword].value
    assert (made.Modality, made.SeriesNumber, made.SOPClassUID) == ("DOC", 2002, EncapsulatedPDFStorage)
    assert "PixelSpacing" not in made
    assert "SeriesTime" not in made


def test_it_names_what_it_reports_of_and_by_whom_it_was_made(pdf: bytes) -> None:
    made = made_of(image_slice("CT", 0), pdf)
    assert [item.ReferencedSOPInstanceUID for item in made.SourceInstanceSequence] == ["2.25.12", "2.25.13"]
    assert made.ContributingEquipmentSequence[0].SoftwareVersions == "0.1.0"
    assert made.ConceptNameCodeSequence[0].CodeMeaning == made.DocumentTitle


def test_the_pdf_comes_back_as_it_was(pdf: bytes) -> None:
    made = made_of(image_slice("CT", 0), pdf)
    assert made.EncapsulatedDocument[: made.EncapsulatedDocumentLength] == pdf


def test_what_the_source_lacks_is_empty_and_what_is_broken_is_left(pdf: bytes) -> None:
    source = Dataset()
    source.StudyInstanceUID = "1.2"
    made = made_of(source, pdf)
    assert made.PatientName == ""
    assert made.PatientID is None or made.PatientID == ""


def test_the_same_twice_is_the_same_bytes(pdf: bytes) -> None:
    assert pdf_of(content()) == pdf
    assert b"/CreationDate (D:20000101" in pdf
    one, other = (made_of(image_slice("CT", 0), pdf) for _ in range(2))
    assert one == other
    assert one.SOPInstanceUID not in {one.SeriesInstanceUID, REPORTED.series_uid}


def test_no_error_in_the_object_and_none_in_its_study(judged: tuple[Path, Path], pdf: bytes, tmp_path: Path) -> None:
    source, _ = judged
    images = sorted((source / "ct").iterdir())
    file = tmp_path / "report.dcm"
    encapsulated_pdf(pdf, dcmread(images[0]), REPORTED, PROVENANCE, 2002).save_as(file, enforce_file_format=True)
    assert not errors_in(file)
    assert contradictions_among([*images, file]) <= contradictions_among(images)


def test_dcmtk_takes_the_pdf_out_again(pdf: bytes, tmp_path: Path) -> None:
    file, out = tmp_path / "report.dcm", tmp_path / "report.pdf"
    encapsulated_pdf(pdf, base("CT", 2, 0), REPORTED, PROVENANCE, 2002).save_as(file, enforce_file_format=True)
    said_by(judge("dcm2pdf", "dcmtk"), file, out)
    assert out.read_bytes() == pdf


def test_it_is_one_sheet_of_a4_with_its_fonts_and_its_words(pdf: bytes, tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(pdf)
    information = said_by(judge("pdfinfo", "poppler-utils"), tmp_path / "report.pdf")
    assert "Pages:           1" in information
    assert "(A4)" in information
    fonts = said_by(judge("pdffonts", "poppler-utils"), tmp_path / "report.pdf").splitlines()[2:]
    assert fonts
    assert all(line.split()[-5:-2] == ["yes", "yes", "yes"] for line in fonts), "embedded, a part, with their meaning"
    text = said_by(judge("pdftotext", "poppler-utils"), "-layout", tmp_path / "report.pdf", "-")
    for words in (
        "Noise reduction report",
        "noise in homogeneous tissue",
        "slice order",
        "failed",
        "of it sure",
        "-3 HU",
        "Not for:",
    ):
        assert words in text


def test_nothing_lies_on_another_or_over_the_edge(pdf: bytes, tmp_path: Path) -> None:
    """Every line of text has a box of its own inside the margins."""
    (tmp_path / "report.pdf").write_bytes(pdf)
    command = [judge("pdftotext", "poppler-utils"), "-bbox", tmp_path / "report.pdf", "-"]
    boxes = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    places = [line.split('"')[1:8:2] for line in boxes.splitlines() if "<word" in line]
    for left, top, right, bottom in (map(float, place) for place in places):
        assert 30 < left < right < 595 - 20
        assert 30 < top < bottom < 842 - 20


def test_a_long_reason_wraps_and_flows_on(tmp_path: Path) -> None:
    (tmp_path / "report.pdf").write_bytes(pdf_of(content(reason="edge width 38 % against 10 %, " * 200 + "the end")))
    text = said_by(judge("pdftotext", "poppler-utils"), "-raw", tmp_path / "report.pdf", "-")
    assert text.count("38 %") == 200
    assert "the end" in text
