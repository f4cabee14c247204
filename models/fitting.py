"""The only training loop, what it is given and what it reports.

The loop takes a network, a loss that draws its own batch and a fixed number of steps; only the network's weights
outlive it. The steps are planned before, never by a clock, so that a fit repeats. The deadline is an emergency stop for
hosts that kill late jobs.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from monai.utils import set_determinism
from tqdm import tqdm

from models.compute import Compute

LOG = logging.getLogger(__name__)
GRADIENT_NORM_LIMIT = 1.0  # of the whole network; one outlying batch must not undo a short fit
WARM_UP = 0.1  # fraction of the steps in which the learning rate rises
LINES_PER_FIT = 5  # progress lines where there is no terminal for a bar
FITTED_FRACTION = 0.1  # of the planned steps: with fewer a network has learnt next to nothing

Measures = Mapping[str, float | int | str]


@dataclass(frozen=True)
class FitContext:
    """What a fit is given besides its data and its settings.

    Attributes:
        compute: device and precision.
        seed: of every random draw.
        budget: seconds for this fit, from which its work is planned.
        deadline: reading of ``time.monotonic()`` after which no further step begins.
        label: shown beside the progress; holds nothing of the patient.
    """

    compute: Compute
    seed: int
    budget: float
    deadline: float
    label: str

    @property
    def expired(self) -> bool:
        """Whether the deadline has passed."""
        return time.monotonic() > self.deadline

    @contextmanager
    def seeded(self) -> Iterator[None]:
        """Seed the global generators and make cuDNN deterministic inside the block; torch's state is restored."""
        with torch.random.fork_rng():
            set_determinism(self.seed)
            try:
                yield
            finally:
                set_determinism(None)

    def record(self, method: str, variant: str, planned: int, taken: int, measures: Measures) -> "FitRecord":
        """Return the record of a fit with this context, of the steps planned and taken."""
        where = (self.compute.kind, self.compute.precision, self.compute.processor)
        return FitRecord(method, variant, *where, self.seed, planned, taken, measures)


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

    @property
    def as_planned(self) -> bool:
        """Whether the network, if any was planned, got so far that it can be called fitted."""
        return self.steps_taken >= FITTED_FRACTION * self.steps_planned

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
) -> int:
    """Minimise ``draw_loss`` over the weights of ``network`` by AdamW, with one cycle of the learning rate.

    Args:
        draw_loss: draws a batch and returns its scalar loss.

    Returns:
        The steps taken, ``steps`` unless the deadline came first.
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, learning_rate, total_steps=steps + 1, pct_start=WARM_UP)
    network.train()
    bar = tqdm(range(steps), desc=context.label, unit="step", disable=None)
    for step in bar:
        if context.expired:
            LOG.warning("%s: stopped by the time budget after %d of %d steps", context.label, step, steps)
            return step
        optimiser.zero_grad(set_to_none=True)
        with context.compute.autocast():
            loss = draw_loss()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), GRADIENT_NORM_LIMIT)
        optimiser.step()
        schedule.step()
        if bar.disable and (step + 1) % max(1, steps // LINES_PER_FIT) == 0:
            LOG.info("%s: step %d of %d", context.label, step + 1, steps)
    return steps
