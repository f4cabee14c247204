"""The plots of a report, each drawn into axes that its page has placed: spectrum, histogram, bias, noise map."""

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

from operators.report.content import LEAST_REACH, Content
from operators.report.sample import Image
from operators.report.window import Window

INK, MUTED, LINE = "#1c2630", "#5b6772", "#d5dbe1"
BEFORE, AFTER = "#8f9aa5", "#0a6a86"  # differ in lightness too, for print without colour
PASSED, FAILED = "#2b7a4b", "#a8321f"
SMALL, TINY = 7.0, 6.2  # points
STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "pdf.fonttype": 42,
    "axes.linewidth": 0.6,
}  # the font comes with matplotlib
NOISE_TIMES = 2.0  # the noise in flat tissue that is shown full: edges and texture may saturate
LEGEND_ROOM = 1.25  # of the largest power, so that the legend stands clear
BIAS_ROOM = 1.3  # of the largest mean change, above and below it
TICKS = 5  # at most, along values
NOISE_COLOURS = "cividis"  # even in lightness, and the same to the colour-blind


def quiet(axes: Axes) -> None:
    """Only the frame's left and lower side, in a light line."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LINE)
    axes.tick_params(colors=MUTED, labelsize=TINY, length=2, color=LINE, width=0.6, pad=2)
    axes.xaxis.label.set(color=MUTED, fontsize=TINY)
    axes.yaxis.label.set(color=MUTED, fontsize=TINY)


def draw_spectrum(axes: Axes, content: Content) -> None:
    """Noise power against spatial frequency, before and after."""
    spectrum = content.spectrum
    quiet(axes)
    if spectrum is None:
        axes.text(0.5, 0.5, "no flat part large enough", ha="center", va="center", color=MUTED, fontsize=SMALL)
        axes.set(xticks=[], yticks=[])
        return
    length = "mm" if content.sample.spacing else "pixel"
    thousands = int(np.log10(max(spectrum.before.max(), 1e-300)) // 3) * 3
    before, after = spectrum.before / 10.0**thousands, spectrum.after / 10.0**thousands
    axes.fill_between(spectrum.frequency, before, color=BEFORE, alpha=0.25, linewidth=0)
    axes.plot(spectrum.frequency, before, color=BEFORE, linewidth=1.4, label="before")
    axes.plot(spectrum.frequency, after, color=AFTER, linewidth=1.4, label="after")
    axes.set_ylim(0, LEGEND_ROOM * max(before.max(), after.max()) or 1)
    axes.set_xlim(left=0, right=spectrum.frequency[-1])
    axes.set_xlabel(f"spatial frequency, 1/{length}")
    power = f"$10^{{{thousands}}}$ " if thousands else ""
    unit = f"({content.sample.unit})²" if "/" in content.sample.unit else f"{content.sample.unit or 'grey'}²"
    axes.set_ylabel(f"{content.noise_word} power, {power}{unit} {length}²")
    axes.legend(frameon=False, fontsize=TINY, labelcolor=INK, loc="upper right", handlelength=1.2)


def draw_histogram(axes: Axes, content: Content) -> None:
    """How often each value occurs, before and after."""
    found = content.histogram
    quiet(axes)
    axes.stairs(found.before, found.edges, fill=True, color=BEFORE, alpha=0.35, linewidth=0, label="before")
    axes.stairs(found.after, found.edges, color=AFTER, linewidth=1.2, label="after")
    axes.set_xlim(found.edges[0], found.edges[-1])
    axes.set_ylim(0, 1.15 * max(np.sort(found.before)[-3], np.sort(found.after)[-3]) or 1)  # air may tower over all
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"value{_in(content)}")
    axes.xaxis.set_major_locator(MaxNLocator(TICKS))
    axes.legend(frameon=False, fontsize=TINY, labelcolor=INK, loc="best", handlelength=1.2)


def draw_bias(axes: Axes, content: Content) -> None:
    """The mean change at each level of tissue, as the gate measured it; a line for each volume or clip."""
    quiet(axes)
    axes.axhline(0, color=LINE, linewidth=0.8)
    for one in content.assessments:
        levels, biases = [level.level for level in one.levels], [level.bias for level in one.levels]
        axes.plot(levels, biases, color=AFTER, marker="o", markersize=2.6, linewidth=1.2)
    largest = max((abs(level.bias) for one in content.assessments for level in one.levels), default=0.0)
    noise = max((one.noise_before for one in content.assessments), default=0.0)
    reach = max(BIAS_ROOM * largest, noise / 4, LEAST_REACH)
    axes.set_ylim(-reach, reach)
    axes.set_xlabel(f"level of tissue{_in(content)}")
    axes.xaxis.set_major_locator(MaxNLocator(TICKS))
    axes.set_ylabel(f"mean change{_in(content)}")


def draw_removed(axes: Axes, content: Content) -> None:
    """What was removed from the image shown, around middle grey."""
    shown, reach = content.sample.middle, content.removed_reach
    removed = np.where(shown.valid, shown.before - shown.after, 0)
    draw_grey(axes, content, removed, Window(-reach, reach, content.window.inverse))


def draw_grey(axes: Axes, content: Content, image: Image, window: Window) -> None:
    """An image in its window and in the shape of its pixels."""
    axes.set_axis_off()
    colours = "gray_r" if window.inverse else "gray"
    axes.imshow(image, cmap=colours, vmin=window.low, vmax=window.high, interpolation="nearest", aspect=aspect(content))


def draw_noise(axes: Axes, content: Content, noise: Image) -> AxesImage:
    """A noise map; both maps share one scale."""
    noise_before = max((one.noise_before for one in content.assessments), default=0.0)
    high = NOISE_TIMES * noise_before or float(content.noise_before.max()) or 1.0
    axes.set_axis_off()
    return axes.imshow(noise, cmap=NOISE_COLOURS, vmin=0, vmax=high, interpolation="nearest", aspect=aspect(content))


def aspect(content: Content) -> float:
    """Height of a pixel against its width."""
    return content.sample.spacing[0] / content.sample.spacing[1] if content.sample.spacing else 1.0


def _in(content: Content) -> str:
    return f", {content.sample.unit}" if content.sample.unit else ""
