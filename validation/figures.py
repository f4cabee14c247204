"""``python -m validation.figures``: put the figures that commands print into the documents.

In: ``docs/figures/NAME.txt``, as a command printed it. Out: between ``<!-- figures: NAME -->`` and ``<!-- end -->`` in
README.md and docs/*.md, the same text. A test holds both to each other.
"""

import re
from pathlib import Path

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
    printed = (FIGURES / f"{name}.txt").read_text(encoding="utf-8").rstrip()
    return f"<!-- figures: {name} -->\n```\n{printed}\n```\n<!-- end -->"


def main() -> None:
    """Rewrite the documents."""
    for document in documents():
        document.write_text(with_figures(document.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
