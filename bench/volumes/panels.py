"""Every method's before, after and removed part side by side, one PNG for each volume."""

from collections.abc import Mapping
from pathlib import Path

from matplotlib.figure import Figure

from bench.volumes.bench_cases import Case
from validation.phantoms.anatomy import Volume

REMOVED_GAIN = 3.0  # against the window, so that faint anatomy in the removed part can be seen
PANEL_INCHES, DOTS_PER_INCH = 3.0, 100


def write_pictures(file: Path, case: Case, images: Mapping[str, Volume]) -> None:
    """Write the middle slice: truth first where it is known, then a row for each method."""
    middle = len(case.noisy) // 2
    low, high = case.window
    reach = (high - low) / 2 / REMOVED_GAIN
    rows = len(images) + (case.truth is not None)
    figure = Figure(figsize=(3 * PANEL_INCHES, rows * PANEL_INCHES), dpi=DOTS_PER_INCH, layout="tight")
    shown = {"truth": case.truth, **images} if case.truth is not None else images
    for row, (method, image) in enumerate(shown.items()):
        before, after = case.noisy[middle], image[middle]
        panels = (("before", before, low, high), (method, after, low, high), ("removed", before - after, -reach, reach))
        for column, (title, pixels, black, white) in enumerate(panels):
            axes = figure.add_subplot(rows, 3, 3 * row + column + 1)
            axes.imshow(pixels, cmap="gray", vmin=black, vmax=white, interpolation="nearest")
            axes.set_title(title, fontsize=8)
            axes.set_axis_off()
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file)
