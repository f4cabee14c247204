"""Orthanc, a real PACS, on this machine alone, for the tests that need one."""

import json
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from judges import SECONDS, judge

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
START_SECONDS, SEARCH_AGAIN = 30.0, 0.1  # it needs one or two


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


@contextmanager
def running(folder: Path, **settings: Any) -> Iterator[Pacs]:
    """Orthanc with these settings beside those that keep it on this machine, as long as the block lasts."""
    program, http, dicom = judge("Orthanc", "orthanc"), free_port(), free_port()
    everything = {
        "Name": "Judge", "StorageDirectory": str(folder / "store"), "IndexDirectory": str(folder / "store"),
        "DicomAlwaysAllowStore": True, "DicomAlwaysAllowGet": True, "DicomCheckCalledAet": False,
        "Plugins": [str(PLUGIN)] if PLUGIN.exists() else [], "DicomWeb": {"Enable": True},
        "AuthenticationEnabled": False,
        **settings,
        "HttpPort": http, "DicomPort": dicom, "RemoteAccessAllowed": False,
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(everything))
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([program, folder / "orthanc.json"], stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        try:
            yield answering(Pacs(f"http://127.0.0.1:{http}", dicom), process, folder / "log")
        finally:
            process.terminate()
            process.wait(SECONDS)


def answering(pacs: Pacs, process: subprocess.Popen[bytes], log: Path) -> Pacs:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            pacs.get("/system")
        except urllib.error.HTTPError:  # it wants a password
            return pacs
        except (urllib.error.URLError, ConnectionError):
            time.sleep(SEARCH_AGAIN)
        else:
            return pacs
    pytest.fail(f"Orthanc did not start:\n{log.read_text()}")
