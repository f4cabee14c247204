"""Divide the run's time among the images of its series, by what each needs at least and at most.

The parts follow from the study's headers and the table of costs, so that a plan never depends on a clock. The clock
only takes away: where it shows that less is left, what is left is divided anew among the images to come. What a volume
has no use for is passed on to those after it, by the table again. A series that
even its initial estimate would bring past the end of the run is refused; no other is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from models.compute import Compute
from models.fitting import FitContext
from models.pace import Pace

PLANNED_FRACTION = 0.92  # of the time is planned; the rest is slack for what the table of costs does not know


class TimeSpentError(RuntimeError):
    """Too little of the run's time is left for the least that could be done of a series."""

    def __init__(self, needed: float, left: float) -> None:
        super().__init__(
            f"it needs at least {needed:.0f} s here, and {max(0.0, left):.0f} s of the time budget were left; "
            "raise --time-budget"
        )


@dataclass(frozen=True)
class Need:
    """Seconds by the table of costs: of the least that can be done, and of all that the settings ask for."""

    least: float = 0.0
    most: float = 0.0

    def __add__(self, other: "Need") -> "Need":
        return Need(self.least + other.least, self.most + other.most)

    def __sub__(self, other: "Need") -> "Need":
        return Need(self.least - other.least, self.most - other.most)

    @property
    def extra(self) -> float:
        """What may be given up."""
        return self.most - self.least


@dataclass(frozen=True)
class ImageNeed:
    """What one image needs: decoding, denoising, and seconds for restoring the original where it fails."""

    decoding: float
    denoising: Need
    restoring: float

    @property
    def fit(self) -> Need:
        """All that is done while the image is in memory."""
        return self.denoising + fixed(self.restoring)


@dataclass(frozen=True)
class SeriesNeed:
    """What a series needs: its images, and seconds for checks, reports and writing after the last of them."""

    images: tuple[ImageNeed, ...]
    following: float

    @property
    def whole(self) -> Need:
        """Of the series."""
        return sum((fixed(image.decoding) + image.fit for image in self.images), fixed(self.following))


@dataclass(frozen=True)
class RunTime:
    """The run's beginning and end as readings of the pace's clock."""

    start: float
    end: float
    pace: Pace

    def share(self, begin: float, need: Need, later: Need) -> float:
        """Return the seconds for work that begins at ``begin``: its least, and of the rest its part by what is extra.

        Args:
            later: needed by all that follows until the end.
        """
        scale = self.pace.slowness / PLANNED_FRACTION
        spare = max(0.0, self.end - begin - scale * (need.least + later.least))
        extra = need.extra + later.extra
        return scale * need.least + (spare * need.extra / extra if extra else 0.0)


@dataclass(frozen=True)
class TimeSlot:
    """The part of the run's time for the denoising of one image.

    Attributes:
        run: of which it is a part.
        start: reading of the clock at which it begins if all before it take as long as planned.
        share: seconds of the run for it, if it begins then.
        need: of the image.
        later: needed by all that follows in the run.
        following: seconds by the table for checks, reports and writing of the series.
    """

    run: RunTime
    start: float
    share: float
    need: ImageNeed
    later: Need
    following: float

    def context(self, compute: Compute, seed: int, label: str, modality: str) -> FitContext:
        """Return the context of a fit that begins now."""
        pace = self.run.pace
        begin = max(self.start - pace.unused / PLANNED_FRACTION, pace.clock())
        share, scale = self.run.share(begin, self.need.fit, self.later), pace.slowness / PLANNED_FRACTION
        budget = max(0.0, share / scale - self.need.restoring)
        deadline = begin + share + scale * self.following
        if modality != "US":  # of a clip not all work is recorded
            pace.granted += PLANNED_FRACTION * self.share
        return FitContext(compute, seed, budget, deadline, label, pace, self.need.restoring + self.following, modality)


@dataclass(frozen=True)
class SeriesTime:
    """The part of the run's time for one series: a slot for each image."""

    run: RunTime
    need: SeriesNeed
    slots: tuple[TimeSlot, ...]

    def begin(self) -> None:
        """Let the work on the series begin.

        Raises:
            TimeSpentError: not even the least can be done in the time that is left.
        """
        needed, left = self.run.pace.slowness * self.need.whole.least, self.run.end - self.run.pace.clock()
        if needed > left:
            raise TimeSpentError(needed, left)


def whole_run(seconds: float, start: float | None = None) -> RunTime:
    """Return the time of a run that begins at a reading of ``time.monotonic()``, or now."""
    pace = Pace()
    begin = pace.clock() if start is None else start
    return RunTime(begin, begin + seconds, pace)


def fixed(seconds: float) -> Need:
    """Return the need of work of which nothing can be given up."""
    return Need(seconds, seconds)


def timetable(run: RunTime, starting: float, needs: Sequence[SeriesNeed]) -> tuple[SeriesTime, ...]:
    """Return the time of each series, in the order in which they are denoised.

    Args:
        starting: seconds by the table until the first of them begins.
    """
    begin, times = run.start + starting / PLANNED_FRACTION, []
    later = sum((need.whole for need in needs), Need())
    for need in needs:
        slots = []
        for image in need.images:
            later -= fixed(image.decoding) + image.fit
            begin += image.decoding / PLANNED_FRACTION
            slots.append(TimeSlot(run, begin, run.share(begin, image.fit, later), image, later, need.following))
            begin += slots[-1].share
        later -= fixed(need.following)
        begin += need.following / PLANNED_FRACTION
        times.append(SeriesTime(run, need, tuple(slots)))
    return tuple(times)
