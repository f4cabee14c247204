"""Divide the run's time into slots that follow from the study's headers, so that a plan never depends on a clock.

The clock only takes away: what overruns its slot is stopped there, and past it nothing is begun any more.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

FITTING_FRACTION = 0.8  # of a slot; the rest is for reading, decoding and writing
FIXED_VOXELS = 1_000_000  # whose time any fit needs, however small its images: set-up, and steps enough to learn at all


class TimeSpentError(RuntimeError):
    """The slot is over before its fit began."""

    def __init__(self) -> None:
        super().__init__("the time budget of the run was spent before this series; raise --time-budget")


@dataclass(frozen=True)
class TimeSlot:
    """A part of the run's time.

    Attributes:
        start: reading of ``time.monotonic()`` at which it begins if all before it take as long as planned.
        seconds: its length.
    """

    start: float
    seconds: float

    def part(self, index: int, voxels: Sequence[int]) -> "TimeSlot":
        """Return the part of one among several that follow each other, by their voxels."""
        work = [count + FIXED_VOXELS for count in voxels]
        second = self.seconds / sum(work)
        return TimeSlot(self.start + second * sum(work[:index]), second * work[index])

    @property
    def planned(self) -> float:
        """Seconds to plan a fit for."""
        return self.seconds * FITTING_FRACTION

    def deadline(self) -> float:
        """The end of the slot as a reading of ``time.monotonic()``.

        Raises:
            TimeSpentError: it has passed.
        """
        if time.monotonic() >= self.start + self.seconds:
            raise TimeSpentError
        return self.start + self.seconds
