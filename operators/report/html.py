"""The report on a screen: one HTML file that needs no network and no other file.

A slider goes from before to after, a scroller through the images, and what was removed scrolls along. The images are
lossless, so that no grain in them is a trace of compression; ``sample.spread`` bounds their number. The page's content
security policy lets in nothing but the style and the script that it carries.
"""

import base64
import hashlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from models.side_by_side import each
from operators.report.content import TITLE, Content
from operators.report.pictures import Colour, Grey, aspect, encoded, grey_after, grey_before, removed
from operators.report.plots import INCHES
from operators.report.sample import ImagePair
from operators.report.typesetting import DOTS

PARTS = Path(__file__).parent / "page"
WEBP = {"lossless": True, "method": 2, "quality": 30}  # of effort: half the time of the most, 2 % larger


@dataclass(frozen=True)
class Embedded:
    """One image before, after and removed, and the size at which it is shown, in square pixels."""

    number: int
    width: int
    height: int
    before: str
    after: str
    removed: str


def page_html(content: Content, plots: bytes) -> str:
    """Return the page.

    Args:
        plots: the picture of ``plots_png``.
    """
    style, script = ((PARTS / name).read_text(encoding="utf-8").strip() for name in ("page.css", "page.js"))
    template = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return template.from_string((PARTS / "page.html").read_text(encoding="utf-8")).render(
        title=TITLE,
        content=content,
        images=each(partial(_embedded, content), content.sample.pairs),
        plots=base64.b64encode(plots).decode(),
        plots_size=[round(inches * DOTS) for inches in INCHES],
        plots_text=_plots_text(content),
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def _embedded(content: Content, pair: ImagePair) -> Embedded:
    rows, columns = pair.before.shape
    shown = (picture(content, pair) for picture in (grey_before, grey_after, removed))
    return Embedded(pair.number, columns, round(rows * aspect(content)), *map(_webp, shown))


def _webp(grey: Grey | Colour) -> str:
    return base64.b64encode(encoded(grey, "WEBP", **WEBP)).decode()


def _plots_text(content: Content) -> str:
    """Return what the plots show, for those who listen."""
    lines = zip(content.labels, content.assessments, strict=True)
    changes = "; ".join(
        f"{label}: " + ", ".join(f"{level.bias:+.2g} at {level.level:.4g}" for level in assessment.levels)
        for label, assessment in lines
    )
    return (
        f"Five plots. Maps of the {content.noise} of {content.image} {content.shown.number}, before and after. Its "
        "power spectrum before and after. Histogram of values before and after. Mean change by intensity of tissue: "
        f"{changes}."
    )


def _hash(text: str) -> str:
    """Return what a content security policy names a style or a script by."""
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
