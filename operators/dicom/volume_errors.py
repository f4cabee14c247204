"""The reasons for which the slices of a series form no volume that can be denoised."""

from operators.dicom.errors import Refusal


class SliceGapError(Refusal):
    """Slices are missing and a part left by the gap is too small to be denoised alone."""

    reason_code = "slice-gap"

    def __init__(self, gaps: str, spacing: float, sizes: str, minimum: int) -> None:
        super().__init__(
            f"slices are missing {gaps} along the stack (usual spacing {spacing:.2f} mm), which leaves parts "
            f"of {sizes} slices where at least {minimum} are needed; send the missing slices"
        )


class TooFewPositionsError(Refusal):
    """A volume has fewer slices than the method needs."""

    reason_code = "too-few-slices"

    def __init__(self, slices: int, images: int, minimum: int) -> None:
        super().__init__(
            f"{slices} slice(s) among its {images} image(s) form a volume, fewer than the {minimum} neighbouring ones "
            "that the method compares; send the whole series"
        )


class OnePositionError(Refusal):
    """A time series of one slice."""

    reason_code = "one-position"

    def __init__(self, images: int) -> None:
        super().__init__(
            f"its {images} images show one and the same position, as a time series of one slice does, and the method "
            "compares slices at neighbouring positions; send a series of several slices"
        )


class RepeatedPositionError(Refusal):
    """Several slices lie at one position and no attribute tells which volume each belongs to."""

    reason_code = "repeated-position"

    def __init__(self, frames: int, positions: int) -> None:
        super().__init__(
            f"{frames} slices share {positions} positions and no attribute tells the volumes apart; "
            "send each volume as a series of its own"
        )
