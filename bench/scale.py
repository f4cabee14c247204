"""What many studies need, from measured times: ``python -m bench.scale`` prints the tables of docs/scale.md.

To have them for another machine, replace the figures of ``KINDS`` by those of such runs there: the processor time of
``python -m app --time-budget 7200`` on one core (for a GPU: its wall time), with one series or image of the kind.
"""

import math
from dataclasses import dataclass

import torch

from models.compute import Compute
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.ultrasound.speckle_plan import plan_work
from models.volume.ns_n2n_settings import NSN2NSettings
from models.volume.slice_plan import plan_slices
from operators.time_budget import TimeSlot

HOUR, WEEK = 3600.0, 7 * 24 * 3600.0  # seconds
BATCH = 100_000  # studies in a week
BUSY = 0.8  # fraction of the time that a core may be busy in the peak hour, so that a queue stays short
CORES, BUDGET = 2, 240.0  # of a task, as app.yaml asks for; seconds for a study, its default
STEP = (39.5 - 21.6) / 200  # core-seconds of a step of NS-N2N: what 300 steps of MR took more than 100
CPU = Compute(torch.device("cpu"), torch.bfloat16)  # on which it was measured
START = 5.4  # core-seconds of a run that fits nothing


@dataclass(frozen=True)
class Kind:
    """Studies of one modality, and what one of their series or images costs."""

    name: str
    shape: tuple[int, ...]  # of one fit
    fits: int  # in a study
    run: float  # core-seconds of a run with one fit, with every step that the settings ask for
    peak: float  # studies in the peak hour

    @property
    def whole(self) -> float:
        """Core-seconds of a study, with every step."""
        return START + self.fits * (self.run - START)

    @property
    def default(self) -> float:
        """Core-seconds of a study within the default time budget, at most."""
        return min(self.whole, CORES * BUDGET)

    def steps(self) -> str:
        """What the application plans for each fit of a study within the default time budget, of what is asked for."""
        voxels = math.prod(self.shape)
        planned = TimeSlot(0.0, BUDGET, BUDGET).part(0, [voxels] * self.fits).planned
        if self.name == "US":
            asked = Speckle2SelfSettings()
            steps = plan_work(self.shape, asked, CPU, planned).steps
            return f"{steps} of {asked.steps}"
        most = NSN2NSettings().steps
        return f"{plan_slices(most, CPU, voxels, voxels, planned).steps} of {most}"


KINDS = (
    Kind("CT", (60, 512, 512), 1, 38.8 + 700 * STEP, 21),  # 38.8 with 100 steps of 800
    Kind("MR", (30, 256, 256), 7, 21.6 + 700 * STEP, 17.5),  # 21.6 with 100 steps of 800
    Kind("US", (1, 480, 648), 30, 38.9, 5),  # with all its steps
)
PEAK = sum(kind.peak for kind in KINDS)  # studies in the hour


def table(*rows: tuple[object, ...]) -> str:
    """Markdown; the first row is the head."""
    head, *body = ("| " + " | ".join(map(str, row)) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])


def costs() -> str:
    """What was measured, and a study of it."""
    head = ("study", "one fit", "run with one", "fits in a study", "study, all steps", "steps in the default budget")
    rows = [
        (kind.name, " x ".join(map(str, kind.shape)), f"{kind.run:.0f} core-s", kind.fits, f"{kind.whole:.0f} core-s",
         kind.steps())
        for kind in KINDS
    ]  # fmt: skip
    return table(head, *rows)


def needs() -> str:
    """Cores for the batch and for the peak hour."""
    head = ("", "study, mean", f"{BATCH:,} in 7 days", f"peak hour, {PEAK:g} studies")
    rows = []
    for name, hour in (
        ("default time budget, at most", sum(kind.default * kind.peak for kind in KINDS)),
        ("all steps", sum(kind.whole * kind.peak for kind in KINDS)),
    ):
        batch = BATCH * hour / PEAK / WEEK
        rows.append((name, f"{hour / PEAK:.0f} core-s", f"{batch:.0f} cores", f"{hour / HOUR / BUSY:.0f} cores"))
    return table(head, *rows)


def allowed() -> str:
    """The time that each of some workers, GPUs for instance, would have for a study."""
    rows = [(count, f"{count * WEEK / BATCH:.0f} s", f"{count * BUSY * HOUR / PEAK:.0f} s") for count in (1, 4, 16, 64)]
    return table(("workers", f"a study may take, {BATCH:,} in 7 days", "in the peak hour"), *rows)


if __name__ == "__main__":
    print("\n\n".join((costs(), needs(), allowed())))
