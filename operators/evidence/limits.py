"""How far a series may be changed before the gate speaks; each default with its reason."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class GateSettings:
    """What the site demands of every series; ``docs/gate.md`` has the formulas and how well they catch."""

    on_failure: Literal["reduce_strength", "refuse"] = "reduce_strength"
    bias_hu: float = 2.0  # CT, of all tissue, a level or a slice: half of the 4 HU that a scanner's water may be off
    bias_percent: float = 2.0  # MR, PET, ultrasound: well under what repeated scans of one patient differ by

    def __post_init__(self) -> None:
        if not min(self.bias_hu, self.bias_percent) > 0:
            raise ValueError("gate: every limit is above 0")
