"""Reads back what a run has written: its result.json and the series it derived, as arrays in real units.

It does so by pydicom alone, by another way than the application reads, so that a fault of its reading can't hide here.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
from pydicom.dataset import Dataset

from validation.phantoms.anatomy import Volume
from validation.phantoms.phantom_study import tissue_part


@dataclass(frozen=True)
class Derived:
    """The derived series of one source series."""

    series_uid: str
    seconds: float
    report_uid: str  # of the series that holds its report, empty where none was asked for


def read_rows(folder: Path) -> dict[str, dict[str, Any]]:
    """Return the row of each series in result.json by its UID; none where the run wrote no report."""
    report = folder / "result.json"
    rows = json.loads(report.read_text())["series"] if report.is_file() else []
    return {row["series_uid"]: row for row in rows}


def read_result(folder: Path) -> dict[str, Derived]:
    """Return the derived series by the UID of their source."""
    return {
        uid: Derived(row["written"][0]["series_uid"], row["seconds"], _report_in(row["written"]))
        for uid, row in read_rows(folder).items()
        if row["status"] == "denoised"
    }


def read_series(folder: Path, series_uid: str) -> Volume:
    """Return a series as (slices or frames, rows, columns) in real units; of ultrasound, the tissue's grey alone."""
    return np.concatenate([_frames(pydicom.dcmread(path)) for path in _files_of(folder, series_uid)])


def read_report(folder: Path, report_uid: str) -> bytes:
    """Return the PDF of a report's series."""
    instance = pydicom.dcmread(_files_of(folder, report_uid)[0])
    return bytes(instance.EncapsulatedDocument[: instance.EncapsulatedDocumentLength])


def _files_of(folder: Path, series_uid: str) -> list[Path]:
    """A series' files in the order of their InstanceNumber."""
    headers = [(pydicom.dcmread(path, stop_before_pixels=True), path) for path in sorted(folder.rglob("*.dcm"))]
    chosen = [(int(header.InstanceNumber), path) for header, path in headers if header.SeriesInstanceUID == series_uid]
    return [path for _, path in sorted(chosen)]


def _report_in(written: list[dict[str, Any]]) -> str:
    return next((str(series["series_uid"]) for series in written if series["kind"] == "report"), "")


def _frames(instance: Dataset) -> Volume:
    pixels = instance.pixel_array.astype(np.float32)
    if instance.Modality == "US":
        grey = pixels.mean(axis=-1) if instance.SamplesPerPixel == 3 else pixels
        return np.atleast_3d(tissue_part(grey).T).T
    real = pixels * float(instance.get("RescaleSlope", 1)) + float(instance.get("RescaleIntercept", 0))
    return np.asarray(real[None], np.float32)
