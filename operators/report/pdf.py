"""The report on paper: one A4 page for one derived series; a long reason or a long list flows on to a second."""

from collections.abc import Mapping, Sequence

from reportlab.lib.pagesizes import A4
from reportlab.platypus import Flowable, Spacer
from reportlab.platypus.flowables import HRFlowable

from operators.report.content import TITLE as DOCUMENT_TITLE
from operators.report.content import Content
from operators.report.pictures import Colour, Grey, aspect, encoded, grey_after, grey_before, removed
from operators.report.plots import INCHES
from operators.report.typesetting import (
    BARE,
    CAPTION,
    FAILED,
    HEADLINE,
    LARGE,
    LINE,
    LOWERED,
    MARGIN,
    MUTED,
    NOTE,
    PASSED,
    TITLE,
    paragraph,
    pdf_of,
    picture,
    table,
)  # fmt: skip
from operators.report.verdict import CheckLine

INNER = A4[0] - 2 * MARGIN  # points, as all sizes here
GAP = 12.0
PICTURE_WIDTH = (INNER - 2 * GAP) / 3
MOST_PICTURE_HEIGHT = 160.0  # so that the page holds all of it
BADGE_WIDTH = 66.0
CHECKS_WIDTH = 0.5 * INNER
CHECK_COLUMNS = (0.3, 0.19, 0.16, 0.16, 0.19)  # of that width
FIGURE_NAME, FACT_NAME = 142.0, 54.0  # widths of the names
STATUS_COLOURS = {"as asked": PASSED, "lowered": LOWERED, "failed": FAILED}
RESULT_COLOURS = {"passed": PASSED, "failed": FAILED, "not measured": MUTED}


def page_pdf(content: Content, plots: bytes) -> bytes:
    """Return the page.

    Args:
        plots: the picture of ``plots_png``.
    """
    story = [
        *_head(content),
        _verdict(content),
        Spacer(0, 6),
        *_pictures(content),
        Spacer(0, 7),
        picture(plots, INNER, INNER * INCHES[1] / INCHES[0]),
        paragraph("In the noise maps fine detail as narrow as noise, such as edges, counts too.", NOTE),
        _rule(),
        _checks_and_facts(content),
        _rule(),
        *(paragraph(caution) for caution in content.cautions),
    ]
    return pdf_of(story, DOCUMENT_TITLE, A4)


def _head(content: Content) -> list[Flowable]:
    halves = [[paragraph(content.heading, LARGE, MUTED), paragraph("Research use", LARGE, MUTED)]]
    right = ("RIGHTPADDING", (0, 0), (-1, -1), 0)
    heading = table(halves, (INNER - BADGE_WIDTH, BADGE_WIDTH), (*BARE, right))
    return [paragraph(DOCUMENT_TITLE, TITLE), heading, _rule()]


def _verdict(content: Content) -> Flowable:
    """Return what happened: a word on its colour, and sentences that wrap."""
    verdict = content.verdict
    colour = STATUS_COLOURS[verdict.status]
    badge = paragraph(verdict.status.upper(), CAPTION, "white")
    sentences = [paragraph(verdict.headline, HEADLINE), paragraph(" ".join(verdict.details))]
    marked = table(
        [[badge]], (BADGE_WIDTH - 6,), (("BACKGROUND", (0, 0), (-1, -1), colour), ("TOPPADDING", (0, 0), (-1, -1), 2))
    )
    return table([[marked, sentences]], (BADGE_WIDTH + 4, INNER - BADGE_WIDTH - 4), BARE)


def _pictures(content: Content) -> list[Flowable]:
    pair = content.shown
    rows, columns = pair.before.shape
    width = min(PICTURE_WIDTH, MOST_PICTURE_HEIGHT * columns / (rows * aspect(content)))
    size = (width, width * rows * aspect(content) / columns)

    def shown(grey: Grey | Colour) -> Flowable:
        return picture(encoded(grey, "PNG", compress_level=1), *size)

    captions = [paragraph(caption, CAPTION) for caption in ("Before", "After", content.removed_caption)]
    greys = [shown(picture_of(content, pair)) for picture_of in (grey_before, grey_after, removed)]
    cells = table([captions, greys], 3 * [PICTURE_WIDTH + GAP], BARE)
    window = f"{content.window.text(content.sample.unit)}, the same for both{content.hidden_note}."
    note = f"{content.choice}. {window} Anatomy in what was removed would be anatomy lost.{content.restored_note}"
    return [cells, paragraph(note, NOTE)]


def _checks_and_facts(content: Content) -> Flowable:
    left = [paragraph("Checks before it was handed out", CAPTION), _checks(content.verdict.checks)]
    if any(check.sure for check in content.verdict.checks):
        left.append(paragraph("sure: what is beyond the error of the measurement; it is held against the limit", NOTE))
    left += [paragraph("In figures", CAPTION), _rows(content.figures, CHECKS_WIDTH, FIGURE_NAME)]
    width = INNER - CHECKS_WIDTH - GAP
    right = [paragraph("How it was made", CAPTION), _rows(content.subject.facts, width, FACT_NAME)]
    return table([[left, right]], (CHECKS_WIDTH + GAP, width), BARE)


def _checks(checks: Sequence[CheckLine]) -> Flowable:
    heading = [paragraph(name, NOTE) for name in ("check", "measured", "of it sure", "limit", "result")]
    rows = [
        [
            check.name,
            check.measured,
            check.sure,
            check.limit,
            paragraph(check.result, color=RESULT_COLOURS[check.result]),
        ]
        for check in checks
    ]
    return table([heading, *rows], [CHECKS_WIDTH * part for part in CHECK_COLUMNS], BARE, heading=1)


def _rows(rows: Mapping[str, str], width: float, name_width: float) -> Flowable:
    cells = [[paragraph(name, NOTE), value] for name, value in rows.items()] or [["", ""]]
    return table(cells, (name_width, width - name_width), BARE)


def _rule() -> Flowable:
    return HRFlowable(width="100%", thickness=0.7, color=LINE, spaceBefore=3, spaceAfter=4)
