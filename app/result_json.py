"""What is reported of a run: the verdict, result.json, metadata.json, and the closing line of the log.

No patient is named: series are known by their UIDs and modality. ``result_types.py`` describes the keys.
"""

import platform
from collections import Counter
from collections.abc import Sequence
from importlib.metadata import version as version_of
from typing import Any, Final

from app.exit_codes import ExitCode
from app.result_types import ROUTING_KEY, SCHEMA_VERSION, Counts, Result
from app.series_rows import row_of
from app.settings import Settings, version
from models.compute import Compute
from operators.ledger import Ledger
from operators.messages import LedgerEntry

LIBRARIES = ("holoscan-cu13", "monai-deploy-app-sdk", "monai", "torch", "numpy", "pydicom", "highdicom", "nibabel")
STATES: Final = ("found", "denoised", "refused", "failed")
DISCARD = "discard"  # the setting's word for: send the study nowhere


def verdict(entries: Sequence[LedgerEntry]) -> ExitCode:
    """Return the exit code of a run that came to its end."""
    states = {entry.status for entry in entries}
    if "failed" in states:
        return ExitCode.FAILED
    return ExitCode.WRITTEN if "denoised" in states else ExitCode.NOTHING_WRITTEN


def result_of(ledger: Ledger, settings: Settings, compute: Compute, seconds: float) -> Result:
    """Return result.json: the run, and a row for each series found."""
    entries = ledger.settle()
    result: Result = {
        "schema_version": SCHEMA_VERSION,
        "exit_code": int(verdict(entries)),
        "version": version(),
        "seconds": round(seconds, 2),
        "device": compute.kind,
        "precision": compute.precision,
        "seed": settings.run.seed,
        "strength": list(settings.run.strength),
        "time_budget": settings.run.time_budget,
        "libraries": {"python": platform.python_version(), **{name: version_of(name) for name in LIBRARIES}},
        "counts": counts_of(entries),
        "unread_files": ledger.unread,
        "series": [row_of(entry) for entry in entries],
    }
    target = settings.outputs.mercure_routing_on_refusal
    if target and result["exit_code"] == ExitCode.NOTHING_WRITTEN:
        result["exit_code"] = int(ExitCode.WRITTEN)  # mercure follows a routing only then
        result[ROUTING_KEY] = {"discard": True} if target == DISCARD else {"target": [target]}
    return result


def counts_of(entries: Sequence[LedgerEntry]) -> Counts:
    """Count the series by outcome, and the files written."""
    states = Counter(entry.status for entry in entries)
    files = sum(written.files for entry in entries for written in entry.written)
    return {
        "found": len(entries),
        "denoised": states["denoised"],
        "refused": states["refused"],
        "failed": states["failed"],
        "files_written": files,
    }


def summary_of(result: Result) -> str:
    """Return the closing line of the log."""
    counts, unread = result["counts"], result["unread_files"]
    line = ", ".join(f"{counts[name]} {name}" for name in STATES)
    if unread:
        line += "; not read: " + ", ".join(f"{files} ({reason})" for reason, files in unread.items())
    if not counts["found"]:
        line += "; the input holds no series, so check the path given by -i"
    return f"series: {line}; exit code {result['exit_code']}"


def metadata_of(result: Result) -> dict[str, Any]:
    """Return metadata.json: flat, for the conditions of a workflow; with an exception where nothing was written."""
    series, counts = result["series"], result["counts"]
    flat: dict[str, Any] = {
        "schema_version": result["schema_version"],
        "exit_code": result["exit_code"],
        "version": result["version"],
        "seconds": result["seconds"],
        "device": result["device"],
        **{f"series_{name}": counts[name] for name in STATES},
        "files_written": counts["files_written"],
        "modalities_denoised": ",".join(sorted({row["modality"] for row in series if row["status"] == "denoised"})),
    }
    missed = [row for row in series if row["status"] != "denoised"]
    flat["reason_codes"] = ",".join(sorted({row["reason_code"] for row in missed}))
    if result["exit_code"] == ExitCode.FAILED or not counts["denoised"]:
        reasons = [row["reason"] for row in missed] or list(result["unread_files"])
        flat["exception"] = "SeriesFailed" if counts["failed"] else "NothingWritten"
        flat["exception_message"] = "; ".join(dict.fromkeys(reasons)) or "the input holds no file"
    return flat
