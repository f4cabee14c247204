"""How much work a clip gets: steps and offsets, from its size, its costs and the budget, never from a clock."""

import math
from dataclasses import dataclass

from models.costs import Cost, Costs
from models.ultrasound.retrieval import FIT_REACH, is_cine, offset_grid, offsets_in_time
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings

MINIMUM_STEPS = 20  # below this the network has hardly changed from its initial smoothing
MINIMUM_OFFSETS = 20  # below this too little similar tissue is found
CINE_OFFSETS = 0.4  # of the offsets of a still: a cine's frames help each other
OUTPUT_ROUNDS = 2  # of retrieval along a still's output
CINE_ROUNDS = 1  # of a cine: its guide has less noise, and a second round costs small faint cysts their contrast
AVERAGES_AFTER = 2  # of a cine's frames over time after the fit: of the output and of the recorded frames
FIT_FRAMES = 4  # of a cine are fitted; its frames are similar
RENEWALS = 2  # of the estimate during a fit, evenly spaced
PASSES = 1 + RENEWALS  # of retrieval over the fitted frames; of a still one more, for its first estimate
STEP_UNITS = {"default": "speckle step", "published": "published speckle step"}  # of each variant in the cost table


@dataclass(frozen=True)
class Plan:
    """Work for one clip."""

    steps: int
    fit_offsets: int  # for each fitted frame
    output_offsets: int  # for each frame of the output

    def given_up(self, wanted: "Plan", taken: int) -> tuple[str, ...]:
        """Return what of the plan without a limit of time was not done, after so many steps."""
        fewer = ("network",) if wanted.steps and not taken else ("steps",) if taken < wanted.steps else ()
        return (*fewer, *(("offsets",) if self.output_offsets < wanted.output_offsets else ()))


def step_with_renewals(costs: Costs, shape: tuple[int, ...], plan: Plan) -> Cost:
    """Return the cost of a step of the default variant on the fitted frames, with its part of the renewals."""
    renewals = costs["offset"].of(math.prod(shape), RENEWALS * plan.fit_offsets)
    return Cost(costs[STEP_UNITS["default"]].of(math.prod(shape[1:])) + renewals / max(1, plan.steps), 0.0, 0.0)


def output_rounds(frames: int) -> int:
    """Return how often retrieval goes along the output of a clip of so many frames."""
    return CINE_ROUNDS if is_cine(frames) else OUTPUT_ROUNDS


def averaged_in_time(costs: Costs, shape: tuple[int, ...], plan: Plan) -> float:
    """Return the seconds of averaging every frame of a cine with others; 0 without retrieval and of a still."""
    frame, frames = math.prod(shape[1:]), shape[0]
    averaged = is_cine(frames) and plan.output_offsets > 0
    return frames * costs["offset"].of(frame, len(offsets_in_time())) if averaged else 0.0


def after_steps(costs: Costs, shape: tuple[int, ...], plan: Plan) -> float:
    """Return the seconds of what follows the fit: every frame through the network, averaged over time and searched."""
    frame, frames = math.prod(shape[1:]), shape[0]
    search = costs["offset"].of(frame, output_rounds(frames) * plan.output_offsets)
    return frames * (costs["frame"].of(frame) + search) + AVERAGES_AFTER * averaged_in_time(costs, shape, plan)


def seconds_of(costs: Costs, shape: tuple[int, ...], plan: Plan, variant: str) -> float:
    """Return what the work on a clip of (frames, rows, columns) costs."""
    frame, fitted = math.prod(shape[1:]), min(shape[0], FIT_FRAMES)
    fit = costs[STEP_UNITS[variant]].of(frame, plan.steps)
    passes = PASSES if is_cine(shape[0]) else PASSES + 1
    search = fitted * costs["offset"].of(frame, passes * plan.fit_offsets)
    return averaged_in_time(costs, shape, plan) + fit + search + after_steps(costs, shape, plan)


def least_plan(shape: tuple[int, ...], settings: Speckle2SelfSettings) -> Plan:
    """Return the least work that is worth its time."""
    most = most_plan(shape, settings)
    return Plan(
        min(MINIMUM_STEPS, most.steps),
        min(MINIMUM_OFFSETS, most.fit_offsets),
        min(MINIMUM_OFFSETS, most.output_offsets),
    )


def most_plan(shape: tuple[int, ...], settings: Speckle2SelfSettings) -> Plan:
    """Return all that the settings ask for."""
    offsets = settings.search_offsets if settings.variant == "default" else 0
    output = int(CINE_OFFSETS * offsets) if is_cine(shape[0]) else offsets
    return Plan(settings.steps, min(offsets, len(offset_grid(FIT_REACH))), output)


def plan_work(shape: tuple[int, ...], settings: Speckle2SelfSettings, costs: Costs, budget: float) -> Plan:
    """Return the work that ``budget`` seconds allow, between the least and the most.

    Args:
        shape: (frames, rows, columns) of the clip.
    """
    least, most = least_plan(shape, settings), most_plan(shape, settings)
    low, high = (seconds_of(costs, shape, plan, settings.variant) for plan in (least, most))
    part = 1.0 if budget >= high else max(0.0, (budget - low) / (high - low))

    def between(a: int, b: int) -> int:
        return int(a + part * (b - a))

    return Plan(
        between(least.steps, most.steps),
        between(least.fit_offsets, most.fit_offsets),
        between(least.output_offsets, most.output_offsets),
    )
