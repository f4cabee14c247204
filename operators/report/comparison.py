"""Before, after and what was removed, side by side as one PNG.

In: the same slice before and after, in real units, and one grey window. Out: the bytes of a PNG. The removed part is
shown around middle grey, stretched by the gain in its caption; anatomy in it is anatomy lost.
"""

import io

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

REMOVED_GAIN = 3.0  # stretches the removed part against the window, so that faint anatomy in it can be seen
PANEL_INCHES = 4.0
DOTS_PER_INCH = 120
CAPTION_FRACTION = 0.07  # of the picture's height

Slice = NDArray[np.float32]


def comparison_png(before: Slice, after: Slice, window: tuple[float, float]) -> bytes:
    """Return a PNG of before, after and before - after.

    Args:
        before: (rows, columns).
        after: same shape and unit.
        window: grey values shown black and white, of both.
    """
    low, high = window
    reach = (high - low) / 2 / REMOVED_GAIN
    rows, columns = before.shape
    height = PANEL_INCHES * rows / columns / (1 - CAPTION_FRACTION)
    figure = Figure(figsize=(3 * PANEL_INCHES, height), dpi=DOTS_PER_INCH, facecolor="black")
    panels = (
        ("before", before, low, high),
        ("after", after, low, high),
        (f"removed, stretched {REMOVED_GAIN:g} times", before - after, -reach, reach),
    )
    for column, (caption, pixels, black, white) in enumerate(panels):
        axes = figure.add_axes((column / 3 + 0.002, 0.0, 1 / 3 - 0.004, 1 - CAPTION_FRACTION))
        axes.imshow(pixels, cmap="gray", vmin=black, vmax=white, interpolation="nearest", aspect="auto")
        axes.set_title(caption, color="white", fontsize=11)
        axes.set_axis_off()
    stream = io.BytesIO()
    figure.savefig(stream, format="png", facecolor="black", metadata={"Software": None})
    return stream.getvalue()
