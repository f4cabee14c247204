"""The curves of a report, each drawn into axes that its figure has placed: noise power, values, mean change."""

from collections.abc import Sequence
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from operators.quality.assessment import LevelBias
from operators.quality.bias import SURE
from operators.report.content import LEAST_REACH, Content
from operators.report.typesetting import INK, LINE, MUTED

BEFORE, AFTER = "#8f9aa5", "#0a6a86"  # differ in lightness too, for print without colour
MOST_NAMED = 5  # volumes with a colour and a name of their own; the others are grey
SMALL, TINY = 7.0, 6.2  # points
LEGEND_ROOM = 1.4  # of the largest power, so that the legend stands clear
CHANGE_ROOM = 1.2  # of the largest mean change with its error, above and below it
NAMES_WIDTH = 0.54  # of the axes: with names of volumes beside them
NAME_CHARACTERS = 31  # of a line beside them
TICKS = 5  # at most, along values


def draw_power(axes: Axes, content: Content) -> None:
    """Draw noise power against spatial frequency, before and after."""
    power = content.noise_power
    _quiet(axes)
    if power is None:
        axes.text(0.5, 0.5, "no flat part large enough", ha="center", va="center", color=MUTED, fontsize=SMALL)
        axes.set(xticks=[], yticks=[])
        return
    length = "mm" if content.sample.spacing else "pixel"
    thousands = int(np.log10(max(power.before.power.max(), 1e-300)) // 3) * 3
    frequencies = power.before.frequencies
    before, after = (spectrum.power / 10.0**thousands for spectrum in (power.before, power.after))
    axes.fill_between(frequencies, before, color=BEFORE, alpha=0.25, linewidth=0)
    axes.plot(frequencies, before, color=BEFORE, linewidth=1.4, label="before")
    axes.plot(frequencies, after, color=AFTER, linewidth=1.4, label="after")
    axes.set_ylim(0, LEGEND_ROOM * max(before.max(), after.max()) or 1)
    axes.set_xlim(left=0, right=frequencies[-1])
    axes.set_xlabel(f"spatial frequency, 1/{length}")
    factor = f"$10^{{{thousands}}}$ " if thousands else ""
    unit = f"({content.sample.unit})²" if "/" in content.sample.unit else f"{content.sample.unit or 'grey'}²"
    axes.set_ylabel(f"{content.noise} power, {factor}{unit} {length}²")
    axes.legend(frameon=False, fontsize=TINY, labelcolor=INK, loc="upper right", handlelength=1.2)


def draw_histogram(axes: Axes, content: Content) -> None:
    """Draw how often each value occurs, before and after."""
    histogram = content.histogram
    _quiet(axes)
    axes.stairs(histogram.before, histogram.edges, fill=True, color=BEFORE, alpha=0.35, linewidth=0, label="before")
    axes.stairs(histogram.after, histogram.edges, color=AFTER, linewidth=1.2, label="after")
    axes.set_xlim(histogram.edges[0], histogram.edges[-1])
    third = max(np.sort(histogram.before)[-3], np.sort(histogram.after)[-3])  # air may tower over all
    axes.set_ylim(0, 1.15 * third or 1)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(f"value{_in(content)}")
    axes.xaxis.set_major_locator(MaxNLocator(TICKS))
    axes.legend(frameon=False, fontsize=TINY, labelcolor=INK, loc="best", handlelength=1.2)


def draw_change(axes: Axes, content: Content) -> None:
    """Draw the mean change by intensity with its error, as the check measured it; a line for each volume or clip."""
    _quiet(axes)
    axes.axhline(0, color=LINE, linewidth=0.8)
    lines = sorted(zip(content.labels, content.assessments, strict=True), key=lambda line: -_largest(line[1].levels))
    named = [label for label, _ in lines[: MOST_NAMED if len(lines) > MOST_NAMED + 1 else None]]
    for label, assessment in zip(content.labels, content.assessments, strict=True):
        colour = BEFORE if label not in named else AFTER if len(lines) == 1 else f"C{named.index(label)}"
        values, biases = [level.level for level in assessment.levels], [level.bias for level in assessment.levels]
        bars = [SURE * level.error for level in assessment.levels]
        axes.errorbar(
            values, biases, bars, color=colour, marker="o", markersize=2.4, linewidth=1.1, elinewidth=0.6, capsize=1.5,
            label=fill(label, NAME_CHARACTERS) if label in named else None, zorder=2 + (label in named),
        )  # fmt: skip
    reach = CHANGE_ROOM * max((_largest(one.levels) for one in content.assessments), default=0.0)
    noise = max((one.noise_before for one in content.assessments), default=0.0)
    reach = max(reach, noise / 4, LEAST_REACH)
    axes.set_ylim(-reach, reach)
    axes.set_xlabel(f"intensity of tissue{_in(content)}")
    axes.xaxis.set_major_locator(MaxNLocator(TICKS))
    axes.set_ylabel(f"mean change{_in(content)}")
    if len(lines) > 1:
        left, bottom, width, height = axes.get_position().bounds
        axes.set_position((left, bottom, NAMES_WIDTH * width, height))
        title = f"grey: {len(lines) - len(named)} others" if len(named) < len(lines) else None
        axes.legend(
            frameon=False, fontsize=TINY, labelcolor=INK, loc="center left", bbox_to_anchor=(1, 0.5), title=title,
            title_fontsize=TINY, handlelength=1.2,
        )  # fmt: skip


def _largest(levels: Sequence[LevelBias]) -> float:
    """Return the largest change with its error."""
    return max((abs(level.bias) + SURE * level.error for level in levels), default=0.0)


def _quiet(axes: Axes) -> None:
    """Leave only the frame's left and lower side, in a pale line."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(LINE)
    axes.tick_params(colors=MUTED, labelsize=TINY, length=2, color=LINE, width=0.6, pad=2)
    axes.xaxis.label.set(color=MUTED, fontsize=TINY)
    axes.yaxis.label.set(color=MUTED, fontsize=TINY)


def _in(content: Content) -> str:
    return f", {content.sample.unit}" if content.sample.unit else ""
