"""The only training loop, what it is given and what it reports.

The loop takes a network, a loss that draws its own batch and a planned number of steps; only the network's weights
outlive it. The steps are planned before, never by a clock, so that a fit repeats. Where the machine is too slow for
them, the loop takes fewer, and lays its learning rate out over these.
"""

import logging
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from monai.utils import set_determinism
from tqdm import tqdm

from models.compute import Compute
from models.costs import FREE, Cost, Costs, costs_of
from models.pace import Pace, Stage

LOG = logging.getLogger(__name__)
GRADIENT_NORM_LIMIT = 1.0  # of the whole network; one outlying batch must not undo a short fit
WARM_UP = 0.1  # fraction of the steps in which the learning rate rises
LINES_PER_FIT = 5  # progress lines where there is no terminal for a bar
FITTED_FRACTION = 0.1  # of the planned steps: with fewer a network has learnt next to nothing
STEPS_PER_LOOK = 10  # between looks at the clock; the first ones are slow
GIVEN_UP = {  # for lack of time; from least to most
    "steps": "The network took fewer steps than the settings ask for.",
    "offsets": "Ultrasound: similar tissue was searched for at fewer offsets than the settings ask for.",
    "passes": "CT, MR and PET: the initial estimate was refined by fewer or quicker passes.",
    "network": "No network was fitted: the images are the initial estimate.",
}

Measures = Mapping[str, float | int | str]


@dataclass(frozen=True)
class FitContext:
    """What a fit is given besides its data and its settings.

    Attributes:
        compute: device and precision.
        seed: of every random draw.
        budget: seconds for this fit by the cost table, from which its work is planned.
        deadline: reading of the pace's clock by which this work and what follows it should be done.
        label: shown beside the progress; holds nothing of the patient.
        pace: of the run.
        following: seconds by the cost table of what follows before the deadline.
    """

    compute: Compute
    seed: int
    budget: float
    deadline: float
    label: str
    pace: Pace = field(default_factory=Pace)
    following: float = 0.0

    @property
    def costs(self) -> Costs:
        """What each unit of work costs here, by the table."""
        return costs_of(self.compute)

    @property
    def latest(self) -> float:
        """Reading of the clock by which this work must end, so that what follows is done by the deadline."""
        return self.deadline - self.pace.slowness * self.following

    @property
    def expired(self) -> bool:
        """Whether there is no time left for this work."""
        return self.pace.clock() > self.latest

    def before(self, seconds: float) -> "FitContext":
        """Return the context of work that is followed by so many more seconds by the cost table."""
        return replace(self, following=self.following + seconds)

    def has_time_for(self, seconds: float) -> bool:
        """Return whether work of so many seconds by the cost table can be done here in time."""
        return self.pace.clock() + self.pace.slowness * seconds <= self.latest

    def stage(self, unit: str, voxels: float) -> AbstractContextManager[None]:
        """Record how long the work inside the block takes."""
        return self.pace.stage(unit, voxels, self.costs[unit].of(voxels))

    @contextmanager
    def seeded(self) -> Iterator[None]:
        """Seed the global generators and make cuDNN deterministic inside the block; torch's state is restored."""
        with torch.random.fork_rng():
            set_determinism(self.seed)
            try:
                yield
            finally:
                set_determinism(None)

    def record(self, method: str, variant: str, work: "WorkDone", measures: Measures) -> "FitRecord":
        """Return the record of a fit with this context."""
        where = (self.compute.kind, self.compute.precision, self.compute.processor)
        return FitRecord(method, variant, *where, self.seed, work.planned, work.taken, measures, work.given_up)


@dataclass(frozen=True)
class WorkDone:
    """Steps planned and taken, and what was given up for lack of time: keys of `GIVEN_UP`."""

    planned: int
    taken: int
    given_up: tuple[str, ...] = ()


@dataclass(frozen=True)
class FitRecord:
    """What one fit did, for the ledger; the derived UIDs depend on it."""

    method: str
    variant: str
    device_kind: str
    precision: str
    processor: str  # instruction set and threads, or the GPU's name
    seed: int
    steps_planned: int
    steps_taken: int
    measures: Measures = field(default_factory=dict)
    given_up: tuple[str, ...] = ()  # keys of `GIVEN_UP`

    @property
    def as_planned(self) -> bool:
        """Whether the network, if any was planned, got so far that it can be called fitted."""
        return self.steps_taken >= FITTED_FRACTION * self.steps_planned and "network" not in self.given_up

    @property
    def name(self) -> str:
        """What made the images."""
        return self.method if self.as_planned else f"initial estimate of {self.method}"


@dataclass(frozen=True)
class Denoised:
    """Images of the input's shape and unit, and the record of their fit."""

    images: npt.NDArray[np.float32]
    record: FitRecord
    restored: npt.NDArray[np.uint8] | None = None  # percent of the input that was blended back, on a coarser grid


def fit(
    network: torch.nn.Module,
    draw_loss: Callable[[], torch.Tensor],
    context: FitContext,
    *,
    steps: int,
    learning_rate: float,
    cost: Cost = FREE,
) -> int:
    """Minimise ``draw_loss`` over the weights of ``network`` by AdamW, with one cycle of the learning rate.

    Args:
        draw_loss: draws a batch and returns its scalar loss.
        cost: of a step, by the table.

    Returns:
        The steps taken, ``steps`` unless time is too short for them.
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate)
    schedule = _one_cycle(optimiser, learning_rate, steps)
    network.train()
    total: float = steps
    taken, started = 0, context.pace.clock()
    with tqdm(total=steps, desc=context.label, unit="step", disable=None) as bar:
        while taken < total and not context.expired:
            optimiser.zero_grad(set_to_none=True)
            with context.compute.autocast():
                loss = draw_loss()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM_LIMIT)
            optimiser.step()
            schedule.step()
            taken += 1
            bar.update()
            if bar.disable and taken % max(1, steps // LINES_PER_FIT) == 0:
                LOG.info("%s: step %d of %d", context.label, taken, total)
            if taken % STEPS_PER_LOOK == 0 and (possible := _possible_steps(taken, started, context)) < total:
                total = possible
                schedule = _one_cycle(optimiser, learning_rate, int(total), taken)
    context.pace.add(Stage("step", 0, cost.of(0, taken), context.pace.clock() - started))
    if taken < steps:
        LOG.warning("%s: %d of %d steps, for lack of time", context.label, taken, steps)
    return taken


def _one_cycle(
    optimiser: torch.optim.Optimizer, learning_rate: float, steps: int, taken: int = 0
) -> torch.optim.lr_scheduler.OneCycleLR:
    """Return the cycle of the learning rate over ``steps``, after ``taken`` of them."""
    return torch.optim.lr_scheduler.OneCycleLR(
        optimiser, learning_rate, total_steps=steps + 1, pct_start=WARM_UP, last_epoch=taken - 1
    )


def _possible_steps(taken: int, started: float, context: FitContext) -> float:
    """Return how many steps there is time for in all, if all take as long as those so far; at least these."""
    left, spent = context.latest - context.pace.clock(), context.pace.clock() - started
    return taken + max(0, int(left * taken / spent)) if spent and math.isfinite(left) else math.inf
