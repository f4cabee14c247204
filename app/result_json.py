"""What a run tells: the verdict, result.json, metadata.json, and the line on stdout.

Nothing here names a patient: series are known by their UIDs and modality.
"""

import math
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version as version_of
from typing import Any

from app.exit_codes import ExitCode
from app.settings import Settings, version
from models.compute import Compute
from operators.ledger import Ledger
from operators.messages import LedgerEntry
from operators.quality.assessment import Assessment

LIBRARIES = ("holoscan-cu13", "monai-deploy-app-sdk", "monai", "torch", "numpy", "pydicom", "highdicom", "nibabel")


def verdict(entries: Sequence[LedgerEntry]) -> ExitCode:
    """Of a run that came to its end."""
    states = {entry.status for entry in entries}
    if "failed" in states:
        return ExitCode.FAILED
    return ExitCode.WRITTEN if "denoised" in states else ExitCode.NOTHING_WRITTEN


def result_of(ledger: Ledger, settings: Settings, compute: Compute, seconds: float) -> dict[str, Any]:
    """result.json: the run, and a row for each series found."""
    entries = ledger.settle()
    return {
        "exit_code": verdict(entries),
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


def counts_of(entries: Sequence[LedgerEntry]) -> dict[str, int]:
    """Series by outcome, and the files written."""
    states = Counter(entry.status for entry in entries)
    files = sum(written.files for entry in entries for written in entry.written)
    return {
        "found": len(entries),
        "denoised": states["denoised"],
        "refused": states["refused"],
        "failed": states["failed"],
        "files_written": files,
    }


def row_of(entry: LedgerEntry) -> dict[str, Any]:
    """One series; what only a fit can tell is there where one took place."""
    row: dict[str, Any] = {
        "series_uid": entry.series_uid,
        "study_uid": entry.study_uid,
        "modality": entry.modality,
        "status": entry.status,
        "reason": entry.reason,
        "instances": entry.instances,
        "seconds": round(entry.seconds, 2),
    }
    if entry.fits:
        row |= _fits_of(entry)
        row["gate"] = [image_of(assessments) for assessments in entry.assessments]
        row["attributes_left_out"] = dict(entry.attributes_left_out)
        row["left_out"] = [{"images": images, "reason": reason} for reason, images in entry.left_out.items()]
    return row


def image_of(assessments: Sequence[Assessment]) -> list[dict[str, Any]]:
    """The lights of one image, for each strength that was tried."""
    return [
        {
            "strength": one.strength,
            "passed": one.passed,
            "noise_before": one.noise_before,
            "noise_after": one.noise_after,
            "unit": one.unit,
            "lights": [
                {"name": light.name, "value": _finite(light.value), "limit": light.limit, "unit": light.unit}
                | {"measured": light.value is not None, "passed": light.passed}
                for light in one.checks
            ],
        }
        for one in assessments
    ]


def _finite(value: float | None) -> float | None:
    """JSON knows no infinity."""
    return value if value is not None and math.isfinite(value) else None


def _fits_of(entry: LedgerEntry) -> dict[str, Any]:
    first = entry.fits[0]
    planned = sum(fit.steps_planned for fit in entry.fits)
    taken = sum(fit.steps_taken for fit in entry.fits)
    return {
        "method": first.method,
        "variant": first.variant,
        "device": first.device_kind,
        "precision": first.precision,
        "processor": first.processor,
        "seed": first.seed,
        "steps_planned": planned,
        "steps_taken": taken,
        "stopped_early": taken < planned,
        "settings": dict(entry.settings or {}),
        "settings_hash": entry.settings_hash,
        "fits": [
            {"steps_planned": fit.steps_planned, "steps_taken": fit.steps_taken, "measures": dict(fit.measures)}
            for fit in entry.fits
        ],
        "written": [
            {
                "series_uid": written.series_uid,
                "kind": written.kind,
                "strength": written.strength,
                "files": written.files,
            }
            for written in entry.written
        ],
    }


def summary_of(result: Mapping[str, Any]) -> str:
    """The closing line of the log."""
    counts, unread = result["counts"], result["unread_files"]
    line = ", ".join(f"{counts[name]} {name}" for name in ("found", "denoised", "refused", "failed"))
    if unread:
        line += "; not read: " + ", ".join(f"{files} ({reason})" for reason, files in unread.items())
    if not counts["found"]:
        line += "; the input holds no series, so check the path given by -i"
    return f"series: {line}; exit code {result['exit_code']}"


def metadata_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """metadata.json: flat, for the conditions of a workflow; an exception where the run did not succeed."""
    series: Sequence[Mapping[str, Any]] = result["series"]
    flat: dict[str, Any] = {
        "exit_code": result["exit_code"],
        "version": result["version"],
        "seconds": result["seconds"],
        "device": result["device"],
        **{f"series_{name}" if name != "files_written" else name: count for name, count in result["counts"].items()},
        "modalities_denoised": ",".join(sorted({row["modality"] for row in series if row["status"] == "denoised"})),
    }
    if result["exit_code"] != ExitCode.WRITTEN:
        reasons = [row["reason"] for row in series if row["status"] != "denoised"] or list(result["unread_files"])
        flat["exception"] = "SeriesFailed" if result["exit_code"] == ExitCode.FAILED else "NothingWritten"
        flat["exception_message"] = "; ".join(dict.fromkeys(reasons)) or "the input holds no file"
    return flat
