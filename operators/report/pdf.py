"""The report on paper: one A4 page for one derived series, as a PDF with its fonts embedded.

The same content gives the same bytes: no time and no random identifier is in the file.
"""

import io
import textwrap
from collections.abc import Mapping
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from operators.report import plots
from operators.report.content import TITLE, Content
from operators.report.plots import FAILED, INK, LINE, MUTED, PASSED, SMALL, TINY
from operators.report.verdict import CheckLine

WIDTH, HEIGHT = 210.0, 297.0  # mm, A4
MARGIN = 14.0  # mm
INNER = WIDTH - 2 * MARGIN
GAP = 5.0  # mm between neighbours
INCH = 25.4  # mm
DOTS_PER_INCH = 300  # of pictures in the page
LINE_HEIGHT, ROW_GAP = 3.0, 0.8  # mm
CHARACTERS_PER_MM = 0.86  # of text in TINY points, so that lines never run over


class Page:
    """A sheet on which things are placed in mm from its upper left corner."""

    def __init__(self) -> None:
        self.figure = Figure(figsize=(WIDTH / INCH, HEIGHT / INCH), facecolor="white", dpi=DOTS_PER_INCH)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Axes in a rectangle."""
        return self.figure.add_axes((left / WIDTH, 1 - (top + height) / HEIGHT, width / WIDTH, height / HEIGHT))

    def text(self, left: float, top: float, words: str, size: float = SMALL, color: str = INK, **more: Any) -> None:
        """Words whose first line hangs from ``top``."""
        style: dict[str, Any] = {"va": "top", "linespacing": 1.35, **more}
        self.figure.text(left / WIDTH, 1 - top / HEIGHT, words, fontsize=size, color=color, **style)

    def caption(self, left: float, top: float, words: str) -> None:
        """What stands above a block that begins at ``top``."""
        self.text(left, top - 5, words, size=8, weight="bold")

    def rule(self, top: float) -> None:
        """A fine line across the sheet."""
        axes = self.axes(MARGIN, top, INNER, 0.01)
        axes.set_axis_off()
        axes.axhline(0, color=LINE, linewidth=0.8)


def page_pdf(content: Content) -> bytes:
    """The page as the bytes of a PDF."""
    with mpl.rc_context(plots.STYLE):
        page = Page()
        _head(page, content)
        _images(page, content, top=51)
        _noise(page, content, top=122)
        _tissue(page, content, top=175)
        _words(page, content, top=223)
        stream = io.BytesIO()
        page.figure.savefig(stream, format="pdf", metadata={"Title": TITLE, "CreationDate": None})
        return stream.getvalue()


def _head(page: Page, content: Content) -> None:
    page.text(MARGIN, 13, TITLE, size=17, weight="light")
    page.text(MARGIN, 23, content.heading, size=10, color=MUTED)
    page.text(WIDTH - MARGIN, 23, "Research use", size=SMALL, color=MUTED, ha="right")
    page.rule(31)
    as_asked = content.verdict.as_asked
    page.text(MARGIN, 34.4, "●" if as_asked else "▲", size=11, color=PASSED if as_asked else FAILED)
    page.text(MARGIN + 6, 35, content.verdict.sentence, size=8.5, weight="bold")
    page.text(MARGIN + 6, 39.2, _wrapped(content.verdict.reason, INNER - 6, max_lines=2), size=TINY, color=MUTED)


def _images(page: Page, content: Content, top: float) -> None:
    shown, window = content.sample.middle, content.window
    width = (INNER - 2 * GAP) / 3
    lefts = [MARGIN + place * (width + GAP) for place in range(3)]
    for left, caption in zip(lefts, ("Before", "After", content.removed_word), strict=True):
        page.caption(left, top, caption)
    rows, columns = shown.before.shape
    height = min(width, width * rows * plots.aspect(content) / columns)
    before, after, removed = (page.axes(left, top, width, width) for left in lefts)
    for axes in (before, after, removed):
        axes.set_anchor("N")
    plots.draw_grey(before, content, np.where(shown.valid, shown.before, window.low), window)
    plots.draw_grey(after, content, np.where(shown.valid, shown.after, window.low), window)
    plots.draw_removed(removed, content)
    place_of = f"{content.image_word} {shown.number} of {content.sample.total}"
    page.text(MARGIN, top + height + 2, f"{place_of}; {window.text(content.sample.unit)}", size=TINY, color=MUTED)
    note = "anatomy seen here would be anatomy lost"
    page.text(lefts[2], top + height + 2, note, size=TINY, color=MUTED)


def _noise(page: Page, content: Content, top: float) -> None:
    width, height = 40.0, 40.0
    for place, (caption, noise) in enumerate((("before", content.noise_before), ("after", content.noise_after))):
        left = MARGIN + place * (width + 3)
        page.caption(left, top, f"{content.noise_word.capitalize()} map, {caption}")
        axes = page.axes(left, top, width, height)
        axes.set_anchor("N")
        drawn = plots.draw_noise(axes, content, noise)
    page.text(MARGIN, top + height + 1.5, "fine detail as narrow as noise, such as edges, counts too", TINY, MUTED)
    bar = page.axes(MARGIN + 2 * (width + 3), top, 2.2, height)
    page.figure.colorbar(drawn, cax=bar)
    bar.tick_params(labelsize=TINY, colors=MUTED, length=2, width=0.6)
    bar.spines["outline"].set_visible(False)
    bar.set_xlabel(content.sample.unit or "grey", fontsize=TINY, color=MUTED)
    left = MARGIN + 2 * (INNER - 2 * GAP) / 3 - 8
    page.caption(left, top, f"{content.noise_word.capitalize()} power in flat tissue")
    plots.draw_spectrum(page.axes(left + 2, top + 1, WIDTH - MARGIN - left - 2, height - 6), content)


def _tissue(page: Page, content: Content, top: float) -> None:
    width, height = (INNER - 2 * GAP) / 3, 30.0
    page.caption(MARGIN, top, "Values")
    plots.draw_histogram(page.axes(MARGIN, top, width, height), content)
    left = MARGIN + width + GAP
    page.caption(left, top, "Mean change by level of tissue")
    plots.draw_bias(page.axes(left + 9, top, width - 9, height), content)
    left += width + GAP
    page.caption(left, top, "In figures")
    _rows(page, left, top, width, content.figures, indent=0)


def _words(page: Page, content: Content, top: float) -> None:
    page.rule(top - 9)
    half = (INNER - 2 * GAP) / 2
    page.caption(MARGIN, top, "Checks before it was handed out")
    _lights(page, MARGIN, top, content.verdict.lights)
    left = MARGIN + half + 2 * GAP
    page.caption(left, top, "How it was made")
    _rows(page, left, top, half, content.facts, indent=24)
    page.rule(267)
    page.text(MARGIN, 269.5, "\n".join(_wrapped(line, INNER) for line in content.cautions), size=TINY, linespacing=1.45)


def _lights(page: Page, left: float, top: float, lights: tuple[CheckLine, ...]) -> None:
    step = min(4.2, 46 / max(1, len(lights)))
    for row, light in enumerate(lights):
        at = top + row * step
        page.text(left, at, "●" if light.passed else "▲", size=TINY, color=PASSED if light.passed else FAILED)
        page.text(left + 4, at, light.name, size=TINY)
        page.text(left + 46, at, light.measured, size=TINY)
        page.text(
            left + 68, at, f"limit {light.limit}: {'passed' if light.passed else 'failed'}", size=TINY, color=MUTED
        )


def _rows(page: Page, left: float, top: float, width: float, rows: Mapping[str, str], *, indent: float) -> None:
    """Names, and their values: beside them at an indent, or below them without one."""
    at = top
    for name, value in rows.items():
        page.text(left, at, name, size=TINY, color=MUTED)
        lines = _wrapped(value, width - indent)
        at += 0 if indent else LINE_HEIGHT
        page.text(left + indent, at, lines, size=TINY)
        at += LINE_HEIGHT * (lines.count("\n") + 1) + ROW_GAP


def _wrapped(words: str, width: float, max_lines: int | None = None) -> str:
    return textwrap.fill(words, int(width * CHARACTERS_PER_MM), max_lines=max_lines, placeholder=" ...")
