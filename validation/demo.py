"""``python -m validation.demo --out FOLDER``: the main job on a study made here, whose truth is known.

Writes a study of CT, MR, PET and ultrasound phantoms to FOLDER/study, runs ``python -m app`` on it into FOLDER/derived,
reads the derived DICOM back, and compares: a table on stdout (and in FOLDER/table.txt), pictures and the reports' pages
in FOLDER/pictures.
The exit code is that of the run; 1 where a series of the study was not denoised.
"""

import argparse
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import app
from operators.report.comparison import comparison_png
from validation.demo_study import DemoSeries, make_study
from validation.demo_table import Row, row_of, table_of
from validation.phantoms.anatomy import Volume
from validation.read_back import read_report, read_result, read_series

TIME_BUDGET = 190  # seconds of the run: with making and scoring the study, the demo stays under four minutes
PARTS = ("study", "derived", "pictures")  # sub-folders of FOLDER, made anew each time


def main(arguments: Sequence[str]) -> int:
    """Run the demo; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m validation.demo", description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("demo"), help="folder for study, results and pictures [demo]")
    parser.add_argument("--seed", type=int, default=0, help="of the phantoms")
    given = parser.parse_args(arguments)
    return demonstrate(given.out.resolve(), given.seed)


def demonstrate(out: Path, seed: int) -> int:
    """Make, denoise, read back, compare."""
    started = time.monotonic()
    for part in PARTS:
        shutil.rmtree(out / part, ignore_errors=True)
    print("making a CT, MR, PET and ultrasound study with known truth", file=sys.stderr, flush=True)
    study = make_study(out / "study", seed)
    status = denoise(out / "study", out / "derived")
    if status != 0:
        print(f"the run failed with exit code {status}; its log above says why", file=sys.stderr)
        return status
    rows = compare(study, out)
    table = table_of(rows, time.monotonic() - started)
    (out / "table.txt").write_text(table + "\n")
    print(table)
    print(f"\nDICOM in {out / 'derived'}, pictures in {out / 'pictures'}")
    return 0 if len(rows) == len(study) else 1


def denoise(source: Path, target: Path) -> int:
    """Run the application as a host would, in a process of its own; its exit code."""
    command = [sys.executable, "-m", "app", "-i", str(source), "-o", str(target), "--time-budget", str(TIME_BUDGET)]
    command += ["--strength", "100"]  # what the method reaches; what the default gives up of it: docs/limits.md
    home = Path(app.__file__).parent.parent
    return subprocess.run(command, cwd=home, stdout=subprocess.DEVNULL, check=False).returncode


def compare(study: Sequence[DemoSeries], out: Path) -> list[Row]:
    """Score each derived series against its truth, draw its pictures, copy its report; skip what was not denoised."""
    result = read_result(out / "derived")
    (out / "pictures").mkdir()
    rows = []
    for series in study:
        if series.uid not in result:
            print(f"{series.name} was not denoised; {out / 'derived' / 'result.json'} says why", file=sys.stderr)
            continue
        before = read_series(out / "study", series.uid)
        after = read_series(out / "derived", result[series.uid].series_uid)
        rows.append(row_of(series, before, after, result[series.uid].seconds))
        draw(series, before, after, out / "pictures")
        report = read_report(out / "derived", result[series.uid].report_uid)
        (out / "pictures" / f"{file_name(series)}_report.pdf").write_bytes(report)
    return rows


def draw(series: DemoSeries, before: Volume, after: Volume, folder: Path) -> None:
    """Write a picture of the middle slice for each window of the series."""
    middle = len(before) // 2
    for name, window in series.windows.items():
        picture = comparison_png(before[middle], after[middle], window)
        (folder / f"{file_name(series)}_{name}.png").write_bytes(picture)


def file_name(series: DemoSeries) -> str:
    """What the names of a series' pictures begin with."""
    return series.name.replace(" ", "_").lower()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
