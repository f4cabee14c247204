"""What was removed from a series, and a map of its noise, as DICOM series of their own, where a site asks for them."""

from pathlib import Path

import numpy as np

from operators.dicom.parts import Part, can_be_parted, derive_part, part_derivation
from operators.dicom.provenance import DerivedSettings, Provenance
from operators.messages import CheckedSeries, WrittenSeries
from operators.report.noise_map import noise_map
from operators.sources.nifti import NiftiImage

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


def write_parts(
    checked: CheckedSeries,
    provenance: Provenance,
    settings: DerivedSettings,
    used_numbers: frozenset[int],
    folder: Path,
) -> tuple[WrittenSeries, ...]:
    """Both parts of a series at the strength of ``provenance``; none of NIfTI, ultrasound and enhanced objects."""
    source, images = checked.denoised.source, checked.denoised.images
    if isinstance(source, NiftiImage) or not can_be_parted(source):
        return ()
    noise = max(one.noise_before for tried in checked.assessments.values() for one in tried)
    written: list[WrittenSeries] = []
    for part in PARTS:
        used = used_numbers.union(series.series_number for series in written if series.series_number)
        uid, number, files = "", None, 0
        derivation = part_derivation(source, part, provenance, settings, used)
        for dataset in derive_part(source, images, part, noise, derivation):
            dataset.save_as(folder / f"{dataset.SOPInstanceUID}.dcm", enforce_file_format=True)
            uid, number, files = str(dataset.SeriesInstanceUID), int(dataset.SeriesNumber), files + 1
        written.append(WrittenSeries(uid, provenance.strength, files, number, part.word))
    return tuple(written)
