"""The report of one derived series, ready to be written: an HTML page, and a PDF where it can be filed in a study."""

from operators.messages import LABEL_DIGITS, CheckedSeries, Report
from operators.report.content import content_of
from operators.report.html import page_html
from operators.report.pdf import page_pdf
from operators.report.sampling import header_window, sample_of
from operators.report.window import window_of
from operators.sources.derived_series import SeriesPlan
from operators.sources.source import Source

SHOWN_DIGITS = 12  # of the settings hash


def report_of(checked: CheckedSeries, plan: SeriesPlan) -> Report:
    """Measure a sample of the images and lay out what it shows."""
    source = checked.source
    sample = sample_of(checked, plan.strength)
    window = window_of(source.modality, sample, header_window(source))
    assessments = [
        assessment
        for tried in checked.assessments.values()
        for assessment in tried
        if assessment.strength == plan.strength
    ]
    content = content_of(
        source.modality,
        _title(source),
        _facts(checked, plan),
        assessments,
        checked.reason,
        sample,
        window,
        checked.restored_locations,
    )
    return Report(page_html(content), page_pdf(content) if source.takes_pdf else None)


def _title(source: Source) -> str:
    return f"series ..{source.uid[-LABEL_DIGITS:]}" if source.number is None else f"series {source.number}"


def _facts(checked: CheckedSeries, plan: SeriesPlan) -> dict[str, str]:
    source, summary, provenance = checked.source, checked.denoised.summary, plan.provenance
    number = "" if plan.series_number is None else f"series {plan.series_number}, "
    settings = ", ".join(f"{name} {value}" for name, value in summary.settings.items())
    return {
        "source": f"{_title(source)}, UID ending ..{source.uid[-LABEL_DIGITS:]}",
        "derived": f"{number}{plan.series_uid}",
        "method": provenance.method,
        "strength": f"{plan.strength:g} % of the change",
        "steps": f"{provenance.steps_taken} of {sum(fit.steps_planned for fit in summary.fits)} planned",
        "seed": str(provenance.seed),
        "computed on": f"{provenance.device_kind}, {provenance.precision}, {provenance.processor}",
        "settings": f"{settings}; hash {provenance.settings_hash[:SHOWN_DIGITS]}",
        "version": provenance.version,
    }
