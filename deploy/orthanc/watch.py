"""Denoise what an Orthanc receives, and store what comes of it beside the source, in the same study.

``python watch.py [ARGUMENTS]`` runs for ever; ARGUMENTS go to the application, which is ``python -m app`` of the same
Python. ORTHANC_URL says where Orthanc's REST interface is, ORTHANC_USER and ORTHANC_PASSWORD who may use it.

Orthanc's change feed names each study that has been stable for StableAge seconds. Of it, those series are fetched that
bear no mark; the application runs on them once, as on one study; its files are stored; then sources and results are
marked, in Orthanc's own metadata, by the number of instances and the exit code. So

- a study sent again, and what this program stored itself, is not looked at again;
- a series that has grown, or one that comes late, is;
- what was interrupted bears no mark and is done after the next start, with the same UIDs, since all changes are read
  from the first one on;
- a series that failed (exit code 4, or a crash) is marked too; to have it done again, delete the mark.

The application refuses series that it made itself, so that no way of sending can loop. Only Python's standard library
is used.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO

MARK = "/metadata/1024"  # of a series; from 1024 on they are the user's
PAUSE = 2.0  # seconds between requests for the change feed, and before a failed one is repeated
ANSWER_WITHIN = 60.0  # seconds for each answer of Orthanc
CHANGES = 100  # asked for at a time


class Orthanc:
    """The few requests that are needed."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._url = url.rstrip("/")
        token = base64.b64encode(f"{user}:{password}".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"} if user else {}

    def open(self, path: str, body: bytes | None = None, method: str | None = None) -> BinaryIO:
        """An answer, to be read and closed."""
        request = urllib.request.Request(self._url + path, body, self._headers, method=method)
        answer: BinaryIO = urllib.request.urlopen(request, timeout=ANSWER_WITHIN)
        return answer

    def get(self, path: str) -> Any:
        """An answer in JSON."""
        with self.open(path) as answer:
            return json.load(answer)

    def mark_of(self, series: str) -> str:
        """The mark of a series, empty without one."""
        try:
            with self.open(f"/series/{series}{MARK}") as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:
            if error.code != 404:
                raise
            return ""

    def stable_studies(self) -> Iterator[str]:
        """Each study as it becomes stable, those of the past first; never ends."""
        since = 0
        while True:
            page = self.get(f"/changes?since={since}&limit={CHANGES}")
            yield from (change["ID"] for change in page["Changes"] if change["ChangeType"] == "StableStudy")
            since = page["Last"]
            if page["Done"]:
                time.sleep(PAUSE)


def fresh_series(orthanc: Orthanc, study: str) -> dict[str, list[str]]:
    """The instances of each series that bears no mark, or that of fewer instances; none of a study that is gone."""
    try:
        series = orthanc.get(f"/studies/{study}")["Series"]
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise
        return {}
    found = {one: orthanc.get(f"/series/{one}")["Instances"] for one in series}
    return {one: files for one, files in found.items() if orthanc.mark_of(one).split(" ")[0] != str(len(files))}


def fetch(orthanc: Orthanc, instances: Sequence[str], folder: Path) -> None:
    """Write each instance, as it was stored, into a folder."""
    folder.mkdir(parents=True)
    for instance in instances:
        with orthanc.open(f"/instances/{instance}/file") as answer, (folder / f"{instance}.dcm").open("wb") as file:
            shutil.copyfileobj(answer, file)


def store(orthanc: Orthanc, folder: Path) -> set[str]:
    """Send every image of a folder; the series they are in."""
    series = set()
    for file in sorted(folder.glob("*.dcm")):
        with orthanc.open("/instances", file.read_bytes(), "POST") as answer:
            series.add(json.load(answer)["ParentSeries"])
    return series


def denoise(orthanc: Orthanc, study: str, arguments: Sequence[str]) -> None:
    """Denoise what is fresh in a study, store the result, mark both."""
    fresh = fresh_series(orthanc, study)
    if not fresh:
        return
    with tempfile.TemporaryDirectory() as name:
        source, result = Path(name, "in"), Path(name, "out")
        for series, instances in fresh.items():
            fetch(orthanc, instances, source / series)
        command = [sys.executable, "-m", "app", "-i", str(source), "-o", str(result), *arguments]
        code = subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
        stored = store(orthanc, result) if result.is_dir() else set()
    for series in {*fresh, *stored}:
        count = len(orthanc.get(f"/series/{series}")["Instances"]) if series in stored else len(fresh[series])
        orthanc.open(f"/series/{series}{MARK}", f"{count} {code}".encode(), "PUT").close()
    print(f"study {study}: {len(fresh)} series, exit code {code}, {len(stored)} stored", flush=True)


def main(arguments: Sequence[str]) -> None:
    """Serve one Orthanc; where it does not answer, begin anew."""
    login = os.environ.get("ORTHANC_USER", ""), os.environ.get("ORTHANC_PASSWORD", "")
    orthanc = Orthanc(os.environ.get("ORTHANC_URL", "http://127.0.0.1:8042"), *login)
    while True:
        try:
            for study in orthanc.stable_studies():
                denoise(orthanc, study, arguments)
        except OSError as error:  # of the connection, an answer with an error, or a full disk
            print(f"{type(error).__name__}: {getattr(error, 'reason', error.strerror)}; again soon", flush=True)
            time.sleep(PAUSE)


if __name__ == "__main__":
    main(sys.argv[1:])
