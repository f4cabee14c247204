"""What a fit is given and what it reports; `models/training_loop.py` has the fit itself."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import torch
from monai.utils import set_determinism

from models.compute import Compute
from models.costs import Costs, costs_of
from models.pace import Pace

FITTED_FRACTION = 0.1  # of the planned steps: with fewer a network has learnt next to nothing
GIVEN_UP = {  # for lack of time
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
        modality: on which some costs depend.
    """

    compute: Compute
    seed: int
    budget: float
    deadline: float
    label: str
    pace: Pace = field(default_factory=Pace)
    following: float = 0.0
    modality: str = ""

    @property
    def costs(self) -> Costs:
        """What each unit of work costs here, by the table."""
        return costs_of(self.compute, self.modality)

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
