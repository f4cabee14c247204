"""What a NIfTI file does not say of itself; imports no nibabel, so that settings are read at once."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class NiftiSettings:
    """The modality of every NIfTI file of the input; without one they are refused."""

    modality: Literal["", "CT", "MR", "PT"] = ""
