"""The report on a screen: one HTML file that needs no network and no other file, with a slider from before to after.

It holds the images looked at as lossless 8-bit PNG, so that no grain in it is a trace of compression; their number is
bounded by ``sample.spread``. Its content security policy lets in nothing but the style and the script that it carries.
"""

import base64
import hashlib
import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import matplotlib as mpl
import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image as Picture

from operators.report import plots
from operators.report.content import TITLE, Content
from operators.report.sample import Image, ImagePair

PARTS = Path(__file__).parent / "page"
PLOTS_INCHES = (11.0, 6.2)
PLOTS_GRID = {"left": 0.05, "right": 0.99, "top": 0.96, "bottom": 0.08, "wspace": 0.22, "hspace": 0.22}  # of the figure
DOTS_PER_INCH = 130


@dataclass(frozen=True)
class Embedded:
    """A PNG in the page and the size at which it is shown, in pixels of one shape."""

    width: int
    height: int
    data: str


def page_html(content: Content) -> str:
    """The page."""
    style, script = ((PARTS / name).read_text(encoding="utf-8").strip() for name in ("page.css", "page.js"))
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return template.from_string((PARTS / "page.html").read_text(encoding="utf-8")).render(
        title=TITLE,
        content=content,
        images=[_image(content, pair) for pair in content.sample.pairs],
        first=len(content.sample.pairs) // 2,
        plots=_plots(content),
        plots_words=_plots_words(content),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _image(content: Content, pair: ImagePair) -> dict[str, object]:
    rows, columns = pair.before.shape
    return {
        "number": pair.number,
        "width": columns,
        "height": round(rows * plots.aspect(content)),
        "before": _grey_png(content, pair, pair.before),
        "after": _grey_png(content, pair, pair.after),
    }


def _grey_png(content: Content, pair: ImagePair, image: Image) -> str:
    grey = content.window.grey(np.where(pair.valid, image, content.window.low))
    stream = io.BytesIO()
    Picture.fromarray(grey).save(stream, "PNG", optimize=True)
    return base64.b64encode(stream.getvalue()).decode()


def _plots(content: Content) -> Embedded:
    with mpl.rc_context(plots.STYLE):
        figure = Figure(figsize=PLOTS_INCHES, dpi=DOTS_PER_INCH, facecolor="white")
        axes = figure.subplots(2, 3, gridspec_kw=PLOTS_GRID).ravel()
        noise = content.noise_word.capitalize()
        draw: tuple[tuple[str, Callable[[Axes, Content], object]], ...] = (
            (content.removed_word, plots.draw_removed),
            (f"{noise} map, before", partial(plots.draw_noise, noise=content.noise_before)),
            (f"{noise} map, after, same scale", partial(plots.draw_noise, noise=content.noise_after)),
            (f"{noise} power in flat tissue", plots.draw_spectrum),
            ("Values", plots.draw_histogram),
            ("Mean change by level of tissue", plots.draw_bias),
        )
        for where, (caption, plot) in zip(axes, draw, strict=True):
            where.set_title(caption, loc="left", fontsize=8, fontweight="bold", color=plots.INK)
            where.set_anchor("NW")
            plot(where, content)
        stream = io.BytesIO()
        figure.savefig(stream, format="png", metadata={"Software": None})
    width, height = (round(inches * DOTS_PER_INCH) for inches in PLOTS_INCHES)
    return Embedded(width, height, base64.b64encode(stream.getvalue()).decode())


def _plots_words(content: Content) -> str:
    shown = f"{content.image_word} {content.sample.middle.number}"
    levels = [level for one in content.assessments for level in one.levels]
    bias = "; ".join(f"{one.level:.4g}: {one.bias:+.2g}" for one in levels)
    return (
        f"Six plots. What was removed from {shown}. Maps of its {content.noise_word}, before and after. Its power "
        f"spectrum before and after. Histogram of values before and after. Mean change by level of tissue: {bias}."
    )


def _hash(text: str) -> str:
    """As a content security policy names what may run."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
