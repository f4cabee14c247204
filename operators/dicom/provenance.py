"""What was done to a series, in text and in numbers that decide the new UIDs.

UIDs are 2.25 + UUIDv5 of the source UID and everything that decides the pixels: running twice gives the
same UIDs, and one UID never carries two sets of pixels.
"""

import uuid
from dataclasses import astuple, dataclass

from highdicom import UID

from operators.dicom.identity import FILTER_CODE, MODEL_NAME, NETWORK_CODE

NAMESPACE = uuid.uuid5(uuid.NAMESPACE_OID, MODEL_NAME)


@dataclass(frozen=True)
class Provenance:
    """Everything that decides the pixels of a derived series."""

    method: str  # NS-N2N, Speckle2Self or a filter, and how it was applied
    version: str  # of this application
    settings_hash: str
    seed: int
    strength: float  # percent of the change that is applied
    device_kind: str  # cpu or cuda
    precision: str  # float32 or bfloat16
    processor: str  # instruction set and threads, or the GPU's name: they decide the last bits
    steps_taken: int
    shows: str = ""  # which part of the change an object shows; empty for the denoised image itself

    @property
    def code(self) -> tuple[str, str]:
        """Return value and meaning of the private code: a slice without neighbours has no network."""
        return NETWORK_CODE if self.steps_taken else FILTER_CODE

    def description(self) -> str:
        """Return the text of DerivationDescription: one line, plain ASCII."""
        made = "fitted" if self.steps_taken else "measured"
        shown = f"{self.shows.capitalize()} of a series, not an image to read. " if self.shows else ""
        return (
            f"{shown}Noise reduced by {self.method} (version {self.version}) {made} on this study alone: "
            f"strength {self.strength:g} %, seed {self.seed}, {self.steps_taken} steps, {self.device_kind} "
            f"{self.precision} ({self.processor}), settings {self.settings_hash}"
        )

    def uid_for(self, source_uid: str) -> str:
        """Return the derived UID of a source UID."""
        name = "|".join(str(part) for part in (source_uid, *astuple(self)))
        return str(UID.from_uuid(str(uuid.uuid5(NAMESPACE, name))))
