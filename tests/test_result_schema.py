"""The published schema of result.json and the list of reason codes are those of the code."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from app.result_schema import SCHEMA_FILE, documents, reason_codes, schema
from app.result_types import SCHEMA_VERSION
from operators.reason_codes import WORTH_RETRYING

DOCS = Path(__file__).parent.parent / "docs"


@pytest.mark.parametrize("name", [SCHEMA_FILE, "reason-codes.md"])
def test_what_is_published_is_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text() == documents()[name], "run make schema"


def test_the_schema_is_one_and_forbids_what_it_does_not_describe() -> None:
    made = schema()
    Draft202012Validator.check_schema(made)
    assert made["properties"]["schema_version"]["const"] == SCHEMA_VERSION
    parts = [made, *made["$defs"].values()]
    assert all(part["additionalProperties"] is False for part in parts)


def test_what_can_be_tried_again_is_among_the_codes() -> None:
    assert WORTH_RETRYING.keys() <= reason_codes().keys()
