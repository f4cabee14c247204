"""What many studies need, from the table of costs: ``python -m bench.scale`` prints the tables of docs/scale.md.

``make costs`` measures the table of costs anew and puts what follows from it into the documents.
"""

import math
from dataclasses import dataclass

import torch

from models.compute import Compute
from models.costs import costs_of
from models.pace import Pace
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.ultrasound.speckle_plan import most_plan, plan_work
from models.volume.ns_n2n_settings import NSN2NSettings
from models.volume.slice_plan import LADDERS, plan_slices
from operators.series_costs import TISSUE_FRACTION, Pricing
from operators.time_budget import RunTime, SeriesNeed, timetable

HOUR, WEEK = 3600.0, 7 * 24 * 3600.0  # seconds
BATCH = 100_000  # studies in a week
BUSY = 0.8  # fraction of the time that a worker may be busy in the peak hour, so that a queue stays short
BUDGET = 240.0  # seconds for a study, the default
TASK = Compute(torch.device("cpu"), torch.bfloat16, threads=2)  # as app.yaml asks for
GPU = Compute(torch.device("cuda"), torch.bfloat16, threads=2)  # its costs are assumed


@dataclass(frozen=True)
class Kind:
    """Studies of one modality, and the series or images that they consist of."""

    name: str
    shape: tuple[int, ...]  # of one fit
    fits: int  # in a study
    peak: float  # studies in the peak hour

    @property
    def voxels(self) -> int:
        """Of one fit."""
        return math.prod(self.shape)

    def need(self, compute: Compute) -> SeriesNeed:
        """What one series of the study needs."""
        return Pricing(compute, NSN2NSettings(), Speckle2SelfSettings()).need_of(self.name, [self.shape])

    def whole(self, compute: Compute) -> float:
        """Seconds of a study with all that the settings ask for."""
        return costs_of(compute)["start"].of(self.fits * self.voxels) + self.fits * self.need(compute).whole.most

    def planned(self) -> str:
        """What is planned for each fit of a study within the default time budget."""
        run = RunTime(0.0, BUDGET, Pace(lambda: 0.0))
        start = costs_of(TASK)["start"].of(self.fits * self.voxels)
        first = timetable(run, start, [self.need(TASK)] * self.fits)[0].slots[0]
        budget, costs = first.context(TASK, 0, "", self.name).budget, costs_of(TASK, self.name)
        if self.name == "US":
            asked = Speckle2SelfSettings()
            clip, all_of_it = plan_work(self.shape, asked, costs, budget), most_plan(self.shape, asked)
            return f"{clip.steps} of {all_of_it.steps} steps, {clip.fit_offsets} of {all_of_it.fit_offsets} offsets"
        most, sizes = NSN2NSettings().steps, (self.voxels, int(TISSUE_FRACTION * self.voxels))
        plan, wanted = (plan_slices(most, costs, *sizes, seconds, LADDERS[self.name]) for seconds in (budget, math.inf))
        return f"{plan.steps} of {wanted.steps} steps, {len(plan.passes)} of {len(wanted.passes)} passes"


KINDS = (
    Kind("CT", (60, 512, 512), 1, 21),
    Kind("MR", (30, 256, 256), 7, 17.5),
    Kind("US", (1, 480, 640), 30, 5),
)
PEAK = sum(kind.peak for kind in KINDS)  # studies in the hour


def table(*rows: tuple[object, ...]) -> str:
    """Columns of text; the first row is the head."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
    )


def costs() -> str:
    """What a study of each kind costs."""
    head = ("study", "fits", "each", "one thread", "a task of 2 cores", "one GPU, assumed", "planned in 240 s, 2 cores")
    one = Compute(torch.device("cpu"), torch.bfloat16, threads=1)
    rows = [
        (kind.name, kind.fits, " x ".join(map(str, kind.shape)),
         *(f"{kind.whole(compute):.0f} s" for compute in (one, TASK, GPU)), kind.planned())
        for kind in KINDS
    ]  # fmt: skip
    return table(head, *rows)


def needs() -> str:
    """Workers for the batch and for the peak hour."""
    head = ("worker", "a study, mean", f"{BATCH:,} in 7 days", f"peak hour, {PEAK:g} studies")
    rows = []
    for name, seconds in (
        ("task of 2 cores, default budget at most", lambda kind: min(BUDGET, kind.whole(TASK))),
        ("task of 2 cores, all that is asked for", lambda kind: kind.whole(TASK)),
        ("one GPU with 2 cores, assumed, all", lambda kind: kind.whole(GPU)),
    ):
        hour = sum(seconds(kind) * kind.peak for kind in KINDS)
        batch = BATCH * hour / PEAK / WEEK
        rows.append((name, f"{hour / PEAK:.0f} s", f"{batch:.1f}", f"{hour / HOUR / BUSY:.1f}"))
    return table(head, *rows)


def allowed() -> str:
    """The time that each of some workers would have for a study."""
    rows = [(count, f"{count * WEEK / BATCH:.0f} s", f"{count * BUSY * HOUR / PEAK:.0f} s") for count in (1, 4, 16, 64)]
    return table(("workers", f"a study may take, {BATCH:,} in 7 days", "in the peak hour"), *rows)


if __name__ == "__main__":
    print("\n\n".join((costs(), needs(), allowed())))
