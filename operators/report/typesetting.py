"""Typesetting of every PDF of the application: fonts, colours, text styles, tables, pictures, and the build.

The same content gives the same bytes: neither a time nor a random identifier is in the file. All fonts are embedded.
A table that is longer than a page continues on the next one, below its heading row.
"""

import io
from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure
from PIL import Image as Picture
from reportlab import rl_config
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Image, LongTable, Paragraph, SimpleDocTemplate, TableStyle

FONT, BOLD = "DejaVuSans", "DejaVuSans-Bold"  # files of these names come with matplotlib
MM = 72 / 25.4  # points
MARGIN = 14 * MM
PADDING = 6  # points, of reportlab's frames
FOOT = 9 * MM  # from the lower edge of the paper to the page number
DOTS = 200  # of plots, an inch: sharp on paper, and half the size of 300

INK, MUTED, LINE = "#1c2630", "#56636f", "#d5dbe1"
PASSED, LOWERED, FAILED = "#22683f", "#8a5300", "#a8321f"  # at least 4.5 to 1 against white; never without the text

TEXT = ParagraphStyle("text", fontName=FONT, fontSize=6.3, leading=8.6, textColor=INK)
NOTE = ParagraphStyle("note", TEXT, textColor=MUTED)
CAPTION = ParagraphStyle("caption", TEXT, fontName=BOLD, fontSize=7.6, leading=11, spaceBefore=4, spaceAfter=1)
HEADLINE = ParagraphStyle("headline", CAPTION, fontSize=9, leading=12.5, spaceBefore=0)
LARGE = ParagraphStyle("large", TEXT, fontSize=9.5, leading=13.5)
TITLE = ParagraphStyle("title", TEXT, fontSize=17, leading=22)

GRID = (
    ("GRID", (0, 0), (-1, -1), 0.4, LINE),
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("TOPPADDING", (0, 0), (-1, -1), 2),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 2.5),
    ("LEFTPADDING", (0, 0), (-1, -1), 3),
    ("RIGHTPADDING", (0, 0), (-1, -1), 3),
)
BARE = (  # columns that touch the margins, rows without lines
    ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ("TOPPADDING", (0, 0), (-1, -1), 0),
    ("BOTTOMPADDING", (0, 0), (-1, -1), 1.2),
    ("LEFTPADDING", (0, 0), (-1, -1), 0),
    ("RIGHTPADDING", (0, 0), (-1, -1), 5),
)


def paragraph(text: str, style: ParagraphStyle = TEXT, color: str | None = None) -> Paragraph:
    """Return wrapped text; markup in ``text`` is shown as it stands."""
    _prepare()
    return Paragraph(escape(text), style if color is None else ParagraphStyle("colour", style, textColor=color))


def table(rows: Sequence[Sequence[Any]], widths: Sequence[float], style: Sequence[Any], heading: int = 0) -> Flowable:
    """Return a table of strings or flowables that breaks between rows.

    Args:
        widths: of the columns, points.
        style: commands of reportlab, such as ``GRID``.
        heading: rows that are repeated on every page.
    """
    cells = [[paragraph(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    font = ("FONTNAME", (0, 0), (-1, -1), FONT)  # else Helvetica is named too, and not embedded
    return LongTable(cells, colWidths=widths, style=TableStyle([font, *style]), repeatRows=heading, hAlign="LEFT")


def picture(png: bytes, width: float, height: float) -> Flowable:
    """Return a PNG at this size (points)."""
    return Image(io.BytesIO(png), width, height, hAlign="LEFT")


def plotted(figure: Figure, dots: int = DOTS) -> bytes:
    """Return a drawn figure as PNG of at most 256 colours."""
    drawn, stream = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dots)
    palette = Picture.open(drawn).convert("RGB").quantize(dither=Picture.Dither.NONE)
    palette.save(stream, "PNG", optimize=True)
    return stream.getvalue()


def pdf_of(story: Sequence[Flowable], title: str, size: tuple[float, float]) -> bytes:
    """Return a document of numbered pages of ``size`` (points)."""
    _prepare()
    stream, margin = io.BytesIO(), MARGIN - PADDING
    document = SimpleDocTemplate(
        stream, pagesize=size, leftMargin=margin, rightMargin=margin, topMargin=margin, bottomMargin=margin,
        title=title, invariant=1, pageCompression=1, initialFontName=FONT,
    )  # fmt: skip
    document.build(list(story), onFirstPage=_number, onLaterPages=_number)
    return stream.getvalue()


def _number(canvas: Any, document: Any) -> None:
    canvas.setFont(FONT, TEXT.fontSize)
    canvas.setFillColor(MUTED)
    canvas.drawRightString(document.pagesize[0] - MARGIN, FOOT, str(document.page))


@cache
def _prepare() -> None:
    """Make the fonts known, and leave out reportlab's text encoding of streams, a quarter of a file."""
    folder = Path(mpl.get_data_path()) / "fonts" / "ttf"
    for name in (FONT, BOLD):
        pdfmetrics.registerFont(TTFont(name, folder / f"{name}.ttf"))
    pdfmetrics.registerFontFamily(FONT, normal=FONT, bold=BOLD, italic=FONT, boldItalic=BOLD)
    pdfmetrics.registerFontFamily(BOLD, normal=BOLD, bold=BOLD, italic=BOLD, boldItalic=BOLD)
    rl_config.useA85 = 0
