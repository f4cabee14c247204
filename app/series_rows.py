"""The rows of result.json: what is reported of one series, from its entry in the ledger."""

import math

from app.result_types import AssessmentRow, CheckRow, FitRow, FittedRow, OutcomeRow, SeriesRow, WrittenRow
from models.fitting import FitRecord
from operators.messages import LedgerEntry, are_fits, given_up_of, method_of
from operators.quality.assessment import Assessment, Check
from operators.sources.derived_series import WrittenSeries


def row_of(entry: LedgerEntry) -> SeriesRow:
    """Return what is reported of one series."""
    outcome: OutcomeRow = {
        "series_uid": entry.series_uid,
        "study_uid": entry.study_uid,
        "modality": entry.modality,
        "status": entry.status,
        "reason": entry.reason,
        "reason_code": entry.reason_code,
        "instances": entry.instances,
        "seconds": round(entry.seconds, 2),
    }
    fitted: FittedRow = _fitted(entry) if entry.fits else {}
    return {**outcome, **fitted}


def _fitted(entry: LedgerEntry) -> FittedRow:
    first = entry.fits[0]
    planned = sum(fit.steps_planned for fit in entry.fits)
    taken = sum(fit.steps_taken for fit in entry.fits)
    return {
        "method": method_of(entry.fits),
        "variant": first.variant,
        "device": first.device_kind,
        "precision": first.precision,
        "processor": first.processor,
        "seed": first.seed,
        "steps_planned": planned,
        "steps_taken": taken,
        "stopped_early": taken < planned,
        "given_up": list(given_up_of(entry.fits)),
        "fitted": are_fits(entry.fits),
        "settings": dict(entry.settings or {}),
        "settings_hash": entry.settings_hash,
        "fits": [_fit_row(fit) for fit in entry.fits],
        "written": [_written_row(series) for series in entry.written],
        "assessments": [[_assessment_row(one) for one in image] for image in entry.assessments],
        "attributes_left_out": dict(entry.attributes_left_out),
        "left_out": [{"images": images, "reason": reason} for reason, images in entry.left_out.items()],
    }


def _fit_row(fit: FitRecord) -> FitRow:
    return {"steps_planned": fit.steps_planned, "steps_taken": fit.steps_taken, "measures": dict(fit.measures)}


def _written_row(series: WrittenSeries) -> WrittenRow:
    return {
        "series_uid": series.series_uid,
        "kind": series.kind,
        "strength": series.strength,
        "files": series.files,
    }


def _assessment_row(assessment: Assessment) -> AssessmentRow:
    return {
        "strength": assessment.strength,
        "passed": assessment.passed,
        "noise_before": assessment.noise_before,
        "noise_after": assessment.noise_after,
        "unit": assessment.unit,
        "checks": [_check_row(check) for check in assessment.checks],
    }


def _check_row(check: Check) -> CheckRow:
    finite = check.value is not None and math.isfinite(check.value)  # JSON knows no infinity
    return {
        "name": check.name,
        "value": check.value if finite else None,
        "limit": check.limit,
        "unit": check.unit,
        "measured": check.value is not None,
        "passed": check.passed,
    }
