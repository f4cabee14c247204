"""The published schema of result.json and the list of reason codes are those of the code."""

from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from app.exit_codes import ExitCode
from app.result_json import metadata_of, result_of
from app.result_schema import SCHEMA_FILE, documents, reason_codes, schema
from app.result_types import ROUTING_KEY, SCHEMA_VERSION
from app.settings import load_settings
from models.compute import choose_compute
from operators.ledger import Ledger
from operators.messages import Status, entry_of
from operators.reason_codes import WORTH_RETRYING
from operators.sources.nifti import NiftiImage

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


@pytest.mark.parametrize(("status", "exit_code"), [("refused", ExitCode.WRITTEN), ("failed", ExitCode.FAILED)])
def test_mercure_is_reported_where_to_send_a_study_only_if_nothing_failed(status: Status, exit_code: ExitCode) -> None:
    source = NiftiImage(Path("image.nii"), "nifti-1", "CT", (1, 1, 1), None)
    ledger = Ledger()
    ledger.found([source], ())
    ledger.record(entry_of(source, status, "a reason", reason_code="nifti"))
    settings = load_settings(overrides=["outputs.mercure_routing_on_refusal=discard"])
    result = result_of(ledger, settings, choose_compute("cpu"), seconds=1.0)
    Draft202012Validator(schema()).validate(result)
    assert result["exit_code"] == exit_code
    assert (ROUTING_KEY in result) == (status == "refused")
    assert metadata_of(result)["reason_codes"] == "nifti"
