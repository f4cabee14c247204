"""The parts of the validation document, on A4 across: headings, paragraphs, tables that break over pages, figures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.platypus import CondPageBreak, Flowable, PageBreak, Spacer

from operators.report.typesetting import CAPTION, GRID, MARGIN, NOTE, TEXT, paragraph, pdf_of, picture, plotted, table

SIZE = landscape(A4)  # points, as all sizes here
INNER = SIZE[0] - 2 * MARGIN
FIGURE_HEIGHT = 430.0  # what a heading leaves of the page
INCH = 72.0
FIGURE_DOTS = 120  # an inch: figures fill a page, and stay readable
COLOURS = {"pass": "#d8efd8", "fail": "#f6d0d0", "not measured": "#e8e8e8"}  # of a row that holds such a cell

HEADING = ParagraphStyle("heading", CAPTION, fontSize=14, leading=18)
BELOW = ParagraphStyle("below", NOTE, fontSize=7.5, leading=10, spaceAfter=6)
BODY = ParagraphStyle("body", TEXT, fontSize=8.5, leading=12, spaceAfter=5)


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading and its fraction of the width."""

    name: str
    fraction: float


def document_of(parts: Sequence[Sequence[Flowable]], title: str) -> bytes:
    """Return a PDF in which every part begins a page."""
    story = [flowable for part in parts for flowable in (*part, PageBreak())]
    return pdf_of(story[:-1], title, SIZE)


def heading(title: str, below: str = "") -> list[Flowable]:
    """Return what stands above a part."""
    return [paragraph(title, HEADING), paragraph(below, BELOW)]


def body(text: str) -> Flowable:
    """Return a paragraph of running text."""
    return paragraph(text, BODY)


def table_part(title: str, below: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> list[Flowable]:
    """Return a heading and a table; a row that holds a verdict has its colour."""
    style: list[Any] = list(GRID)
    for number, row in enumerate(rows, 1):
        colour = next((COLOURS[cell.partition(",")[0]] for cell in row if cell.partition(",")[0] in COLOURS), None)
        if colour:
            style.append(("BACKGROUND", (0, number), (-1, number), colour))
    names = [paragraph(column.name, CAPTION) for column in columns]
    widths = [column.fraction * INNER for column in columns]
    return [*heading(title, below), table([names, *rows], widths, style, heading=1)]


def figure_part(title: str, below: str, draw: Callable[[Figure], None]) -> list[Flowable]:
    """Return a heading and a figure that ``draw`` has filled."""
    figure = Figure(figsize=(INNER / INCH, FIGURE_HEIGHT / INCH))
    draw(figure)
    return [*heading(title, below), picture(plotted(figure, FIGURE_DOTS), INNER, FIGURE_HEIGHT)]


def signature_lines(signers: Sequence[str]) -> Iterator[Flowable]:
    """Yield room for each signer's name, date and signature."""
    lines = [("LINEBELOW", (column, 0), (column, 0), 0.5, "black") for column in (0, 2, 4)]
    widths = [part * INNER for part in (0.36, 0.04, 0.18, 0.04, 0.38)]
    for signer in signers:
        yield CondPageBreak(90)
        yield Spacer(0, 26)
        yield paragraph(signer, CAPTION)
        yield Spacer(0, 22)
        yield table([["", "", "", "", ""], ["name", "", "date", "", "signature"]], widths, lines)
