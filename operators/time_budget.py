"""How the run's time is shared: by voxels, so that a plan follows from the input and not from a clock.

The clock only takes away: past the deadline of the run nothing is begun any more.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass

FITTING_SHARE = 0.8  # of the run's time; the rest is for reading, decoding and writing


class TimeSpentError(RuntimeError):
    """The run's time is over before a fit began."""

    def __init__(self) -> None:
        super().__init__("the time budget of the run was spent before this series; raise --time-budget")


@dataclass(frozen=True)
class TimeBudget:
    """The time of the whole run."""

    seconds: float
    deadline: float  # reading of time.monotonic()

    def share(self, voxels: int, of: Iterable[int]) -> "TimeBudget":
        """The part that fits ``voxels`` among all ``of`` the study's selected voxels."""
        return TimeBudget(self.seconds * voxels / max(1, sum(of)), self.deadline)

    def for_fit(self) -> float:
        """Seconds that a fit may take.

        Raises:
            TimeSpentError: there are none.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeSpentError
        return min(self.seconds * FITTING_SHARE, left)
