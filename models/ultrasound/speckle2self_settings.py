"""What a user may choose of Speckle2Self; imports no torch, so that settings are read at once."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Speckle2SelfSettings:
    """``variant`` published is the published method, fitted on the clip at hand."""

    variant: Literal["default", "published"] = "default"
    steps: int = 300  # at most; the time budget may allow fewer
    search_offsets: int = 180  # of the default variant for similar tissue, each in both directions
