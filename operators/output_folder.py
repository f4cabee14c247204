"""The output folder: a series appears in it whole, or not at all.

Files are written into a hidden folder inside it and renamed into place together. The next run removes what a killed
run left there; it never counts as output.
"""

import json
import os
import shutil
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

STAGING_PREFIX = ".unfinished-"
REPORTS = ("result.json", "metadata.json")


class NotWritableError(ValueError):
    """Files can't be written into the output folder."""

    def __init__(self, error: OSError) -> None:
        system = os.strerror(error.errno) if error.errno else "unknown reason"
        super().__init__(
            f"the output folder can't be written ({system}); give one that this user may write to, by -o or "
            "HOLOSCAN_OUTPUT_PATH"
        )


class OutputFolder:
    """Where results appear."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._moving = threading.Lock()

    def prepare(self) -> None:
        """Make the folder, take back an earlier run's reports and leftovers, and prove that it can be written.

        Raises:
            NotWritableError: it can't be.
        """
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            self.discard_unfinished()
            for report in REPORTS:
                (self._path / report).unlink(missing_ok=True)
            with self.staged():
                pass
        except OSError as error:
            raise NotWritableError(error) from error

    @contextmanager
    def staged(self) -> Iterator[Path]:
        """A folder whose files move into the output when the block ends well and vanish when it doesn't."""
        staging = Path(tempfile.mkdtemp(prefix=STAGING_PREFIX, dir=self._path))
        try:
            yield staging
            self._move_all(staging)
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def write_reports(self, reports: Mapping[str, Mapping[str, Any]]) -> None:
        """Write each report as JSON under its name."""
        with self.staged() as staging:
            for name, report in reports.items():
                (staging / name).write_text(json.dumps(report, indent=2) + "\n")

    def discard_unfinished(self) -> None:
        """Remove what is staged, by this run or an earlier one; never in the middle of a move."""
        with self._moving:
            for leftover in self._path.glob(f"{STAGING_PREFIX}*"):
                shutil.rmtree(leftover, ignore_errors=True)

    def _move_all(self, staging: Path) -> None:
        with self._moving:
            moved: list[Path] = []
            try:
                for file in sorted(staging.iterdir()):
                    moved.append(file.replace(self._path / file.name))
            except OSError:
                for file in moved:
                    file.unlink()
                raise
