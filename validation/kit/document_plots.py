"""The figures of the validation document, drawn from the requirements' own measures."""

from collections.abc import Iterator
from functools import partial
from io import BytesIO
from typing import Any

import numpy as np
from matplotlib import image
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from reportlab.platypus import Flowable

from operators.report.comparison import comparison_png
from validation.kit import edge_figures, kit_cases, lesion_figures, ultrasound_figures, uniform_figures
from validation.kit.document_pages import figure_part
from validation.kit.evidence import Evidence
from validation.kit.not_measured import NotMeasuredError
from validation.measures.intervals import Measured
from validation.phantoms.ct_inserts import BALLS, ROD_CONTRASTS
from validation.phantoms.pet_phantom import SPHERES

WINDOWS = {"CT": (-60.0, 140.0), "MR": (0.0, 1000.0), "PT": (0.0, 11000.0), "US": (0.0, 255.0)}
PICTURE_SLICE = 5  # of CT: through the middle of the first plane of balls


def figure_parts(evidence: Evidence) -> Iterator[list[Flowable]]:
    """Yield the figures whose groups were run."""
    for title, below, draw in FIGURES:
        try:
            yield figure_part(title, below, partial(draw, evidence))
        except NotMeasuredError:
            continue


def _spectra(evidence: Evidence, figure: Figure) -> None:
    groups = [group for modality in ("CT", "MR", "PT") for group in evidence.groups(modality)]
    if not groups:
        raise NotMeasuredError("no volume in this run", counts=False)
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.07, right=0.97, top=0.95, bottom=0.1, wspace=0.18)
    for number, group in enumerate(groups):
        before, after = uniform_figures.spectra(evidence, group)
        scale = 1 / before.power.max()
        left.plot(before.frequencies, before.power * scale, color=f"C{number}", linestyle=":", linewidth=1)
        left.plot(after.frequencies, after.power * scale, color=f"C{number}", label=group)
        right.plot(before.frequencies, 1 - np.sqrt(after.power / before.power), color=f"C{number}", label=group)
    _labelled(left, "frequency, 1/mm", "noise power over the highest before (dotted: before)", log=True)
    _labelled(right, "frequency, 1/mm", "fraction of the noise's amplitude that is removed")


def _edges(evidence: Evidence, figure: Figure) -> None:
    both = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.07, right=0.97, top=0.95, bottom=0.1, wspace=0.18)
    drawn = (
        (kit_cases.CT, sorted({c for c in ROD_CONTRASTS if c > 0}), "HU"),
        (kit_cases.MR, (50, 100, 400), "amplitude"),
    )
    for axes, (group, contrasts, unit) in zip(both, drawn, strict=True):
        for number, contrast in enumerate(contrasts):
            frequencies, after, truth = edge_figures.transfers(evidence, group, float(contrast))
            axes.plot(frequencies, after, color=f"C{number}", label=f"{contrast} {unit}")
            axes.plot(frequencies, truth, color="black", linestyle="--", linewidth=0.8)
        axes.set_title(group, fontsize=10)
        axes.set_ylim(0, 1.2)
        axes.axhline(0.5, color="grey", linewidth=0.5)
        _labelled(axes, "frequency, 1/mm", "transfer")


def _lesions(evidence: Evidence, figure: Figure) -> None:
    left, right = figure.subplots(1, 2)
    figure.subplots_adjust(left=0.07, right=0.97, top=0.95, bottom=0.1, wspace=0.18)
    kinds = sorted(BALLS, key=lambda kind: (kind[1], kind[0]))
    names = [f"{diameter:g} mm\n{contrast:g} HU" for diameter, contrast in kinds]
    retained = [lesion_figures.contrast_retained(evidence, kit_cases.CT, *kind) for kind in kinds]
    _bars(left, np.arange(len(kinds)), retained, "C0", "contrast retained")
    left.axhline(0.9, color="red", linewidth=0.8)
    for shift, when, colour in ((-0.1, "before", "grey"), (0.1, "after", "C0")):
        seen = [lesion_figures.detected(evidence, kit_cases.CT, when, *kind) for kind in kinds]
        _bars(right, np.arange(len(kinds)) + shift, seen, colour, when)
    for axes, name in ((left, "contrast after over the truth's"), (right, "d' of the model observer")):
        axes.set_xticks(np.arange(len(kinds)), names)
        _labelled(axes, "", name)
        axes.set_ylim(bottom=0)


