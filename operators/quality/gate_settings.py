"""How far a series may be changed before the gate speaks; each default with its reason."""

from dataclasses import dataclass, fields
from typing import Literal


@dataclass(frozen=True)
class GateSettings:
    """What the site demands of every series; ``docs/checks.md`` has the formulas and how well they catch."""

    on_failure: Literal["reduce_strength", "refuse"] = "reduce_strength"
    bias_hu: float = 2.0  # CT, of all tissue, a level or a slice: half of the 4 HU that a scanner's water may be off
    bias_percent: float = 2.0  # MR, PET, ultrasound: well under what repeated scans of one patient differ by

    edge_percent: float = 10.0  # wider edges: a tenth is what an observer begins to see
    structure: float = 0.25  # sd of the noise; how strongly edges show in what was removed: no reader sees a quarter

    local_sd: float = 5.0  # contrast of what was erased or invented, sd of the noise summed likewise: Rose's criterion,
    # and what noise alone reaches somewhere in a volume; honest ultrasound reaches 4.5

    contrast_percent: float = 5.0  # ultrasound; how much farther or nearer bright and dark may be
    border_percent: float = (
        10.0  # ultrasound; how much stronger steps may be where the change ends than they were there
    )

    def __post_init__(self) -> None:
        limits = (getattr(self, field.name) for field in fields(self) if field.name != "on_failure")
        if not min(limits) > 0:
            raise ValueError("check: every limit is above 0")
