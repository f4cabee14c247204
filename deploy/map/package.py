"""An image as the conformance test sees it: what its configuration says, and what a container of it does.

Only Python's standard library, and no knowledge of whose image it is.
"""

import json
import subprocess
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

ENDS_WITHIN = 300.0  # seconds; any run here is short, so a longer one hangs


@dataclass(frozen=True)
class Ended:
    """A container that ended."""

    code: int
    out: str
    log: str


class Package:
    """An image, and the command that runs containers."""

    def __init__(self, image: str, runner: list[str]) -> None:
        self.image = image
        self.runner = runner

    def command(self, options: tuple[str, ...], arguments: tuple[str, ...]) -> list[str]:
        """The whole command of one container that is gone afterwards."""
        return [*self.runner, "--rm", "--network", "none", *options, self.image, *arguments]

    def run(self, *arguments: str, options: tuple[str, ...] = ()) -> Ended:
        """Run to the end."""
        done = subprocess.run(
            self.command(options, arguments), capture_output=True, text=True, timeout=ENDS_WITHIN, check=False
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, options: tuple[str, ...] = ()) -> subprocess.Popen[str]:
        """Run, and let it run."""
        return subprocess.Popen(
            self.command(options, arguments), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )

    def engine(self, *arguments: str) -> str:
        """What the container program itself says."""
        program = self.runner[: self.runner.index("run")]
        return subprocess.run([*program, *arguments], capture_output=True, text=True, check=False).stdout

    def shell(self, script: str) -> Ended:
        """Run a line of shell inside instead of the entry."""
        return self.run("-c", script, options=("--entrypoint", "/bin/sh"))

    @cached_property
    def inspected(self) -> dict[str, Any]:
        """The image's description."""
        described: dict[str, Any] = json.loads(self.engine("image", "inspect", self.image))[0]
        return described

    @cached_property
    def config(self) -> dict[str, Any]:
        """The part of it that a container starts from."""
        config: dict[str, Any] = self.inspected["Config"]
        return config

    @cached_property
    def environment(self) -> dict[str, str]:
        """Variables that the image sets."""
        return dict(entry.partition("=")[::2] for entry in self.config.get("Env") or ())

    @cached_property
    def labels(self) -> dict[str, str]:
        """Labels of the image."""
        return dict(self.config.get("Labels") or {})

    def manifest(self, name: str) -> dict[str, Any]:
        """A manifest's content, empty where it can't be read."""
        try:
            content = json.loads(self.shell(f"cat /etc/holoscan/{name}").out)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


def printed_objects(text: str) -> list[dict[str, Any]]:
    """JSON objects that stand in a text, at the beginning of a line."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while (place := text.find("{", place)) >= 0:
        try:
            value, place = decoder.raw_decode(text, place)
            found.append(value)
        except ValueError:
            place += 1
    return found


def names_in(folder: Path) -> list[str]:
    """Every file and folder below, hidden ones too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))
