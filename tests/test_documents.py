"""The documents name only what exists: requirements, tests and files."""

import re
from pathlib import Path

import pytest

from validation.figures import FIGURES, documents, with_figures
from validation.kit.requirements import requirements

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))
SAFETY = [ROOT / "docs" / name for name in ("intended-use.md", "risk.md", "limits.md", "validation.md")]
REQUIREMENT = re.compile(r"\b(?:SW|CT|MR|PT|US|SITE)-\d+\b")


def functions() -> set[str]:
    return {name for file in (ROOT / "tests").glob("*.py") for name in re.findall(r"def (test_\w+)", file.read_text())}


def test_every_test_that_is_named_is_one() -> None:
    named = {name for path in SAFETY for name in re.findall(r"`(test_\w+)`", path.read_text())}
    assert len(named) > 10
    assert named <= functions()


def test_every_requirement_that_is_named_is_in_the_table() -> None:
    known = {requirement.identity for requirement in requirements()}
    for path in SAFETY:
        assert set(REQUIREMENT.findall(path.read_text())) <= known, path.name


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_file_linked_or_named_is_there(path: Path) -> None:
    text = path.read_text()
    for link in re.findall(r"\]\((?!http)([^)#]+)\)", text):
        assert (path.parent / link).exists(), link
    for name in re.findall(r"`((?:app|models|operators|bench|tests|docs)/[\w/.-]+\.\w+)`", text):
        assert (ROOT / name).exists(), name


def test_each_hazard_has_its_control_and_what_shows_it() -> None:
    rows = [line.split("|")[1:-1] for line in (ROOT / "docs" / "risk.md").read_text().splitlines() if line[:2] == "| "]
    for row in rows[1:]:
        assert len(row) == 4
        assert all(cell.strip() for cell in row)
        assert "`" in row[3]


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.name)
def test_figures_are_those_that_their_commands_printed(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert with_figures(text) == text


def test_the_readme_shows_the_figures_of_the_demo() -> None:
    assert "<!-- figures: demo -->" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_kit_s_figures_are_of_today_s_requirements() -> None:
    lines = [line for file in FIGURES.glob("kit-*.md") for line in file.read_text(encoding="utf-8").splitlines()]
    rows = {cells[0]: cells for line in lines if len(cells := [cell.strip() for cell in line.split("|")[1:-1]]) == 6}
    for requirement in requirements():
        assert rows[requirement.identity][1:3] == [requirement.what, str(requirement.limit)]
