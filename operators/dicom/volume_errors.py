"""The reasons for which the slices of a series form no volume that can be denoised."""

from collections.abc import Sequence

from operators.dicom.errors import Refusal

GAPS_NAMED = 3  # in one sentence


class SliceGapError(Refusal):
    """Slices are missing and a part left by the gap is too small to be denoised alone."""

    reason_code = "slice-gap"

    def __init__(self, gaps: Sequence[tuple[float, float]], spacing: float, sizes: Sequence[int], minimum: int) -> None:
        where = ", ".join(f"between {start:.1f} and {end:.1f} mm" for start, end in gaps[:GAPS_NAMED])
        more = f" and at {len(gaps) - GAPS_NAMED} more places" if len(gaps) > GAPS_NAMED else ""
        parts = " and ".join(map(str, sizes)) if len(sizes) < 4 else f"{min(sizes)} to {max(sizes)}"
        super().__init__(
            f"slices are missing {where}{more} along the stack (usual spacing {spacing:.2f} mm), which leaves parts "
            f"of {parts} slices where at least {minimum} are needed; send the missing slices"
        )


class DistantSlicesError(Refusal):
    """The slices lie too far apart for their thickness to be neighbours."""

    reason_code = "distant-slices"

    def __init__(self, thickness: float, nearest: float, farthest: float, minimum: int) -> None:
        apart = f"{nearest:.1f}" if f"{nearest:.1f}" == f"{farthest:.1f}" else f"{nearest:.1f} to {farthest:.1f}"
        super().__init__(
            f"slices of {thickness:.1f} mm lie {apart} mm apart and show different anatomy, which leaves fewer than "
            f"the {minimum} neighbouring ones that the method compares; send the slices between them"
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
    """Several slices lie at one position and no attribute separates their volumes."""

    reason_code = "repeated-position"

    def __init__(self, frames: int, positions: int) -> None:
        super().__init__(
            f"{frames} slices share {positions} positions and no attribute separates the volumes; "
            "send each volume as a series of its own"
        )
