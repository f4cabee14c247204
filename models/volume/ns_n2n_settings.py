"""What a user may choose of NS-N2N; imports no torch, so that settings are read at once."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class NSN2NSettings:
    """``variant`` published is the published method with this project's network and optimiser."""

    variant: Literal["default", "published"] = "default"
    steps: int = 800  # at most; the time budget may allow fewer
    remove_rician_bias: bool = True  # MR
