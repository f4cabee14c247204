"""Orthanc, a real PACS, on this machine alone: what it stores of a derived series is what was written.

In by C-STORE and out by C-GET (dcmtk's storescu and getscu); in by STOW-RS, found by QIDO-RS, out by WADO-RS.
"""

import json
import urllib.request
from collections.abc import Iterator
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path

import numpy as np
import pytest
from judges import SECONDS, files_by_uid, judge, missing, said_by
from orthanc import PLUGIN, Pacs, running
from pydicom import dcmread
from pydicom.dataset import Dataset

KINDS = ("ct", "enhanced CT", "enhanced MR", "enhanced PT", "mr", "pet", "us")
BOUNDARY = "0123456789abcdef"


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pacs]:
    with running(tmp_path_factory.mktemp("orthanc")) as started:
        yield started


def assert_same_pixels(one: Dataset, other: Dataset) -> None:
    assert one.SOPInstanceUID == other.SOPInstanceUID
    assert one.PixelData == other.PixelData
    assert np.array_equal(one.pixel_array, other.pixel_array)


@pytest.mark.parametrize("kind", KINDS)
def test_stored_by_c_store_comes_back_by_c_get(
    judged: tuple[Path, Path], pacs: Pacs, kind: str, tmp_path: Path
) -> None:
    sent = files_by_uid(judged[1] / kind)
    place = ("127.0.0.1", pacs.dicom_port)
    said = said_by(judge("storescu", "dcmtk"), "-v", "-R", *place, *sent.values())
    assert said.count("Received Store Response (Success)") == len(sent), said
    for series in {str(dcmread(file, stop_before_pixels=True).SeriesInstanceUID) for file in sent.values()}:
        study = dcmread(next(iter(sent.values())), stop_before_pixels=True).StudyInstanceUID
        keys = ("QueryRetrieveLevel=SERIES", f"StudyInstanceUID={study}", f"SeriesInstanceUID={series}")
        said_by(
            judge("getscu", "dcmtk"), "-S", *place, "-od", tmp_path, *(word for key in keys for word in ("-k", key))
        )
    back = files_by_uid(tmp_path)
    assert back.keys() == sent.keys()
    for uid, file in sent.items():
        assert_same_pixels(dcmread(file), dcmread(back[uid]))


@pytest.mark.parametrize("kind", KINDS)
def test_stored_by_dicomweb_is_found_and_comes_back(judged: tuple[Path, Path], pacs: Pacs, kind: str) -> None:
    if not PLUGIN.exists():
        missing("Orthanc's DICOMweb plugin (Debian package orthanc-dicomweb) is not installed")
    file = next((judged[1] / kind).iterdir())
    sent = dcmread(file)
    stow(pacs, file.read_bytes())
    where = f"/dicom-web/studies/{sent.StudyInstanceUID}/series/{sent.SeriesInstanceUID}/instances"
    found = json.loads(pacs.get(f"{where}?SOPInstanceUID={sent.SOPInstanceUID}")[0])
    assert [each["00080018"]["Value"] for each in found] == [[sent.SOPInstanceUID]]
    frames = f"{where}/{sent.SOPInstanceUID}/frames/1"
    (pixels,) = parts_of(*pacs.get(frames, 'multipart/related; type="application/octet-stream"'))
    frame_bytes = sent.Rows * sent.Columns * sent.SamplesPerPixel * sent.BitsAllocated // 8
    assert pixels == sent.PixelData[:frame_bytes]


def stow(pacs: Pacs, file: bytes) -> None:
    head = f"--{BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
    body = head + file + f"\r\n--{BOUNDARY}--\r\n".encode()
    kind = f'multipart/related; type="application/dicom"; boundary={BOUNDARY}'
    headers = {"Content-Type": kind, "Accept": "application/dicom+json"}
    request = urllib.request.Request(f"{pacs.web}/dicom-web/studies", body, headers)
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        said = json.loads(answer.read())
    assert not said.get("00081198", {}).get("Value"), said  # FailedSOPSequence


def parts_of(body: bytes, kind: str) -> list[bytes]:
    """The parts of a multipart answer."""
    message = BytesParser(EmailMessage, policy=HTTP).parsebytes(f"Content-Type: {kind}\r\n\r\n".encode())
    boundary = f"--{message.get_boundary()}".encode()
    parts = (part.partition(b"\r\n\r\n")[2] for part in body.split(boundary)[1:-1])
    return [part.removesuffix(b"\r\n") for part in parts]
