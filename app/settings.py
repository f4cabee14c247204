"""Every setting of the application, from app.yaml, the host and ``--set``: typed, checked and frozen.

In: sections of keys. Out: ``Settings``. A key that no setting has, a value of another type and a name that an earlier
version used are errors that say where they stand and what is accepted.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pydantic
import pydantic.dataclasses
import yaml

from app.setting_errors import SettingsError, refuse_renamed, settings_error
from models.ultrasound.speckle2self_settings import Speckle2SelfSettings
from models.volume.ns_n2n_settings import NSN2NSettings
from operators.dicom.derived_settings import DerivedSettings
from operators.dicom.reading_limits import ReadingLimits
from operators.quality.gate_settings import GateSettings
from operators.selection import SelectionSettings
from operators.sources.nifti_settings import NiftiSettings

MANIFEST = Path(__file__).parent.parent / "app.yaml"
MANIFEST_SECTIONS = ("application", "resources")  # of the package, not of a run
COMMAND_LINE = "--set"


@dataclass(frozen=True)
class RunSettings:
    """How a run goes."""

    strength: tuple[float, ...] = ()  # percent of the change, one derived series for each; empty: the method's default
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    time_budget: float = 240.0  # seconds from the start of the command to the last write
    order: Literal["smallest_first", "as_received"] = "smallest_first"  # of the series; or as_received

    def __post_init__(self) -> None:
        if len(set(self.strength)) < len(self.strength):
            raise ValueError("run.strength needs different values in percent")
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
    mercure_routing_on_refusal: str = ""  # discard, or the mercure target of a study of which nothing was written


# pydantic hands this configuration down to every section, so that none of them has to know of it.
@pydantic.dataclasses.dataclass(frozen=True, config={"strict": True, "extra": "forbid", "allow_inf_nan": False})
class Settings:
    """All of them, by section."""

    run: RunSettings = field(default_factory=RunSettings)
    selection: SelectionSettings = field(default_factory=SelectionSettings)
    limits: ReadingLimits = field(default_factory=ReadingLimits)
    nifti: NiftiSettings = field(default_factory=NiftiSettings)
    ns_n2n: NSN2NSettings = field(default_factory=NSN2NSettings)
    speckle2self: Speckle2SelfSettings = field(default_factory=Speckle2SelfSettings)
    check: GateSettings = field(default_factory=GateSettings)
    derived: DerivedSettings = field(default_factory=DerivedSettings)
    outputs: OutputSettings = field(default_factory=OutputSettings)


def version() -> str:
    """Return the version of this application, written in one place: its manifest."""
    return str(_read(MANIFEST)["application"]["version"])


def load_settings(
    path: Path = MANIFEST,
    overrides: Iterable[str] = (),
    host: Mapping[str, Mapping[str, Any]] | None = None,
    host_name: str = "",
) -> Settings:
    """Return the settings of a file, changed by the host's sections, then by ``section.key=value`` in order.

    What they leave out keeps its default. ``host_name`` is what an error calls the host's sections.

    Raises:
        SettingsError: a key or value that can't be followed, or a file that can't be read.
    """
    sections = {name: section for name, section in _read(path).items() if name not in MANIFEST_SECTIONS}
    settings = _checked(sections, path.name)
    for name, section in (host or {}).items():
        sections[name] = {**(sections.get(name) or {}), **section}
        settings = _checked(sections, host_name)
    for override in overrides:
        _apply(sections, override)
        settings = _checked(sections, f"{COMMAND_LINE} {override}")
    return settings


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


def _checked(sections: Mapping[str, Any], where: str) -> Settings:
    """Return the settings that the sections ask for; as JSON, in which lists may stand for tuples."""
    given = {str(name): section for name, section in sections.items() if section is not None}
    refuse_renamed(given, where)
    try:
        return pydantic.TypeAdapter(Settings).validate_json(json.dumps(given, default=str))
    except pydantic.ValidationError as error:
        raise settings_error(where, Settings, error) from error
