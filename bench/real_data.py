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
from operators.dicom.reading_limits import ReadingLimits
from operators.sources.finding import find_sources
from operators.sources.nifti_settings import NiftiSettings

LARGEST_SECONDS = 600  # a study may take
COLUMNS = ("Folder", "Series", "Modality", "Files", "Outcome", "Images", "Strength", "Restored %", "Detail")
HEAD = """# What became of real studies

Made by `python -m bench.real_data` with the settings {settings}; fits cut short may pass the checks worse.
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
        left_out = [f"{each['images']} left out: {each['reason']}" for each in series.get("left_out", ())]
        strengths = [f"{each['strength']:g}" for each in series.get("written", ()) if each["kind"] == "denoised"]
        restored = [fit["measures"].get("restored_percent", 0.0) for fit in series.get("fits", ())]
        yield (
            folder.name,
            f"..{series['series_uid'][-8:]}",
            series["modality"],
            series["instances"],
            series["status"],
            len(restored) or "",
            ", ".join(strengths),
            f"{max(restored):.2g}" if restored else "",
            "; ".join(filter(None, (series["reason"], *left_out))),
        )
    for reason, files in result["unread_files"].items():
        yield folder.name, "", "", files, "unread", "", "", "", reason


def read_rows(folder: Path) -> Iterator[tuple[object, ...]]:
    """Yield the same rows by what is known before a fit: a series that is served, or the reason why not."""
    sources, unread = find_sources(folder, ReadingLimits(), NiftiSettings("MR"))
    for source in sources:
        sizes = {} if source.refusal else source.sizes()
        detail = source.refusal or "; ".join(filter(None, map(source.label, sizes)))
        outcome = "refused" if source.refusal else "served"
        name = f"..{source.uid[-8:]}"
        yield folder.name, name, source.modality, source.instance_count, outcome, len(sizes) or "", "", "", str(detail)
    for reason, files in Counter(file.reason for file in unread).items():
        yield folder.name, "", "", files, "unread", "", "", "", reason


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
