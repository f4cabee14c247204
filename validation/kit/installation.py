"""What is installed: versions held to requirements.txt, and a hash of every file, for comparison between sites."""

import hashlib
import os
import platform
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path

from app.settings import MANIFEST, version
from validation.kit.running import HOME

ROOMS = ("app", "operators", "models", "validation")
MISSING = "missing"  # the package leaves out what no run touches; the self-test finds what is needed
PINS = HOME / "requirements.txt"
PIN = re.compile(r"^([A-Za-z0-9_.-]+)==(\S+)", re.MULTILINE)


@dataclass(frozen=True)
class Installation:
    """The software under test and what it stands on."""

    version: str
    python: str
    machine: str
    cores: int
    libraries: dict[str, str]  # installed version of each pinned library
    wrong: dict[str, str]  # pinned libraries with another version than pinned, whatever the build (+cpu, +cu130)
    pins_known: bool  # requirements.txt lies beside the application
    files: int
    sha256: dict[str, str]  # of the files of each room and of app.yaml
    whole: str  # of all of them: one string to compare


def installation() -> Installation:
    """Return what this very process was started from."""
    pins = dict(PIN.findall(PINS.read_text())) if PINS.is_file() else {}
    found = {name: _installed(name) for name in pins}
    rooms = {room: _hash_of(sorted((HOME / room).rglob("*.py"))) for room in ROOMS}
    rooms[MANIFEST.name] = _hash_of([MANIFEST])
    return Installation(
        version=version(),
        python=platform.python_version(),
        machine=f"{platform.system()} {platform.machine()}",
        cores=len(os.sched_getaffinity(0)),
        libraries=found,
        wrong={name: found[name] for name, pin in pins.items() if found[name].partition("+")[0] not in (pin, MISSING)},
        pins_known=bool(pins),
        files=sum(len(list((HOME / room).rglob("*.py"))) for room in ROOMS) + 1,
        sha256=rooms,
        whole=hashlib.sha256("".join(rooms.values()).encode()).hexdigest(),
    )


def _installed(name: str) -> str:
    try:
        return version_of(name)
    except PackageNotFoundError:
        return MISSING


def _hash_of(files: list[Path]) -> str:
    total = hashlib.sha256()
    for path in files:
        total.update(path.relative_to(HOME).as_posix().encode() + b"\0" + path.read_bytes())
    return total.hexdigest()
