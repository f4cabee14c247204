"""Every folder of real studies through the command, and what became of each series, as a table.

``python -m bench.real_data FOLDER [--read] [--set ...]``; one study in each sub-folder of FOLDER. Prints markdown.
``--read`` stops before any fit: what would be denoised, and what is refused for which reason.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.conformance import table
from operators.dicom.cine import read_clip
from operators.dicom.errors import Refusal
from operators.dicom.geometry import volumes_in
from operators.dicom.reading import read_study
from operators.dicom.study import Series

LARGEST_SECONDS = 600  # a study may take
MINIMUM_SLICES = 4  # of a volume, as the method needs
COLUMNS = ("Folder", "Series", "Modality", "Files", "Outcome", "Detail")
HEAD = """# What became of real studies

Made by `python -m bench.real_data`, with a fit cut short ({settings}): a longer one may pass the checks better.
The folders hold public objects of the Cancer Imaging Archive, pydicom, fo-dicom, GDCM, dcm2niix and others, unedited.
"""


def run(folder: Path, settings: list[str]) -> dict[str, Any]:
    """result.json of one study, with the files that were written checked for being there."""
    with tempfile.TemporaryDirectory() as target:
        command = [sys.executable, "-m", "app", "-i", folder, "-o", target, "--time-budget", LARGEST_SECONDS]
        arguments = [*map(str, command), *(each for setting in settings for each in ("--set", setting))]
        done = subprocess.run(arguments, capture_output=True, text=True, check=False)
        result: dict[str, Any] = json.loads(done.stdout)
        if "Traceback" in done.stderr:
            raise RuntimeError(f"{folder.name}: a traceback in the log")
        if len(list(Path(target).glob("*.dcm"))) != result["counts"]["files_written"]:
            raise RuntimeError(f"{folder.name}: not as many files as the report says")
    return result


def rows_of(folder: Path, result: dict[str, Any]) -> Iterator[tuple[object, ...]]:
    """A row for each series, and for each reason of files that are none."""
    for series in result["series"]:
        left_out = "; ".join(f"{each['images']} left out: {each['reason']}" for each in series.get("left_out", ()))
        written = sum(each["files"] for each in series.get("written", ()))
        volumes = len(series.get("fits", ()))
        detail = series["reason"] or f"{volumes} fit(s), {written} file(s) written" + (
            f"; {left_out}" if left_out else ""
        )
        name = f"..{series['series_uid'][-8:]}"
        yield folder.name, name, series["modality"], series["instances"], series["status"], detail
    for reason, files in result["unread_files"].items():
        yield folder.name, "", "", files, "unread", reason


def read_rows(folder: Path) -> Iterator[tuple[object, ...]]:
    """Yield the same rows by reading alone: a series that could be denoised, or the reason why not."""
    study = read_study(folder)
    for series in study.series:
        try:
            outcome, detail = "readable", contents_of(series)
        except Refusal as refusal:
            outcome, detail = "refused", str(refusal)
        yield folder.name, f"..{series.uid[-8:]}", series.modality, len(series.instances), outcome, detail
    for reason, files in Counter(unread.reason for unread in study.unread).items():
        yield folder.name, "", "", files, "unread", reason


def contents_of(series: Series) -> str:
    """Return which volumes or clips of a series can be denoised.

    Raises:
        Refusal: none can.
    """
    series.check()
    if series.modality != "US":
        stacks = volumes_in(series, MINIMUM_SLICES).stacks
        return ", ".join(
            f"{len(stack.places)} slices every {stack.spacing[0]:.2f} mm {stack.label}" for stack in stacks
        )
    clips, refusals = 0, []
    for instance in series.instances:
        try:
            read_clip(instance)
            clips += 1
        except Refusal as refusal:
            refusals.append(refusal)
    if not clips:
        raise refusals[0]
    return f"{clips} clips"


def main() -> int:
    """Print the page."""
    parser = argparse.ArgumentParser(description="Run the command on every study of a folder.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--set", action="append", default=[])
    parser.add_argument("--read", action="store_true", help="stop before any fit")
    given = parser.parse_args()
    studies = sorted(path for path in given.folder.iterdir() if path.is_dir())
    if given.read:
        print(table(COLUMNS, [row for study in studies for row in read_rows(study)]))
        return 0
    results = {study: run(study, given.set) for study in studies}
    print(HEAD.format(settings=", ".join(given.set)))
    codes = [(study.name, result["exit_code"], f"{result['seconds']:.0f}") for study, result in results.items()]
    print(table(("Folder", "Exit code", "Seconds"), codes))
    rows = [row for study, result in results.items() for row in rows_of(study, result)]
    print("\n" + table(COLUMNS, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
