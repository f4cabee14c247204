"""Orthanc, a real PACS, on this machine alone: what it stores of a derived series is what was written.

In by C-STORE and out by C-GET (dcmtk's storescu and getscu); in by STOW-RS, found by QIDO-RS, out by WADO-RS.
"""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path

import numpy as np
import pytest
from judges import SECONDS, files_by_uid, judge, missing, said_by
from pydicom import dcmread
from pydicom.dataset import Dataset

KINDS = ("ct", "enhanced CT", "enhanced MR", "enhanced PT", "mr", "pet", "us")
PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
START_SECONDS, LOOK_AGAIN = 30.0, 0.1  # it needs one or two
BOUNDARY = "0123456789abcdef"


@dataclass(frozen=True)
class Pacs:
    web: str
    dicom_port: int

    def get(self, path: str, accept: str = "application/json") -> tuple[bytes, str]:
        request = urllib.request.Request(self.web + path, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return answer.read(), answer.headers["Content-Type"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="module")
def pacs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pacs]:
    program, folder = judge("Orthanc", "orthanc"), tmp_path_factory.mktemp("orthanc")
    http, dicom = free_port(), free_port()
    settings = {
        "Name": "Judge", "StorageDirectory": str(folder / "store"), "IndexDirectory": str(folder / "store"),
        "HttpPort": http, "DicomPort": dicom, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "DicomAlwaysAllowStore": True, "DicomAlwaysAllowGet": True, "DicomCheckCalledAet": False,
        "Plugins": [str(PLUGIN)] if PLUGIN.exists() else [], "DicomWeb": {"Enable": True},
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    log = (folder / "log").open("w")
    process = subprocess.Popen([program, folder / "orthanc.json"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        yield answering(Pacs(f"http://127.0.0.1:{http}", dicom), process, folder / "log")
    finally:
        process.terminate()
        process.wait(SECONDS)
        log.close()


def answering(pacs: Pacs, process: subprocess.Popen[bytes], log: Path) -> Pacs:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            pacs.get("/system")
        except (urllib.error.URLError, ConnectionError):
            time.sleep(LOOK_AGAIN)
        else:
            return pacs
    pytest.fail(f"Orthanc did not start:\n{log.read_text()}")


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
