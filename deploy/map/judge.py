"""Judge an application package: ``python conformance.py IMAGE [--specification-only]``.

Every demand of the MONAI Application Package specification is a check by name, against the image and containers of
it; then, unless told otherwise, this project's own promises. Nothing is skipped: what can't be judged has failed.
"""

import argparse
import sys
import tempfile
from contextlib import chdir
from pathlib import Path

from behaviour import check_behaviour
from engine import NoEngineError, runner
from outcomes import Report
from package import Package
from specification import check_specification

LARGEST = 2_000_000_000  # bytes: what the project promises for the image with a CPU build of torch


def main() -> int:
    """0 where every check holds."""
    parser = argparse.ArgumentParser(description="Judge an application package.")
    parser.add_argument("image")
    parser.add_argument("--specification-only", action="store_true", help="for packages other than this project's")
    given = parser.parse_args()
    report = Report()
    try:
        package = Package(given.image, runner(given.image))
    except NoEngineError as error:
        found = str(error)
        report.check("MUST be in a format that runs here", lambda: (False, found))
        return report.close()
    report.check("MUST be in a format that runs here", lambda: True)
    check_specification(report, package)
    if not given.specification_only:
        size = package.inspected["Size"]
        report.check(f"is smaller than 2 GB: {size / 1e9:.2f} GB", lambda: size < LARGEST)
        with tempfile.TemporaryDirectory() as name, chdir(name):  # where a container's monitor notes an end for memory
            Path(name).chmod(0o755)
            check_behaviour(report, package, Path(name))
    return report.close()


if __name__ == "__main__":
    sys.exit(main())
