"""The reason for which the slices of a series form no volume that can be denoised."""

from operators.dicom.errors import Refusal


class RepeatedPositionError(Refusal):
    """Several slices lie at one position and no attribute separates their volumes."""

    reason_code = "repeated-position"

    def __init__(self, frames: int, positions: int) -> None:
        super().__init__(
            f"{frames} slices share {positions} positions and no attribute separates the volumes; "
            "send each volume as a series of its own"
        )
