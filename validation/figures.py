"""``python -m validation.figures [validation.json]``: put the figures that commands print into the documents.

In: ``docs/figures/NAME.txt`` or ``NAME.md``, as a command printed it; those of the validation kit are written here,
from the record that it left. Out: the same, between ``<!-- figures: NAME -->`` and ``<!-- end -->`` in README.md and
docs/*.md, text in a block of code. A test holds both to each other.
"""

import argparse
import json
import re
from collections.abc import Sequence
from pathlib import Path

from validation.kit.kit_tables import tables

ROOT = Path(__file__).parent.parent
FIGURES = ROOT / "docs" / "figures"
BLOCK = re.compile(r"<!-- figures: ([\w-]+) -->\n.*?<!-- end -->", re.DOTALL)


def documents() -> list[Path]:
    """Return the documents that may show figures."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def with_figures(text: str) -> str:
    """Return a document with every block of figures as its command printed it last."""
    return BLOCK.sub(lambda block: _block(block[1]), text)


def _block(name: str) -> str:
    (file,) = FIGURES.glob(f"{name}.*")
    printed = file.read_text(encoding="utf-8").rstrip()
    shown = f"```\n{printed}\n```" if file.suffix == ".txt" else printed
    return f"<!-- figures: {name} -->\n{shown}\n<!-- end -->"


def main(arguments: Sequence[str] | None = None) -> None:
    """Rewrite the figures of the kit, where its record is given, and the documents."""
    parser = argparse.ArgumentParser(prog="python -m validation.figures", description=__doc__.splitlines()[0])
    parser.add_argument("record", nargs="?", type=Path, help="validation.json, as the kit has left it")
    record: Path | None = parser.parse_args(arguments).record
    if record is not None:
        for name, table in tables(json.loads(record.read_text(encoding="utf-8"))).items():
            (FIGURES / f"{name}.md").write_text(table + "\n", encoding="utf-8")
    for document in documents():
        document.write_text(with_figures(document.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
