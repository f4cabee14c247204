"""The reasons for which a DICOM series is refused.

A ``Refusal`` is an expected outcome: the input is of a kind, or in a state, that must not be denoised. Its
message is one sentence for a PACS administrator: what was given, which rule it breaks, and the way out.
It never holds a patient identifier, free text of the input, or a file name.
"""

from collections.abc import Iterable
from typing import ClassVar

from pydicom.datadict import keyword_for_tag, tag_for_keyword
from pydicom.tag import BaseTag, Tag

from operators.dicom.uid_names import name_of


def named(attribute: str | BaseTag) -> str:
    """Return what a message calls an attribute: keyword and tag, the tag alone where it is private."""
    if isinstance(attribute, BaseTag):
        return f"{keyword_for_tag(attribute)} {attribute}".strip()
    tag = tag_for_keyword(attribute)
    return f"{attribute} {Tag(tag)}" if tag is not None else attribute


class UnreadableError(ValueError):
    """The file is no DICOM object that can be used; the message says why and names no file."""


class Refusal(ValueError):
    """The series is left as it is, with a reason that somebody can act on."""

    reason_code: ClassVar[str]  # of each kind of refusal, for programs; stable, kebab-case


def kept(refusal: Refusal) -> Refusal:
    """Return a refusal that may be kept: its traceback would hold the pixels that were being read."""
    refusal.__cause__ = refusal.__context__ = None
    return refusal.with_traceback(None)


class UnusableValueError(Refusal):
    """An attribute does not hold what its value representation asks for."""

    reason_code = "unusable-value"

    def __init__(self, keyword: str) -> None:
        super().__init__(f"{named(keyword)} cannot be read as its value representation asks; correct the header")


class MissingAttributeError(Refusal):
    """An attribute that denoising needs is absent or empty."""

    reason_code = "missing-attribute"

    def __init__(self, keyword: str, need: str) -> None:
        super().__init__(f"{named(keyword)} is absent or empty, but {need}; complete the header")


class NotAnImageError(Refusal):
    """The storage class holds no image that the two methods denoise."""

    reason_code = "not-an-image-class"

    def __init__(
        self, sop_class: str, reason: str = "only CT, MR, PET and ultrasound image classes are denoised"
    ) -> None:
        super().__init__(f"{name_of(sop_class) or 'an object without a known SOP class'}: {reason}")


class ImageKindError(Refusal):
    """An image of a kind that is named, and must not be denoised."""

    reason_code = "image-kind"

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind} is not denoised: {reason}")


class MapError(ImageKindError):
    """A map that was computed from images."""

    reason_code = "computed-map"

    def __init__(self, name: str, key: str) -> None:
        super().__init__(
            name,
            "its values are computed, not measured; send the images that it was computed from, or add "
            f"{key!r} to limits.maps",
        )


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
        name = name_of(syntax) or "of an unknown kind"
        super().__init__(f"pixel data in transfer syntax {name} cannot be decoded: {reason}")


class UnwritableError(Refusal):
    """The header holds something that no DICOM object may hold."""

    reason_code = "unwritable-attribute"

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(
            f"{' and '.join(names)} must be there, but breaks its encoding and cannot be written again; "
            "correct the header"
        )


class NoTissueError(Refusal):
    """An ultrasound image without any grey tissue region."""

    reason_code = "no-tissue"

    def __init__(self, reason: str) -> None:
        super().__init__(f"no grey B-mode tissue to denoise: {reason}")


class ColouredSectorError(NoTissueError):
    """Most of an ultrasound sector is in colour, and one grey has several."""

    reason_code = "coloured-sector"

    def __init__(self) -> None:
        super().__init__("most of the sector is in colour, as colour flow leaves it; send it with a grey map")
