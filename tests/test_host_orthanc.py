"""A hospital in a box: what Orthanc receives comes back into it denoised, once, and nothing goes round in circles."""

import base64
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from judges import SECONDS, judge, library, said_by
from orthanc import Pacs, running
from pydicom import dcmread
from pydicom.dataset import Dataset

from tests.small_study import CANARY, STUDY_UID, write_series

ROOT = Path(__file__).parent.parent
BOX = ROOT / "deploy" / "orthanc"
QUICK = ("--set", "ns_n2n.steps=4", "--device", "cpu")
WITHIN, SEARCH_AGAIN = 300.0, 0.2  # seconds for a round trip that needs ten on a quiet machine
STABLE_AGE = 1  # second


@dataclass(frozen=True)
class Box:
    pacs: Pacs
    log: Path

    def get(self, path: str) -> Any:
        return json.loads(self.pacs.get(path)[0])

    def series(self) -> list[Dataset]:
        """A header of each series, in order of their numbers."""
        found = [self.image(each["Instances"][0]) for each in self.get("/series?expand")]
        return sorted(found, key=lambda each: (each.StudyInstanceUID, int(each.SeriesNumber)))

    def image(self, instance: str) -> Dataset:
        return dcmread(BytesIO(self.pacs.get(f"/instances/{instance}/file", "*/*")[0]))

    def send(self, folder: Path) -> None:
        files = [path for path in folder.rglob("*") if path.is_file()]
        place = ("127.0.0.1", self.pacs.dicom_port)
        said = said_by(judge("storescu", "dcmtk"), "-v", "-aec", "ORTHANC", *place, *files)
        assert said.count("Received Store Response (Success)") == len(files), said

    def wait_for(self, *lines: str) -> None:
        """Until the log names so many studies, in any order, as these."""
        until = time.monotonic() + WITHIN
        while time.monotonic() < until:
            stored = sorted(line.partition(": ")[2] for line in self.log.read_text().splitlines() if "stored" in line)
            if len(stored) >= len(lines):
                assert stored == sorted(lines)
                return
            time.sleep(SEARCH_AGAIN)
        pytest.fail(f"not within {WITHIN} seconds:\n{self.log.read_text()}")

    def settled(self) -> None:
        """Until the change feed has been read to its end some time after everything became stable."""
        until = time.monotonic() + WITHIN
        while time.monotonic() < until and not all(each["IsStable"] for each in self.get("/studies?expand")):
            time.sleep(SEARCH_AGAIN)
        time.sleep(3)  # a look at the feed comes every two seconds


@contextmanager
def watched(pacs: Pacs, log: Path) -> Iterator[Box]:
    """The watcher at its work; it names no patient."""
    with log.open("a") as file:
        environment = {**os.environ, "ORTHANC_URL": pacs.web, "TMPDIR": str(log.parent)}
        process = subprocess.Popen(
            [sys.executable, str(BOX / "watch.py"), *QUICK], cwd=ROOT, env=environment, stdout=file, stderr=file
        )
        try:
            yield Box(pacs, log)
        finally:
            process.kill()
            process.wait(SECONDS)
    assert CANARY not in log.read_text()


@pytest.fixture
def pacs(tmp_path: Path) -> Iterator[Pacs]:
    settings = {
        **json.loads((BOX / "orthanc.json").read_text()),
        "StableAge": STABLE_AGE,
        "AuthenticationEnabled": False,
    }
    other = ("StorageDirectory", "IndexDirectory", "OverwriteInstances")  # folders; and Debian's knows no IfChanged
    with running(tmp_path, **{name: value for name, value in settings.items() if name not in other}) as started:
        yield started


