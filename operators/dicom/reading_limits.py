"""What an input may ask for, as a site sets it; read before anything else, so it imports nothing heavy."""

from dataclasses import dataclass
from typing import Literal

from operators.dicom.map_kinds import MAP_KINDS


@dataclass(frozen=True)
class ReadingLimits:
    """What one input may ask for before a byte of pixels is decoded."""

    values_per_instance: int = 2**29  # rows x columns x frames x samples; twice a CT of 1000 slices
    several_studies: Literal["denoise", "refuse"] = "denoise"  # what becomes of an input with more than one
    absent_uids: Literal["refuse", "new"] = "refuse"  # or new ones, where study or series has no UID
    maps: tuple[str, ...] = ()  # kinds of computed maps that are denoised all the same

    def __post_init__(self) -> None:
        if unknown := sorted(set(self.maps) - {kind.key for kind in MAP_KINDS}):
            known = ", ".join(kind.key for kind in MAP_KINDS)
            raise ValueError(f"limits.maps names {unknown[0]!r}, which is none of {known}")
