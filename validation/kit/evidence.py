"""What a validation has to go by: the outcomes of its cases, by group."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from validation.kit.determinism import Determinism
from validation.kit.installation import Installation
from validation.kit.not_measured import NotMeasuredError
from validation.kit.running import Outcome
from validation.phantoms.anatomy import Mask, Phantom, Volume
from validation.phantoms.test_object import TestObject


@dataclass(frozen=True)
class CasePair:
    """A test object before and after, and its truth."""

    tested: TestObject
    before: Volume
    after: Volume

    @property
    def phantom(self) -> Phantom:
        """The object's volumes and regions."""
        return self.tested.phantom

    @property
    def truth(self) -> Volume:
        """What a noiseless scan would show."""
        return self.tested.phantom.truth

    @property
    def uniform(self) -> Mask:
        """The uniform field, through all slices."""
        return self.tested.phantom.regions["uniform"]


@dataclass(frozen=True)
class Evidence:
    """Everything that was run."""

    outcomes: tuple[Outcome, ...]
    installation: Installation
    determinism: Determinism

    def pairs(self, group: str) -> list[CasePair]:
        """Return the group's cases as the installed seed denoised them.

        Raises:
            NotMeasuredError: the group was not run, or the application handed one of its series out as nothing.
        """
        return [_pair(outcome) for outcome in self.run(group) if outcome.case.seed == 0]

    def seeds(self, group: str) -> list[CasePair]:
        """Return the group's first draw as each seed denoised it.

        Raises:
            NotMeasuredError: as `pairs`.
        """
        return [_pair(outcome) for outcome in self.run(group) if outcome.case.draw == 0]

    def run(self, group: str) -> list[Outcome]:
        """Return the group's outcomes.

        Raises:
            NotMeasuredError: there are none.
        """
        found = [outcome for outcome in self.outcomes if outcome.case.group == group]
        if not found:
            raise NotMeasuredError(f"{group}: not part of this run", counts=False)
        return found

    def groups(self, modality: str) -> Iterable[str]:
        """Return the groups of a modality that were run."""
        names = [o.case.group for o in self.outcomes if o.tested.phantom.modality == modality]
        return dict.fromkeys(names)


def field(volume: Volume, where: Mask) -> Volume:
    """Return the box of a volume, (slices, rows, columns), that encloses a uniform field."""
    _, rows, columns = np.nonzero(where)
    return volume[:, rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]


def _pair(outcome: Outcome) -> CasePair:
    if outcome.after is None:
        raise NotMeasuredError(f"nothing handed out: {outcome.row.get('reason') or outcome.row['status']}")
    return CasePair(outcome.tested, outcome.before, outcome.after)
