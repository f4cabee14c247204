"""The only training loop.

It takes a network, a loss that draws its own batch and a planned number of steps; only the network's weights outlive
it. The steps are planned before, never by a clock, so that a fit repeats. Where the machine is too slow for them, the
loop takes fewer, and lays its learning rate out over these.
"""

import logging
import math
from collections.abc import Callable

import torch
from tqdm import tqdm

from models.costs import FREE, Cost
from models.fitting import FitContext
from models.pace import Stage

LOG = logging.getLogger(__name__)
GRADIENT_NORM_LIMIT = 1.0  # of the whole network; one outlying batch must not undo a short fit
WARM_UP = 0.1  # fraction of the steps in which the learning rate rises
LINES_PER_FIT = 5  # progress lines where there is no terminal for a bar
STEPS_PER_READING = 10  # of the clock; the first ones are slow


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
    optimiser = torch.optim.AdamW(network.parameters(), lr=learning_rate, fused=True)
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
            if taken % STEPS_PER_READING == 0 and (possible := _possible_steps(taken, started, context)) < total:
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
