"""The only training loop: a network, a loss that draws its own batch, a fixed number of steps.

Nothing outlives the call but the network's weights. The number of steps is planned before, never read
from a clock, so that a fit repeats; ``deadline`` is the emergency stop of a host that kills late jobs.
"""

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch
from tqdm import tqdm

from models.compute import Compute

LOG = logging.getLogger(__name__)
GRADIENT_NORM_LIMIT = 1.0  # of the whole network; one outlying batch must not undo a short fit
WARM_UP = 0.1  # share of the steps in which the learning rate rises
LINES_PER_FIT = 5  # progress lines where there is no terminal for a bar


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

    def record(
        self, method: str, variant: str, planned: int, taken: int, measures: Mapping[str, float | int | str]
    ) -> "FitRecord":
        """Return the record of a fit with this context: steps planned and taken, and what was measured."""
        compute = self.compute
        return FitRecord(
            method,
            variant,
            compute.kind,
            compute.precision,
            compute.processor,
            self.seed,
            planned,
            taken,
            measures,
        )


@dataclass(frozen=True)
class FitRecord:
    """What was done in one fit, for the ledger; it decides the derived UIDs."""

    method: str
    variant: str
    device_kind: str
    precision: str
    processor: str  # instruction set and threads, or the GPU's name
    seed: int
    steps_planned: int
    steps_taken: int
    measures: Mapping[str, float | int | str] = field(default_factory=dict)


@dataclass(frozen=True)
class Denoised:
    """Images of the input's shape, dtype and unit, and the record of the fit that made them."""

    images: npt.NDArray[np.float32]
    record: FitRecord


def fit(
    network: torch.nn.Module,
    draw_loss: Callable[[], torch.Tensor],
    context: FitContext,
    *,
    steps: int,
    learning_rate: float,
) -> int:
    """Minimise ``draw_loss`` over the weights of ``network``; AdamW, learning rate up and down once.

    Args:
        draw_loss: draws a batch and returns its scalar loss.

    Returns:
        The steps taken, ``steps`` unless the deadline came first.
    """
    optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate)
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
