"""Divide the run's time into slots that follow from the study's headers, so that a plan never depends on a clock.

The clock only takes away: what overruns its slot is stopped there. A series that begins after its slot still gets its
initial estimate, for which nothing waits; past the end of the run nothing is begun any more.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

FITTING_FRACTION = 0.8  # of a slot; the rest is for reading, decoding and writing
FIXED_VOXELS = 1_000_000  # whose time any fit needs, however small its images: set-up, and steps enough to learn at all


class TimeSpentError(RuntimeError):
    """The run's time is over before a fit began."""

    def __init__(self) -> None:
        super().__init__("the time budget of the run was spent before this series; raise --time-budget")


@dataclass(frozen=True)
class TimeSlot:
    """A part of the run's time.

    Attributes:
        start: reading of ``time.monotonic()`` at which it begins if all before it take as long as planned.
        seconds: its length.
        run_end: reading of ``time.monotonic()`` at which the whole run's time is over.
    """

    start: float
    seconds: float
    run_end: float

    def part(self, index: int, voxels: Sequence[int]) -> "TimeSlot":
        """Return the part of one among several that follow each other, by their voxels."""
        work = [count + FIXED_VOXELS for count in voxels]
        second = self.seconds / sum(work)
        return TimeSlot(self.start + second * sum(work[:index]), second * work[index], self.run_end)

    @property
    def planned(self) -> float:
        """Seconds to plan a fit for."""
        return self.seconds * FITTING_FRACTION

    def deadline(self) -> float:
        """Return the end of the slot as a reading of ``time.monotonic()``, which may have passed.

        Raises:
            TimeSpentError: the run's time has passed.
        """
        if time.monotonic() >= self.run_end:
            raise TimeSpentError
        return self.start + self.seconds


def whole_run(seconds: float) -> TimeSlot:
    """Return the slot of a run that begins now."""
    now = time.monotonic()
    return TimeSlot(now, seconds, now + seconds)
