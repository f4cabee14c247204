"""What is said of a setting that can't be followed: where it stands, its key, and what is accepted in its place."""

import dataclasses
import difflib
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import pydantic

RENAMED_SECTIONS = {"gate": "check"}
RENAMED_KEYS = {("speckle2self", "looks"): "search_offsets"}
RENAMED_VALUES = {
    ("ns_n2n", "variant", "paper"): "published",
    ("speckle2self", "variant", "paper"): "published",
}
EXPECTATION = "Input should be "  # how pydantic begins to say what it accepts


class SettingsError(ValueError):
    """A setting that can't be followed."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")


class UnknownKeyError(SettingsError):
    """A key that no setting has."""

    def __init__(self, where: str, path: str, known: Sequence[str]) -> None:
        near = difflib.get_close_matches(path.rpartition(".")[2], known, n=1, cutoff=0)
        super().__init__(where, f"unknown key {path!r}; the nearest known one is {near[0]!r} of {', '.join(known)}")


class RenamedError(SettingsError):
    """A name that an earlier version used."""

    def __init__(self, where: str, old: str, new: str) -> None:
        super().__init__(where, f"{old!r} has been renamed; write {new!r}")


def refuse_renamed(sections: Mapping[str, Any], where: str) -> None:
    """Raise ``RenamedError`` where a section, a key or a value bears its old name."""
    for old, new in RENAMED_SECTIONS.items():
        if old in sections:
            raise RenamedError(where, old, new)
    for section, key, value in _values_of(sections):
        if new_key := RENAMED_KEYS.get((section, key)):
            raise RenamedError(where, f"{section}.{key}", f"{section}.{new_key}")
        if isinstance(value, str) and (new_value := RENAMED_VALUES.get((section, key, value))):
            raise RenamedError(where, f"{section}.{key}: {value}", f"{section}.{key}: {new_value}")


def settings_error(where: str, root: type, error: pydantic.ValidationError) -> SettingsError:
    """Return the first fault that pydantic found in ``root`` as one sentence."""
    fault = error.errors(include_url=False)[0]
    path, message = ".".join(map(str, fault["loc"])), fault["msg"]
    if fault["type"] == "unexpected_keyword_argument":
        return UnknownKeyError(where, path, _keys_at(root, fault["loc"][:-1]))
    if fault["type"] == "value_error":
        return SettingsError(where, str(fault["ctx"]["error"]))
    if fault["type"] == "missing":
        return SettingsError(where, f"{path} is missing")
    accepted = message.removeprefix(EXPECTATION)
    return SettingsError(where, f"{path} takes {accepted}, not {fault['input']!r}" if accepted != message
                         else f"{path}: {message}")  # fmt: skip


def _values_of(sections: Mapping[str, Any]) -> list[tuple[str, str, Any]]:
    inner = ((name, section) for name, section in sections.items() if isinstance(section, Mapping))
    return [(name, key, value) for name, section in inner for key, value in section.items()]


def _keys_at(root: type, location: Sequence[str | int]) -> list[str]:
    """Return the keys of the dataclass at a location, in which a number is an item of a tuple."""
    kind: Any = root
    for step in location:
        kind = typing.get_args(kind)[0] if isinstance(step, int) else typing.get_type_hints(kind)[step]
    return [known.name for known in dataclasses.fields(kind)]
