"""Recognise computed maps, which are not images, by their header alone.

A type, code or PET unit that names a kind of map is enough. Units, descriptions and DERIVED are weak signs: two of
them must speak for one kind. Diffusion weighting and direction are no signs: makers also write those of maps at b = 0.
"""

import re
from dataclasses import dataclass

from pydicom.dataset import Dataset

from operators.dicom.map_kinds import MAP_KINDS, MapKind
from operators.dicom.study import Instance
from operators.dicom.values import items, text, texts

SIGNS_NEEDED = 2  # of the weak ones: either may name the protocol, not the image
# Types of computed images that keep the noise of measured ones: weak signs do not count against them.
IMAGE_TYPES = frozenset({"TRACEW", "TRACEWEIGHTED", "VMI", "MONOENERGETIC", "DIFFUSIONATTNTD"})
PET_UNITS = {  # PS3.3 C.8.9.1.1.3; all others are of images, standardised uptake too
    **dict.fromkeys(("MLMINML", "MLMING", "MGMINML", "UMOLMINML", "MLML", "MLG"), "kinetic"),
    **dict.fromkeys(("STDDEV", "1CM", "PCNT"), "statistic"),
}
BY_KEY = {kind.key: kind for kind in MAP_KINDS}


@dataclass(frozen=True)
class WeakSigns:
    """What a header says of the unit and the making of a frame."""

    units: frozenset[str]
    derivation: str
    description: str  # of the series
    derived: bool

    def count_for(self, kind: MapKind) -> int:
        """Count the signs for a kind; DERIVED counts beside another sign that the source images do not share."""
        unit = bool(kind.units & self.units)
        derivation, description = (
            kind.words is not None and kind.words.search(words) is not None
            for words in (self.derivation, self.description)
        )
        beside = unit or derivation or (description and not kind.named_by_protocol)
        return unit + derivation + description + (self.derived and beside)


def map_kind(header: Dataset, instance: Instance) -> MapKind | None:
    """Return the kind of map that a frame is, None for an image.

    Args:
        header: of the frame, flat.
        instance: that holds the frame.
    """
    whole = instance.header
    values = texts(header, "FrameType") or texts(whole, "ImageType")
    types = frozenset(_plain(word) for value in values[2:] for word in (value, *value.split()))
    mappings = [header, *items(whole, "RealWorldValueMappingSequence")]  # those of a frame lie flat in its header
    quantities = _codes(header, whole, mappings)
    explicit = BY_KEY.get(PET_UNITS.get(text(whole, "Units").upper(), "")) or next(
        (kind for kind in MAP_KINDS if kind.types & types or kind.codes & quantities), None
    )
    if explicit or types & IMAGE_TYPES:
        return explicit
    signs = WeakSigns(
        _units(header, mappings),
        _words(text(header, "DerivationDescription") or text(whole, "DerivationDescription")),
        _words(text(whole, "SeriesDescription")),
        values[:1] == ("DERIVED",),
    )
    return next((kind for kind in MAP_KINDS if signs.count_for(kind) >= SIGNS_NEEDED), None)


def _codes(header: Dataset, whole: Dataset, mappings: list[Dataset]) -> frozenset[str]:
    """Return the code values of quantities and derivations, scheme DCM."""
    quantities = [item for mapping in mappings for item in items(mapping, "QuantityDefinitionSequence")]
    coded = [code for item in quantities for code in items(item, "ConceptCodeSequence")]
    coded += items(header, "DerivationCodeSequence") + items(whole, "DerivationCodeSequence")
    return frozenset(text(code, "CodeValue") for code in coded if text(code, "CodingSchemeDesignator") == "DCM")


def _units(header: Dataset, mappings: list[Dataset]) -> frozenset[str]:
    coded = [code for mapping in mappings for code in items(mapping, "MeasurementUnitsCodeSequence")]
    values = (text(header, "RescaleType"), *(text(code, "CodeValue") for code in coded))
    return frozenset(re.sub(r"[\s_]", "", value.upper()) for value in values)


def _plain(value: str) -> str:
    return re.sub(r"[\s_-]", "", value.upper().replace("*", "STAR"))


def _words(description: str) -> str:
    return re.sub(r"[\s_-]+", " ", description.lower().replace("*", "star"))