@pytest.mark.slow
def test_a_study_comes_back_denoised_once(pacs: Pacs, tmp_path: Path) -> None:
    write_series(tmp_path / "sent", "CT", 1)
    write_series(tmp_path / "sent", "SR", 2, 1)
    with watched(pacs, tmp_path / "watch.log") as box:
        box.send(tmp_path / "sent")
        box.wait_for("2 series, exit code 0, 2 stored")
        found = box.series()
        assert {each.StudyInstanceUID for each in found} == {STUDY_UID}
        assert sorted(each.Modality for each in found) == ["CT", "CT", "DOC", "SR"]
        (made,) = (each for each in found if each.get("ImageType", ["ORIGINAL"])[0] == "DERIVED")
        assert int(made.SeriesNumber) == 1001
        (derived,) = (
            each for each in box.get("/series?expand")
            if each["MainDicomTags"]["SeriesInstanceUID"] == made.SeriesInstanceUID
        )  # fmt: skip
        before = np.stack([dcmread(file).pixel_array for file in sorted((tmp_path / "sent").rglob("*CT1/*"))])
        after = np.stack([box.image(one).pixel_array for one in derived["Instances"]])
        assert after.shape == before.shape
        assert after.std() < before.std()

        held = sorted(box.get("/instances"))
        box.send(tmp_path / "sent")  # once more
        box.settled()
        box.wait_for("2 series, exit code 0, 2 stored")
        assert sorted(box.get("/instances")) == held

        write_series(tmp_path / "late", "CT", 3)
        box.send(tmp_path / "late")
        box.wait_for("2 series, exit code 0, 2 stored", "1 series, exit code 0, 2 stored")

    with watched(pacs, tmp_path / "watch.log") as box:  # reads all changes anew
        box.settled()
        box.wait_for("2 series, exit code 0, 2 stored", "1 series, exit code 0, 2 stored")
        assert len(box.series()) == 7


@pytest.mark.slow
def test_own_output_from_elsewhere_and_what_was_interrupted(pacs: Pacs, tmp_path: Path) -> None:
    """What another box made is refused; a box that was stopped while it worked does that work after its start."""
    source, made = write_series(tmp_path / "sent", "CT", 1), tmp_path / "made"
    command = [sys.executable, "-m", "app", "-i", str(source), "-o", str(made), *QUICK]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    for report in made.iterdir():
        if report.suffix != ".dcm":
            report.unlink()
    box = Box(pacs, tmp_path / "watch.log")
    box.send(made)
    with watched(pacs, tmp_path / "watch.log"):
        box.wait_for("2 series, exit code 3, 0 stored")
        box.send(source)
        until = time.monotonic() + WITHIN
        while time.monotonic() < until and box.log.read_text().count("starting") < 2:
            time.sleep(SEARCH_AGAIN)
    assert len(box.series()) == 3
    with watched(pacs, tmp_path / "watch.log"):
        box.wait_for("2 series, exit code 3, 0 stored", "1 series, exit code 0, 2 stored")
        assert len(box.series()) == 3  # the same UIDs as those that came from elsewhere


def test_the_compose_file_is_one_and_names_this_version() -> None:
    library("check_jsonschema", "check-jsonschema")
    file = BOX / "compose.yaml"
    said = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert said.returncode == 0, said.stdout
    services = yaml.safe_load(file.read_text())["services"]
    application = yaml.safe_load((ROOT / "app.yaml").read_text())["application"]
    assert services["denoiser"]["image"] == f"{application['name']}:${{VERSION:-{application['version']}}}"
    assert services["orthanc"]["image"].startswith("docker.io/orthancteam/orthanc:26.8.")


def test_nothing_starts_without_a_password_of_the_site() -> None:
    services = yaml.safe_load((BOX / "compose.yaml").read_text())["services"]
    passwords = {service["environment"]["ORTHANC_PASSWORD"] for service in services.values()}
    (password,) = passwords
    assert re.fullmatch(r"\$\{ORTHANC_PASSWORD:\?.+\}", password), "compose stops where the variable is not set"
    orthanc = json.loads((BOX / "orthanc.json").read_text())
    assert orthanc["AuthenticationEnabled"]
    assert orthanc["RegisteredUsers"] == {services["denoiser"]["environment"]["ORTHANC_USER"]: "${ORTHANC_PASSWORD}"}


def test_orthanc_takes_the_password_from_its_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORTHANC_PASSWORD", "of the site")
    users = json.loads((BOX / "orthanc.json").read_text())["RegisteredUsers"]
    with running(tmp_path, AuthenticationEnabled=True, RegisteredUsers=users) as pacs:
        codes = {}
        for password in ("of the site", "", "${ORTHANC_PASSWORD}"):
            token = base64.b64encode(f"denoiser:{password}".encode()).decode()
            request = urllib.request.Request(f"{pacs.web}/system", headers={"Authorization": f"Basic {token}"})
            try:
                codes[password] = urllib.request.urlopen(request, timeout=SECONDS).status
            except urllib.error.HTTPError as error:
                codes[password] = error.code
    assert codes == {"of the site": 200, "": 401, "${ORTHANC_PASSWORD}": 401}