def _levels(evidence: Evidence, figure: Figure) -> None:
    mr, pet, us = figure.subplots(1, 3)
    figure.subplots_adjust(left=0.07, right=0.97, top=0.95, bottom=0.1, wspace=0.25)
    for when, colour in (("before", "grey"), ("after", "C0")):
        true, errors = edge_figures.levels(evidence.pairs(kit_cases.MR), when, "truth")
        mr.plot(true, 100 * errors.mean(axis=0) / true, "o", color=colour, label=when)
    _labelled(mr, "true amplitude", "error, % of the signal")
    for of, colour in (("mean", "C0"), ("max", "C1")):
        recovered = [lesion_figures.recovery(evidence, kit_cases.PET, float(diameter), of) for diameter in SPHERES]
        _bars(pet, np.array(list(SPHERES)), recovered, colour, f"SUV{of}")
    _labelled(pet, "sphere, mm", "after over the truth's")
    found = ultrasound_figures.contrasts(evidence, kit_cases.US)
    us.plot([-45, 15], [-45, 15], color="grey", linewidth=0.8)
    for when, colour in (("before", "grey"), ("after", "C0")):
        us.plot(found["truth"], found[when], "o", color=colour, label=when)
    _labelled(us, "true contrast, dB", "contrast, dB")


def _pictures(evidence: Evidence, figure: Figure) -> None:
    handed_out = [(o, o.after) for o in evidence.outcomes if o.after is not None and o.case.seed == o.case.draw == 0]
    grid: Any = np.ravel(figure.subplots(3, 2))
    figure.subplots_adjust(left=0.05, right=0.95, top=0.95, bottom=0.03, wspace=0.04, hspace=0.18)
    for axes in grid:
        axes.set_axis_off()
    for axes, (outcome, after) in zip(grid, handed_out, strict=False):
        number = PICTURE_SLICE if len(outcome.before) > PICTURE_SLICE else 0
        window = WINDOWS[outcome.tested.phantom.modality]
        png = comparison_png(outcome.before[number], after[number], window)
        axes.imshow(image.imread(BytesIO(png)))
        axes.set_title(outcome.case.group, fontsize=9)


def _bars(axes: Axes, positions: Any, measured: list[Measured], colour: str, label: str) -> None:
    values = np.array([m.value for m in measured])
    ends = np.abs(np.array([[m.value - m.low, m.high - m.value] for m in measured]).T)
    axes.errorbar(positions, values, np.nan_to_num(ends), fmt="o", color=colour, capsize=3, label=label)


def _labelled(axes: Axes, x: str, y: str, log: bool = False) -> None:
    axes.set(xlabel=x, ylabel=y, yscale="log" if log else "linear")
    axes.grid(linewidth=0.3)
    axes.legend(fontsize=8)


FIGURES = (
    ("Noise power spectrum and noise reduction profile", "uniform fields, averaged over directions", _spectra),
    ("Task transfer function", "ensemble averages of rods' edges; dashed: the noiseless object's own", _edges),
    ("Low contrast", f"balls in {kit_cases.CT}; bars: 95 % confidence intervals", _lesions),
    ("Levels", f"{kit_cases.MR}: error of the amplitude; PET: recovery of spheres; ultrasound: contrast", _levels),
    ("Pictures", "before, after, and what was removed; one slice of each group's first draw", _pictures),
)  # title, what it shows, how it is drawn
