"""The DICOM conformance statement, made from the tables that the code follows: ``make conformance``.

``python -m app.conformance`` prints Markdown. Every statement comes from a table, so that it stays true.
"""

from collections.abc import Iterable, Iterator

from pydicom import uid
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.tag import Tag
from pydicom.uid import UID, AllTransferSyntaxes, ExplicitVRLittleEndian

from operators.dicom import (
    attributes,
    classes,
    encapsulated_pdf,
    errors,
    files,
    geometry,
    jpeg_xl,
    kinds,
    map_kinds,
    parts,
    private_tags,
    splitting,
    volume_errors,
    zones,
)
from operators.dicom.decoding import ALLOCATED_BITS, VIDEO_SYNTAX_ROOT, has_decoder
from operators.dicom.identity import CODING_SCHEME, FILTER_CODE, MANUFACTURER, MODEL_NAME, NETWORK_CODE
from operators.dicom.reading_limits import ReadingLimits
from operators.dicom.uid_names import name_of

METHODS = {"CT": "NS-N2N", "MR": "NS-N2N", "PT": "NS-N2N", "US": "Speckle2Self"}  # a test holds them to the graph
HEAD = """# DICOM conformance statement

Made by `make conformance` from the tables that the code follows; a test holds the two together.

The application reads DICOM files from a folder and writes DICOM files into another. It has no network service of its
own (no C-STORE, no DICOMweb): the host that runs it sends and receives. The source is never changed.
"""


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in (tuple(head), *rows)]
    columns = lines[0].count(" | ") + 1
    return "\n".join([lines[0], "|" + "---|" * columns, *lines[1:]])


def statement() -> str:
    """Return the whole text."""
    return "\n\n".join(part.strip() for part in (HEAD, *_read(), *_distinguished(), *_written(), *_refused())) + "\n"


def _read() -> Iterator[str]:
    yield "## What is read"
    yield "### Storage classes that are denoised"
    denoised = classes.MODALITY_OF_CLASS.items()
    rows = [(name_of(uid), uid, modality, METHODS[modality]) for uid, modality in denoised]
    yield table(("SOP class", "UID", "Modality", "Method"), rows)
    yield "### Storage classes that are refused with a reason of their own; any other is refused by its name"
    refused = [(name_of(uid), uid, reason) for uid, reason in classes.REFUSED_IMAGES.items()]
    yield table(("SOP class", "UID", "Reason"), refused)
    yield "### Transfer syntaxes"
    readable = {syntax: _is_readable(syntax) for syntax in AllTransferSyntaxes}
    yield table(("Transfer syntax", "UID"), [(syntax.name, syntax) for syntax, good in readable.items() if good])
    video = sorted(syntax.name for syntax, good in readable.items() if not good)
    later = ", ".join(f"{name_of(syntax)} ({syntax})" for syntax in sorted(jpeg_xl.SYNTAXES))
    yield f"And, where {jpeg_xl.CODEC} is installed, as in the image: {later}."
    yield "Refused with the reason, for want of a decoder: " + "; ".join(video) + "."
    yield (
        f"Pixels: integers in {', '.join(map(str, sorted(ALLOCATED_BITS)))} bits, signed and unsigned; MONOCHROME1 and "
        "MONOCHROME2; in ultrasound also RGB, YBR_FULL, YBR_FULL_422, YBR_ICT, YBR_RCT and PALETTE COLOR. An object "
        f"that announces more than {ReadingLimits().values_per_instance} values, or is deflated to hide more than "
        f"{files.INFLATED_LIMIT} bytes, is refused before it is decoded. An object whose pixel data break off is left "
        "out as if it were missing, also where a decoder would give what there is: a JPEG, JPEG-LS or JPEG 2000 frame "
        "must have its end mark."
    )


def _is_readable(syntax: UID) -> bool:
    return has_decoder(syntax) and not syntax.startswith(VIDEO_SYNTAX_ROOT)


