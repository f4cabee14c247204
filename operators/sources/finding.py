"""Find the sources of an input: the series of DICOM studies, then the NIfTI files."""

from pathlib import Path

from operators.dicom.reading import ReadingLimits, Series, Study, Unread, read_study
from operators.sources.clips import ClipSeries
from operators.sources.nifti import NiftiSettings, find_nifti, is_nifti
from operators.sources.source import METHOD_OF_MODALITY, Source
from operators.sources.volumes import VolumeSeries


def find_sources(
    path: Path, limits: ReadingLimits, nifti: NiftiSettings
) -> tuple[tuple[Source, ...], tuple[Unread, ...]]:
    """Return every source that ``path`` is or holds, and the files that belong to none."""
    files, unread = find_nifti(path, nifti)
    study = Study((), ()) if is_nifti(path) else read_study(path, limits)
    return (*(source_of(series) for series in study.series), *files), (*study.unread, *unread)


def source_of(series: Series) -> Source:
    """Return a DICOM series as a source of its kind."""
    return ClipSeries(series) if METHOD_OF_MODALITY.get(series.modality) == "ultrasound" else VolumeSeries(series)
