"""Several measurements of one noise level, and what they agree on.

Anatomy only ever adds to what is taken for noise, so the smallest level that several witnesses agree on decides; a
witness alone is believed only where it is the only one.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

AGREEMENT = 0.3  # relative: anatomy lifts a witness that far where noise is weak; NORM moves the air by half
ALONE = 0.15  # relative uncertainty of a level that no other confirms


@dataclass(frozen=True)
class Witness:
    """One measurement: sd of the noise in tissue, the volume's unit, and its relative uncertainty."""

    name: str
    sd: float
    uncertainty: float


@dataclass(frozen=True)
class Agreement:
    """The level that was decided on, its relative uncertainty, and the witnesses for it and against it."""

    sd: float
    uncertainty: float
    agreeing: tuple[Witness, ...]
    others: tuple[Witness, ...]

    @property
    def measures(self) -> dict[str, float | str]:
        """Return the uncertainty, and the witnesses with their levels."""
        agreeing, others = (
            ", ".join(f"{each.name} {each.sd:.4g}" for each in side) for side in (self.agreeing, self.others)
        )
        return {
            "noise_uncertainty": self.uncertainty,
            "noise_witnesses": agreeing,
            "noise_witnesses_not_used": others or "none",
        }


def agree(witnesses: Sequence[Witness]) -> Agreement:
    """Return what ``witnesses``, at least one, agree on."""
    ordered = sorted(witnesses, key=lambda each: each.sd)
    groups = ([each for each in ordered if 1 <= each.sd / least.sd <= 1 + AGREEMENT] for least in ordered)
    group = next((group for group in groups if len(group) > 1), ordered[:1])
    weights = [1 / each.uncertainty**2 for each in group]
    sd = sum(weight * each.sd for weight, each in zip(weights, group, strict=True)) / sum(weights)
    spread = max(abs(each.sd / sd - 1) for each in group) / 2
    uncertainty = math.hypot(sum(weights) ** -0.5, spread) if len(group) > 1 else ALONE
    return Agreement(sd, uncertainty, tuple(group), tuple(each for each in ordered if each not in group))
