"""The conformance statement says what the tables in the code say."""

from pathlib import Path

from app.conformance import METHODS, statement, table
from operators.sources.source import METHOD_OF_MODALITY

STATEMENT = Path(__file__).parent.parent / "docs" / "conformance.md"


def test_the_statement_is_up_to_date() -> None:
    assert STATEMENT.read_text(encoding="utf-8") == statement(), "run make conformance"


def test_the_methods_are_those_of_the_graph() -> None:
    assert METHODS.keys() == METHOD_OF_MODALITY.keys()
    assert {port: METHODS[modality] for modality, port in METHOD_OF_MODALITY.items()} == {
        "volume": "NS-N2N",
        "ultrasound": "Speckle2Self",
    }


def test_every_row_has_the_columns_of_its_head() -> None:
    assert table(("a", "b"), [(1, "x|y")]) == "| a | b |\n|---|---|\n| 1 | x\\|y |"
