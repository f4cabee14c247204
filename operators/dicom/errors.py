"""The reasons for which a DICOM series is refused.

A ``Refusal`` is an expected outcome: the input is of a kind, or in a state, that must not be denoised. Its
message is one sentence for a PACS administrator: what was given, which rule it breaks, and the way out.
It never holds a patient identifier, free text of the input, or a file name.
"""

from typing import ClassVar

from pydicom.datadict import tag_for_keyword
from pydicom.tag import Tag
from pydicom.uid import UID


def _named(keyword: str) -> str:
    tag = tag_for_keyword(keyword)
    return f"{keyword} {Tag(tag)}" if tag is not None else keyword


def _name_of(uid: str) -> str:
    """The name of a UID, or its digits; empty where it is text of somebody's own."""
    return UID(uid).name if UID(uid).is_valid else ""


class Refusal(ValueError):
    """The series is left as it is, with a reason that somebody can act on."""

    reason_code: ClassVar[str]  # of each kind of refusal, for programs; stable, kebab-case


class UnusableValueError(Refusal):
    """An attribute does not hold what its value representation asks for."""

    reason_code = "unusable-value"

    def __init__(self, keyword: str) -> None:
        super().__init__(f"{_named(keyword)} cannot be read as its value representation asks; correct the header")


class MissingAttributeError(Refusal):
    """An attribute that denoising needs is absent or empty."""

    reason_code = "missing-attribute"

    def __init__(self, keyword: str, need: str) -> None:
        super().__init__(f"{_named(keyword)} is absent or empty, but {need}; complete the header")


class NotAnImageError(Refusal):
    """The storage class holds no image that the two methods denoise."""

    reason_code = "not-an-image-class"

    def __init__(
        self, sop_class: str, reason: str = "only CT, MR, PET and ultrasound image classes are denoised"
    ) -> None:
        super().__init__(f"{_name_of(sop_class) or 'an object without a known SOP class'}: {reason}")


class ImageKindError(Refusal):
    """An image of a kind that is named, and must not be denoised."""

    reason_code = "image-kind"

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind} is not denoised: {reason}")


class OwnOutputError(Refusal):
    """The series comes from this application."""

    reason_code = "own-output"

    def __init__(self) -> None:
        super().__init__(
            "the series was already denoised by this application, as its ContributingEquipmentSequence says; "
            "send the original series"
        )


class TooLargeError(Refusal):
    """Rows, columns and frames promise more pixels than one object may have."""

    reason_code = "too-large"

    def __init__(self, rows: int, columns: int, frames: int, samples: int, limit: int) -> None:
        super().__init__(
            f"one object announces {rows} rows x {columns} columns x {frames} frames x {samples} samples, over the "
            f"limit of {limit} values; split it, or raise the limit"
        )


class ConflictingDuplicatesError(Refusal):
    """Two files carry one SOP Instance UID and different content."""

    reason_code = "conflicting-duplicates"

    def __init__(self, sop_instance_uid: str) -> None:
        super().__init__(
            f"SOP instance {sop_instance_uid} is present more than once with different content; keep the right one"
        )


class SharedInstanceError(Refusal):
    """One SOP Instance UID stands in several series."""

    reason_code = "shared-instance"

    def __init__(self, sop_instance_uid: str) -> None:
        super().__init__(
            f"SOP instance {sop_instance_uid} is present in more than one series, so that no derived object could name "
            "its source; keep it in the right one"
        )


class SeveralStudiesError(Refusal):
    """The input holds more than one study, and the settings want one."""

    reason_code = "several-studies"

    def __init__(self, studies: int) -> None:
        super().__init__(
            f"the input holds {studies} studies and limits.several_studies is 'refuse'; give one study, or set it to "
            "'denoise'"
        )


class UndecodableError(Refusal):
    """The pixel data are broken, or their compression has no decoder here."""

    reason_code = "undecodable-pixels"

    def __init__(self, syntax: str, reason: str) -> None:
        name = _name_of(syntax) or "of an unknown kind"
        super().__init__(f"pixel data in transfer syntax {name} cannot be decoded: {reason}")


class UnwritableError(Refusal):
    """The header holds something that no DICOM object may hold."""

    reason_code = "unwritable-attribute"

    def __init__(self) -> None:
        super().__init__(
            "an attribute of the header breaks its encoding and cannot be written again; correct the header"
        )


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


class NoTissueError(Refusal):
    """An ultrasound image without any grey tissue region."""

    reason_code = "no-tissue"

    def __init__(self, reason: str) -> None:
        super().__init__(f"no grey B-mode tissue to denoise: {reason}")
