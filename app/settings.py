"""Every setting of the application, from app.yaml and ``--set``, typed and frozen.

A key that no setting has, or a value of another type, is an error that names the key and where it stands.
"""

import dataclasses
import difflib
import typing
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dacite
import yaml

from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.volume.ns_n2n_settings import NSN2NSettings
from operators.dicom.provenance import DerivedSettings
from operators.dicom.reading import ReadingLimits
from operators.quality.gate_settings import GateSettings
from operators.selection import SelectionSettings
from operators.sources.nifti import NiftiSettings

MANIFEST = Path(__file__).parent.parent / "app.yaml"
MANIFEST_SECTIONS = ("application", "resources")  # of the package, not of a run
COMMAND_LINE = "--set"


class SettingsError(ValueError):
    """A setting that can't be followed."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")


class UnknownKeyError(SettingsError):
    """A key that no setting has."""

    def __init__(self, where: str, path: str, known: Iterable[str]) -> None:
        names = list(known)
        near = difflib.get_close_matches(path.rpartition(".")[2], names, n=1, cutoff=0)
        super().__init__(where, f"unknown key {path!r}; the nearest known one is {near[0]!r} of {', '.join(names)}")


class WrongValueError(SettingsError):
    """A value of another type than its setting's."""

    def __init__(self, where: str, error: dacite.WrongTypeError) -> None:
        kind = error.field_type
        wanted = kind if typing.get_args(kind) else kind.__name__
        super().__init__(where, f"{error.field_path} takes {wanted}, not {error.value!r}")


@dataclass(frozen=True)
class RunSettings:
    """How a run goes."""

    strength: tuple[float, ...] = (100.0,)  # percent of the change that is applied; one derived series for each
    seed: int = 0
    device: str = "auto"  # auto, cpu or cuda
    time_budget: float = 240.0  # seconds from the first read to the last write

    def __post_init__(self) -> None:
        if not self.strength or len(set(self.strength)) < len(self.strength):
            raise ValueError("run.strength needs one or more different values in percent")
        if not all(0 < strength <= 100 for strength in self.strength):
            raise ValueError("run.strength goes from above 0 to 100 percent")
        if not self.time_budget > 0:
            raise ValueError("run.time_budget is a number of seconds above 0")
        if not 0 <= self.seed < 2**63:
            raise ValueError("run.seed is a whole number from 0 to 2^63 - 1")


@dataclass(frozen=True)
class OutputSettings:
    """What is written beside the images."""

    report: bool = True  # for people: an encapsulated PDF and an HTML page for each derived series
    residual: bool = False  # what was removed, and a map of the noise, as series of their own; CT, MR, PET
    metadata_on_failure: bool = False  # metadata.json even where no image was written


@dataclass(frozen=True)
class Settings:
    """All of them, by section."""

    run: RunSettings = field(default_factory=RunSettings)
    selection: SelectionSettings = field(default_factory=SelectionSettings)
    limits: ReadingLimits = field(default_factory=ReadingLimits)
    nifti: NiftiSettings = field(default_factory=NiftiSettings)
    ns_n2n: NSN2NSettings = field(default_factory=NSN2NSettings)
    speckle2self: Speckle2SelfSettings = field(default_factory=Speckle2SelfSettings)
    gate: GateSettings = field(default_factory=GateSettings)
    derived: DerivedSettings = field(default_factory=DerivedSettings)
    outputs: OutputSettings = field(default_factory=OutputSettings)


def version() -> str:
    """The version of this application, written in one place: its manifest."""
    return str(_read(MANIFEST)["application"]["version"])


def load_settings(
    path: Path = MANIFEST,
    overrides: Iterable[str] = (),
    host: Mapping[str, Mapping[str, Any]] | None = None,
    host_name: str = "",
) -> Settings:
    """The settings of a file, changed by the host's sections, then by ``section.key=value`` in order.

    What they leave out keeps its default. ``host_name`` is what an error calls the host's sections.

    Raises:
        SettingsError: a key or value that can't be followed, or a file that can't be read.
    """
    sections = {name: section for name, section in _read(path).items() if name not in MANIFEST_SECTIONS}
    _build(sections, path.name)
    for name, section in (host or {}).items():
        sections[name] = {**(sections.get(name) or {}), **section}
    _build(sections, host_name or path.name)
    for override in overrides:
        _apply(sections, override)
        _build(sections, f"{COMMAND_LINE} {override}")
    return _build(sections, path.name)


def _read(path: Path) -> dict[str, Any]:
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SettingsError(path.name, f"not readable as YAML ({type(error).__name__}); mend or replace it") from error
    if not isinstance(content, dict):
        raise SettingsError(path.name, "holds no sections; write them as 'section:' with 'key: value' below")
    return content


def _apply(sections: dict[str, Any], override: str) -> None:
    path, equals, text = override.partition("=")
    section, dot, key = path.partition(".")
    if not (equals and dot and section and key):
        raise SettingsError(COMMAND_LINE, f"{override!r} is not of the form section.key=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SettingsError(COMMAND_LINE, f"the value of {path} is not readable as YAML") from error
    sections[section] = {**(sections.get(section) or {}), key: value}


def _build(sections: Mapping[str, Any], where: str) -> Settings:
    for path, known in _unknown_keys(Settings, sections):
        raise UnknownKeyError(where, path, known)
    config = dacite.Config(strict=True, cast=[tuple], type_hooks={float: _as_float})
    given = {name: section for name, section in sections.items() if section is not None}
    try:
        return dacite.from_dict(Settings, given, config)
    except dacite.WrongTypeError as error:
        raise WrongValueError(where, error) from error
    except (dacite.DaciteError, ValueError, TypeError) as error:
        raise SettingsError(where, str(error)) from error


def _as_float(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _unknown_keys(kind: Any, value: Any, path: str = "") -> Iterator[tuple[str, list[str]]]:
    """Each key of ``value`` that the dataclass ``kind`` has not, with those that it has, however deep."""
    if isinstance(value, list):
        for item in value:
            yield from _unknown_keys(next(iter(typing.get_args(kind)), None), item, path)
    elif isinstance(value, dict) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        for key, inner in value.items():
            if key not in hints:
                yield f"{path}{key}", list(hints)
            yield from _unknown_keys(hints.get(key), inner, f"{path}{key}.")