def _distinguished() -> Iterator[str]:
    yield "## How the volumes of a CT, MR or PET series are distinguished"
    yield (
        "Slices of one size, orientation and pixel spacing are ordered along their normal. Where positions repeat, the "
        "first of these attributes that lessens the repetition splits them:"
    )
    yield table(("Attribute", "Tag", "Named"), [(name, _tag(name), word) for name, word in splitting.DISTINGUISHING])
    private = "; ".join(
        f"({group:04X},xx{element:02X}) {creator}" for group, creator, element in private_tags.B_VALUE_ELEMENTS
    )
    yield f"In the place of an absent DiffusionBValue: {private}."
    rows = [
        ("Difference of a direction cosine", geometry.ORIENTATION_TOLERANCE),
        ("Pixel spacing, relative", geometry.PIXEL_SPACING_TOLERANCE),
        ("Slice spacing over the usual one nearby, relative; more is a gap", zones.GAP_TOLERANCE),
        ("Shift within the plane off the line of the neighbours, pixels; more is a gap", zones.SHIFT_TOLERANCE),
        ("Slice spacing over slice thickness; more is no neighbour", zones.NEIGHBOUR_SPACING),
        ("Positions that are one, mm", splitting.SAME_POSITION),
    ]
    yield table(("Tolerance", "Value"), rows)
    yield "Frames of these types are left out, or the series is refused where no others remain:"
    words = {**kinds.REFUSED_TYPES, **{word: kinds.NOT_MAGNITUDE_KIND for word in sorted(kinds.NOT_MAGNITUDE)}}
    yield table(("Word in ImageType or FrameType", "Kind", "Reason"), [(word, *why) for word, why in words.items()])
    yield (
        "So are computed maps, unless `limits.maps` names their kind. One of these values of ImageType or FrameType, a "
        "DCM code of a quantity or derivation, or a unit of PET that is none of activity or uptake is enough; of unit, "
        "DerivationDescription, SeriesDescription and DERIVED, two must speak for one kind:"
    )
    maps = [(kind.key, kind.name, ", ".join(sorted(kind.types))) for kind in map_kinds.MAP_KINDS]
    yield table(("Kind", "What it is", "Values, without spaces, underscores and hyphens"), maps)


def _written() -> Iterator[str]:
    yield "## What is written"
    yield (
        f"Objects of the source's class in {UID(ExplicitVRLittleEndian).name}, one for each source object that was "
        "denoised. What stands in none of these tables, private attributes too, is kept as it is."
    )
    yield "### Replaced"
    replaced = {name: how for name, (how, _) in attributes.REPLACED.items()} | attributes.REPLACED_WITH_PIXELS
    yield _attribute_table(replaced, "Value")
    yield "### Removed"
    yield _attribute_table(attributes.REMOVED, "Because it")
    yield "### Kept on purpose"
    yield _attribute_table(attributes.KEPT, "Because")
    yield "### What was removed, and the noise map"
    yield (
        "With `outputs.residual=true`, for each derived series of classic CT, MR or PET objects two series more, in "
        "the source's unit and signed 16 bits whatever the source has. The removed part is exactly the source less the "
        "derived series; the noise map is the local standard deviation of the source's fine detail. Enhanced objects "
        "have none, since their scales lie in groups that frames share; ultrasound has none, since a difference of "
        "log-compressed grey has no unit. As for every derived object, and beyond that replaced:"
    )
    yield _attribute_table(parts.REPLACED, "Value")
    yield "Removed, beside private attributes and overlays:"
    yield _attribute_table(parts.REMOVED, "Because")
    yield "### The report"
    yield (
        f"One object of {UID(uid.EncapsulatedPDFStorage).name} ({uid.EncapsulatedPDFStorage}), Modality DOC, for each "
        "derived series, in a series of its own in the same study; its SourceInstanceSequence lists the derived "
        "objects. The pages name no patient (BurnedInAnnotation NO); these attributes of patient and study are copied "
        "where the source has them:"
    )
    yield ", ".join(encapsulated_pdf.COPIED) + "."
    yield "### How an object of this application is known"
    rows = [
        ("Manufacturer in ContributingEquipmentSequence", MANUFACTURER),
        ("ManufacturerModelName there", MODEL_NAME),
        ("DerivationCodeSequence", f"({NETWORK_CODE[0]}, {CODING_SCHEME}, {NETWORK_CODE[1]})"),
        ("the same of slices without neighbours", f"({FILTER_CODE[0]}, {CODING_SCHEME}, {FILTER_CODE[1]})"),
    ]
    yield table(("Where", "Value"), rows)


def _attribute_table(rows: dict[str, str], head: str) -> str:
    return table(
        ("Attribute", "Tag", "VR", head), [(name, _tag(name), _kind(name), how) for name, how in sorted(rows.items())]
    )


def _tag(keyword: str) -> str:
    return str(Tag(tag_for_keyword(keyword) or 0)).replace(" ", "")


def _kind(keyword: str) -> str:
    return dictionary_VR(tag_for_keyword(keyword) or 0)


def _refused() -> Iterator[str]:
    yield "## Why a series, or a part of it, is refused"
    known = {**vars(errors), **vars(volume_errors)}.values()
    reasons = [kind for kind in known if isinstance(kind, type) and issubclass(kind, errors.Refusal)]
    yield "\n".join(
        f"- `{kind.reason_code}`: {str(kind.__doc__).strip()}" for kind in reasons if kind is not errors.Refusal
    )


if __name__ == "__main__":
    print(statement(), end="")
