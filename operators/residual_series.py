"""What was removed from a series, and a map of its noise, as DICOM series of their own, where a site asks for them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from operators.dicom.parts import Part
from operators.image_checks import images_at
from operators.messages import CheckedSeries
from operators.report.noise_map import noise_map
from operators.sources.derived_series import SeriesPlan, WrittenSeries

PARTS = (
    Part("removed part", "REMOVED", lambda before, after, _: before - after, finer=1, window=(0.0, 4.0)),
    Part(
        "noise map",
        "NOISE_MAP",
        lambda before, _, valid: noise_map(before.astype(np.float32), valid).astype(np.float64),
        finer=64,
        window=(1.0, 2.0),
    ),
)


def write_parts(checked: CheckedSeries, plan: SeriesPlan, folder: Path) -> tuple[WrittenSeries, ...]:
    """Write both parts of a series at the strength of ``plan``; none where its kind of source has none."""
    noise_sd = max(assessment.noise_before for tried in checked.assessments.values() for assessment in tried)
    images = images_at(checked.denoised, plan.strength)
    written: list[WrittenSeries] = []
    for part in PARTS:
        used_numbers = plan.used_numbers.union(series.series_number for series in written if series.series_number)
        series = checked.source.write_part(part, images, noise_sd, replace(plan, used_numbers=used_numbers), folder)
        written += [series] if series else []
    return tuple(written)
