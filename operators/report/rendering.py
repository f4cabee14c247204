"""The report of one derived series, ready to be written: an HTML page, and a PDF where it can be filed in a study."""

from operators.messages import LABEL_DIGITS, CheckedSeries, Report
from operators.report.content import Subject, content_of
from operators.report.html import page_html
from operators.report.pdf import page_pdf
from operators.report.plots import plots_png
from operators.report.sampling import header_window, sample_of
from operators.report.verdict import HandedOut
from operators.sources.derived_series import SeriesPlan
from operators.sources.source import Source

SHOWN_DIGITS = 12  # of the settings hash


def report_of(checked: CheckedSeries, plan: SeriesPlan) -> Report:
    """Measure a sample of the images and lay out what it shows."""
    source = checked.source
    shown = {
        key: assessment
        for key, tried in checked.assessments.items()
        for assessment in tried
        if assessment.strength == plan.strength
    }
    labels = tuple(source.label(key) for key in shown)
    handed_out = HandedOut(tuple(shown.values()), labels, checked.reason, checked.restored)
    summary = checked.denoised.summary
    subject = Subject(source.modality, _title(source), _facts(checked, plan), summary.network, summary.given_up)
    content = content_of(subject, handed_out, sample_of(checked, plan.strength), header_window(source))
    plots = plots_png(content)
    return Report(page_html(content, plots), page_pdf(content, plots) if source.takes_pdf else None)


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
        **_remarks(checked),
    }


def _remarks(checked: CheckedSeries) -> dict[str, str]:
    """Return what a reader must know of the source images, where there is something."""
    left_out = checked.denoised.summary.left_out
    remarks = {"left as they are": "; ".join(f"{images} images: {reason}" for reason, images in left_out.items())}
    if checked.source.lossy:
        remarks["source images"] = "compressed with loss before they came here; their artefacts may pass for noise"
    return {name: remark for name, remark in remarks.items() if remark}
