"""One word for each thing: what docs/glossary.md replaced stays out of code, settings, pages and documents."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
REPLACED = {
    "check, passed or failed": r"lights?",
    "homogeneous": r"plainest",
    "initial estimate": r"(?:first )?guess(?:es|ed)?",
    "similar, similar patches": r"alike|like patches|like_patches|like tissue",
    "search offset, visit": r"looks",
    "restored, small structures": r"keep_small_things|small things?|small_things?",
    "matched filters": r"small[ _]shapes?",
    "published": r"paper_loss|variant paper",
    "reported": r"told|tells?",
}
ROOMS = ("app", "bench", "deploy", "docs", "models", "operators", "tests", "validation")
KINDS = {".py", ".md", ".html", ".js"}
EXCEPT = (
    "app/setting_errors.py",
    "tests/test_settings.py",
    "docs/lab/",
    "docs/glossary.md",
    "CHANGELOG.md",
    "tests/test_words.py",
)


def files() -> list[str]:
    paths = [path for room in ROOMS for path in (ROOT / room).rglob("*") if path.suffix in KINDS]
    paths += [path for path in ROOT.iterdir() if path.suffix in {".md", ".yaml"}]
    names = sorted(path.relative_to(ROOT).as_posix() for path in paths)
    return [name for name in names if not name.startswith(EXCEPT)]


@pytest.mark.parametrize("name", files())
def test_the_replaced_words_are_gone(name: str) -> None:
    text = (ROOT / name).read_text(encoding="utf-8")
    used = {
        f"{word.group()!r}: say {right!r}"
        for right, wrong in REPLACED.items()
        for word in re.finditer(rf"(?<![A-Za-z])(?:{wrong})(?![A-Za-z])", text, re.IGNORECASE)
    }
    assert not used
