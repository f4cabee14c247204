"""Pages of the document: A4, across, with headings, paragraphs, tables that break between rows, and figures."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

WIDTH, HEIGHT = 11.69, 8.27  # inches
LEFT, RIGHT, TOP, BOTTOM = 0.05, 0.95, 0.86, 0.07  # of the page
LINE = 0.0205  # of the page's height, one line of a table
SIZE = 7.5  # points
SPACING = LINE * HEIGHT * 72 / SIZE / 1.2  # of lines within a cell, in the unit of the text
CHARACTERS = 175  # of this size fit between the margins
CLEAR = 3  # characters at the end of a cell: words of wide letters need more room
COLOURS = {"pass": "#d8efd8", "fail": "#f6d0d0", "not measured": "#e8e8e8"}  # of a row that holds such a cell


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading and its share of the width."""

    name: str
    share: float


def page(title: str, below: str = "") -> Figure:
    """Return an empty page with its heading."""
    figure = Figure(figsize=(WIDTH, HEIGHT))
    figure.text(LEFT, 0.92, title, fontsize=15, weight="bold")
    figure.text(LEFT, 0.89, below, fontsize=SIZE + 0.5, color="#444444")
    return figure


def paragraphs(figure: Figure, top: float, texts: Sequence[str]) -> float:
    """Write wrapped paragraphs from `top` downward; return where the last one ends."""
    for text in texts:
        for line in textwrap.wrap(text, CHARACTERS * 4 // 5) or [""]:
            figure.text(LEFT, top, line, fontsize=SIZE + 2)
            top -= LINE * 1.3
        top -= LINE * 0.5
    return top


def table_pages(title: str, below: str, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> Iterator[Figure]:
    """Yield as many pages as the rows need; a row that holds a verdict has its colour."""
    figure = page(title, below)
    top = _row(figure, TOP, columns, [column.name for column in columns], weight="bold")
    for row in rows:
        if top - _height(columns, row) < BOTTOM:
            yield figure
            figure = page(f"{title}, continued", below)
            top = _row(figure, TOP, columns, [column.name for column in columns], weight="bold")
        top = _row(figure, top, columns, row)
    yield figure


def _wrapped(columns: Sequence[Column], row: Sequence[str]) -> list[list[str]]:
    return [
        textwrap.wrap(cell, max(4, int(CHARACTERS * column.share) - CLEAR)) or [""]
        for column, cell in zip(columns, row, strict=True)
    ]


def _height(columns: Sequence[Column], row: Sequence[str]) -> float:
    return LINE * (max(map(len, _wrapped(columns, row))) + 0.4)


def _row(figure: Figure, top: float, columns: Sequence[Column], row: Sequence[str], weight: str = "normal") -> float:
    bottom = top - _height(columns, row)
    colour = next((COLOURS[cell.partition(",")[0]] for cell in row if cell.partition(",")[0] in COLOURS), "white")
    axes = figure.add_axes((LEFT, bottom, RIGHT - LEFT, top - bottom), facecolor=colour)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(linewidth=0.4, color="#888888")
    left = LEFT
    for column, lines in zip(columns, _wrapped(columns, row), strict=True):
        text = "\n".join(lines)
        figure.text(left + 0.003, top - 0.2 * LINE, text, fontsize=SIZE, weight=weight, va="top", linespacing=SPACING)
        left += column.share * (RIGHT - LEFT)
    return bottom
