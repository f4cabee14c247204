"""How long work takes on this machine, held against the cost table: one record for a run."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

PRIOR = 1.0  # seconds of work as planned that are taken for granted, so that no short measurement counts for much
TOLERATED = 1.1  # times slower than the table: less is left to the slack of the plan, so that runs repeat


@dataclass(frozen=True)
class Stage:
    """A piece of work that was done: its unit in the cost table, its voxels, its seconds by table and by clock."""

    unit: str
    voxels: float
    planned: float
    taken: float


class Pace:
    """What was done so far, and how much slower than planned.

    Attributes:
        clock: returns the time in seconds.
        stages: in the order of their end.
        granted: seconds by the cost table that were planned for work whose stages are all recorded.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.stages: list[Stage] = []
        self.granted = 0.0

    @contextmanager
    def stage(self, unit: str, voxels: float, planned: float) -> Iterator[None]:
        """Record the work inside the block."""
        started = self.clock()
        yield
        self.add(Stage(unit, voxels, planned, self.clock() - started))

    def add(self, stage: Stage) -> None:
        """Record work that was done."""
        self.stages.append(stage)

    @property
    def planned(self) -> float:
        """Seconds of all that was done, by the cost table."""
        return sum(stage.planned for stage in self.stages)

    @property
    def unused(self) -> float:
        """Seconds by the cost table that were granted and not needed; no clock has a part in it."""
        return max(0.0, self.granted - self.planned)

    @property
    def slowness(self) -> float:
        """By what factor work takes longer than the table says; 1 up to `TOLERATED` and on faster machines."""
        slowness = (PRIOR + sum(stage.taken for stage in self.stages)) / (PRIOR + self.planned)
        return slowness if slowness > TOLERATED else 1.0
