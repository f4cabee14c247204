"""Every kind of refusal has a code of its own for programs."""

import re
from collections.abc import Iterator

import operators.route_modality
import operators.select_series
import operators.sources.nifti  # noqa: F401
from operators.dicom.errors import Refusal


def kinds_of(refusal: type[Refusal]) -> Iterator[type[Refusal]]:
    for kind in refusal.__subclasses__():
        yield kind
        yield from kinds_of(kind)


def test_every_refusal_has_a_reason_code_of_its_own() -> None:
    kinds = list(kinds_of(Refusal))
    codes = [vars(kind).get("reason_code", "") for kind in kinds]
    assert len(set(codes)) == len(kinds) >= 19
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in codes), codes
