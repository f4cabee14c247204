"""The site's selection rules: each is a demand that every instance of a series must meet.

Values are compared as text; of an attribute with several values, ``equals``, ``regex`` and ``one_of`` ask for one of
them, ``none_of`` and ``range`` look at all. An absent attribute meets only ``none_of``.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydicom.datadict import tag_for_keyword
from pydicom.dataset import Dataset

from operators.dicom.errors import Refusal
from operators.dicom.values import integer, items, texts
from operators.sources.source import Source

TESTS = ("equals", "regex", "range", "one_of", "none_of", "minimum_slices")


class RuleError(ValueError):
    """A rule that could never be followed."""

    def __init__(self, name: str, fault: str) -> None:
        super().__init__(f"rule {name!r} {fault}")


class RuleBrokenError(Refusal):
    """The series does not meet a rule."""

    def __init__(self, rule: "Rule") -> None:
        what = f"{rule.keyword} {rule.test}" if rule.keyword else rule.test.replace("_", " ")
        super().__init__(f"the selection rule {rule.name!r} ({what}) excludes it; change selection.rules to let it in")


@dataclass(frozen=True)
class Rule:
    """One demand: an attribute by its keyword (``Sequence.Keyword`` reaches into items), and exactly one test."""

    name: str
    modality: tuple[str, ...] = ()  # the modalities it holds for; none means all
    keyword: str = ""
    equals: str | None = None
    regex: str | None = None  # found anywhere in the value
    range: tuple[float, float] | None = None  # both ends belong to it
    one_of: tuple[str, ...] | None = None
    none_of: tuple[str, ...] | None = None
    minimum_slices: int | None = None  # images in the series, frames counted

    def __post_init__(self) -> None:
        tests = [test for test in TESTS if getattr(self, test) is not None]
        if len(tests) != 1:
            raise RuleError(self.name, f"has {len(tests)} tests; give exactly one of {', '.join(TESTS)}")
        if bool(self.keyword) == (tests == ["minimum_slices"]):
            raise RuleError(self.name, "needs a keyword, unless it is about minimum_slices, which takes none")
        for part in filter(None, self.keyword.split(".")):
            if tag_for_keyword(part) is None:
                raise RuleError(self.name, f"names {part!r}, which is no DICOM keyword")
        self._check_pattern()

    def _check_pattern(self) -> None:
        try:
            re.compile(self.regex or "")
        except re.error as error:
            raise RuleError(self.name, f"has a regular expression that does not compile: {error}") from error

    @property
    def test(self) -> str:
        """The name of its test."""
        return next(test for test in TESTS if getattr(self, test) is not None)

    def met_by(self, source: Source) -> bool:
        """Return whether every instance meets the demand, or it is not meant for this modality."""
        if self.modality and source.modality not in self.modality:
            return True
        if self.minimum_slices is not None:
            return sum(map(_frames, source.headers)) >= self.minimum_slices
        passes, wanted = PASSES[self.test], getattr(self, self.test)
        return all(passes(_values(header, self.keyword), wanted) for header in source.headers)


def _within(values: tuple[str, ...], ends: tuple[float, float]) -> bool:
    try:
        return bool(values) and all(ends[0] <= float(value) <= ends[1] for value in values)
    except ValueError:
        return False


PASSES: Mapping[str, Callable[[tuple[str, ...], Any], bool]] = {
    "equals": lambda values, wanted: wanted in values,
    "regex": lambda values, pattern: any(re.search(pattern, value) for value in values),
    "range": _within,
    "one_of": lambda values, allowed: any(value in allowed for value in values),
    "none_of": lambda values, banned: not any(value in banned for value in values),
}


@dataclass(frozen=True)
class SelectionSettings:
    """Which series of a study a site wants, among those that may be denoised at all."""

    rules: tuple[Rule, ...] = ()

    def check(self, source: Source) -> None:
        """Let the series pass; a NIfTI file, which has no attributes, always does.

        Raises:
            RuleBrokenError: it breaks a rule; the first one in order is named.
        """
        for rule in self.rules:
            if source.headers and not rule.met_by(source):
                raise RuleBrokenError(rule)


def _frames(header: Dataset) -> int:
    return integer(header, "NumberOfFrames") or 1


def _values(header: Dataset, keyword: str) -> tuple[str, ...]:
    first, _, rest = keyword.partition(".")
    if not rest:
        return texts(header, first)
    return tuple(value for item in items(header, first) for value in _values(item, rest))
