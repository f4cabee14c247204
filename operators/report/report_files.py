"""The report of one derived series, as files: an encapsulated PDF for DICOM, and an HTML page.

The HTML is named by the derived series' UID (for NIfTI, like the derived file): by nothing that a file says.
"""

from pathlib import Path

from operators.dicom.attributes import series_number
from operators.dicom.encapsulated_pdf import Reported, encapsulated_pdf
from operators.dicom.geometry import Stack
from operators.dicom.provenance import DerivedSettings, Provenance
from operators.messages import LABEL_DIGITS, CheckedSeries, DenoisedSeries, WrittenSeries
from operators.report.content import Content, Subject, content_of
from operators.report.html import page_html
from operators.report.pdf import page_pdf
from operators.report.plots import plots_png
from operators.report.sampling import sample_of, window_given
from operators.report.verdict import HandedOut
from operators.sources.nifti import SUFFIXES, NiftiImage

SHOWN_DIGITS = 12  # of the settings hash


def write_report(
    checked: CheckedSeries,
    reported: Reported,
    written: WrittenSeries,
    provenance: Provenance,
    settings: DerivedSettings,
    used_numbers: frozenset[int],
    folder: Path,
) -> WrittenSeries | None:
    """Write the report of ``written`` into ``folder``.

    Args:
        used_numbers: the series numbers already used in the study.

    Returns:
        The series of the encapsulated PDF, None for NIfTI.
    """
    source = checked.denoised.source
    content = _content(checked, written, provenance)
    plots = plots_png(content)
    (folder / f"{_stem(written)}.html").write_text(page_html(content, plots), encoding="utf-8")
    if isinstance(source, NiftiImage):
        return None
    header = source.instances[0].header
    number = series_number(header, settings, used_numbers)
    made = encapsulated_pdf(page_pdf(content, plots), header, reported, provenance, number)
    made.save_as(folder / f"{made.SOPInstanceUID}.dcm", enforce_file_format=True)
    return WrittenSeries(str(made.SeriesInstanceUID), written.strength, 1, number, "report")


def _content(checked: CheckedSeries, written: WrittenSeries, provenance: Provenance) -> Content:
    denoised, strength = checked.denoised, written.strength
    sample = sample_of(denoised, strength)
    tried = checked.assessments.items()
    assessments = {key: one for key, found in tried for one in found if one.strength == strength}
    labels = tuple(key.label if isinstance(key, Stack) else "" for key in assessments)
    handed_out = HandedOut(tuple(assessments.values()), labels, checked.reason, checked.kept)
    subject = Subject(denoised.source.modality, _series(denoised), _facts(denoised, written, provenance))
    return content_of(subject, handed_out, sample, window_given(denoised))


def _series(denoised: DenoisedSeries) -> str:
    number = None if isinstance(denoised.source, NiftiImage) else denoised.source.number
    return f"series ..{denoised.source.uid[-LABEL_DIGITS:]}" if number is None else f"series {number}"


def _facts(denoised: DenoisedSeries, written: WrittenSeries, provenance: Provenance) -> dict[str, str]:
    fits = denoised.fits
    number = "" if written.series_number is None else f"series {written.series_number}, "
    settings = ", ".join(f"{name} {value}" for name, value in denoised.settings.items())
    return {
        "source": f"{_series(denoised)}, UID ending ..{denoised.source.uid[-LABEL_DIGITS:]}",
        "derived": f"{number}{written.series_uid}",
        "method": provenance.method,
        "strength": f"{written.strength:g} % of the change",
        "steps": f"{provenance.steps_taken} of {sum(fit.steps_planned for fit in fits)} planned",
        "seed": str(provenance.seed),
        "computed on": f"{provenance.device_kind}, {provenance.precision}, {provenance.processor}",
        "settings": f"{settings}; hash {provenance.settings_hash[:SHOWN_DIGITS]}",
        "version": provenance.version,
    }


def _stem(written: WrittenSeries) -> str:
    """The derived series' UID, or the name of the derived NIfTI file without its ending."""
    return next(
        (written.series_uid[: -len(end)] for end in reversed(SUFFIXES) if written.series_uid.endswith(end)),
        written.series_uid,
    )
