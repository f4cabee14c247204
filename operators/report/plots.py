"""The plots of a report as one picture, for the PDF and the HTML page: noise maps, noise power, values, mean change."""

from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

from operators.quality.bias import SURE
from operators.report.content import Content
from operators.report.curves import SMALL, TINY, draw_change, draw_histogram, draw_power
from operators.report.pictures import aspect
from operators.report.sample import Image
from operators.report.typesetting import INK, MUTED, plotted

INCHES = (7.17, 3.1)  # the width of A4 between the margins
PLACES = {  # left, bottom, width and height, of the picture
    "before": (0.0, 0.545, 0.225, 0.4),
    "after": (0.235, 0.545, 0.225, 0.4),
    "bar": (0.468, 0.545, 0.012, 0.4),
    "power": (0.6, 0.58, 0.395, 0.365),
    "values": (0.012, 0.105, 0.39, 0.29),
    "change": (0.5, 0.105, 0.495, 0.29),
}
STYLE: dict[Any, Any] = {"font.family": "DejaVu Sans", "axes.linewidth": 0.6}  # the font comes with matplotlib
NOISE_COLOURS = "cividis"  # even in lightness, and the same to the colour-blind
LEAST_NOISE = 1 / 300  # of the largest noise that a map shows: its scale spans no more
DARKEST = 1.0  # percentile of the noise after where the scale begins


def plots_png(content: Content) -> bytes:
    """Return all plots as one PNG."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=INCHES, facecolor="white")
        axes = {name: figure.add_axes(place) for name, place in PLACES.items()}
        noise = content.noise.capitalize()
        for name, caption in (
            ("before", f"{noise} map, before"),
            ("after", f"{noise} map, after"),
            ("power", f"{noise} power in flat tissue"),
            ("values", "Values"),
            ("change", f"Mean change; bars: {SURE:g} standard errors"),
        ):
            axes[name].set_title(caption, loc="left", fontsize=SMALL, fontweight="bold", color=INK)
        _draw_noise(axes["before"], content, content.noise_before)
        _draw_bar(axes["bar"], _draw_noise(axes["after"], content, content.noise_after), content)
        draw_power(axes["power"], content)
        draw_histogram(axes["values"], content)
        draw_change(axes["change"], content)
        return plotted(figure)


def _draw_noise(axes: Axes, content: Content, noise: Image) -> AxesImage:
    """Draw a noise map; both maps share one logarithmic scale, which no value goes beyond."""
    after = content.noise_after[content.noise_after > 0]
    high = float(max(content.noise_before.max(), content.noise_after.max())) or 1.0
    low = max(float(np.percentile(after, DARKEST)) if after.size else 0.0, LEAST_NOISE * high)
    axes.set_axis_off()
    axes.set_anchor("NW")
    scale = LogNorm(low, high if high > low else 2 * low)
    shown = np.ma.masked_less_equal(noise, 0)
    return axes.imshow(shown, cmap=NOISE_COLOURS, norm=scale, interpolation="nearest", aspect=aspect(content))


def _draw_bar(axes: Axes, drawn: AxesImage, content: Content) -> None:
    bar = axes.figure.colorbar(drawn, cax=axes)
    bar.outline.set_visible(False)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(which="both", labelsize=TINY, colors=MUTED, length=2, width=0.6, pad=2)
    axes.set_xlabel(content.sample.unit or "grey", fontsize=TINY, color=MUTED, loc="left")
