"""The arguments of ``python -m app``; those left out are taken from the variables of the host."""

import argparse
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NoReturn

INPUT_VARIABLE, OUTPUT_VARIABLE, CONFIG_VARIABLE = "HOLOSCAN_INPUT_PATH", "HOLOSCAN_OUTPUT_PATH", "HOLOSCAN_CONFIG_PATH"


class UsageError(ValueError):
    """Arguments or paths that no run can follow."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises ``UsageError``."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing and ending the process."""
        raise UsageError(f"{message}; 'python -m app --help' shows what is understood")


def parser_with(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the parser of the command; what is left out is taken from the host's variables."""
    parser = Parser("python -m app", description="Denoise the series of one study, each by itself.", allow_abbrev=False)
    add, host = parser.add_argument, environment.get
    add("-i", "--input", default=host(INPUT_VARIABLE), help=f"folder or file, DICOM or NIfTI [{INPUT_VARIABLE}]")
    add("-o", "--output", default=host(OUTPUT_VARIABLE), help=f"folder for the results [{OUTPUT_VARIABLE}]")
    add("--config", default=host(CONFIG_VARIABLE), help=f"settings instead of app.yaml [{CONFIG_VARIABLE}]")
    add("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="change one setting; may be repeated")
    add("--strength", metavar="PERCENT[,PERCENT]", help="how much of the change to apply; one derived series for each")
    add("--seed", help="of everything random")
    add("--device", help="auto, cpu or cuda")
    add("--time-budget", metavar="SECONDS", help="for the whole command, start to last write")
    return parser


def overrides(given: argparse.Namespace) -> list[str]:
    """Return ``section.key=value`` for each of ``--set``, then for each argument that stands for a setting."""
    settings = {
        "run.strength": given.strength and f"[{given.strength}]",
        "run.seed": given.seed,
        "run.device": given.device,
        "run.time_budget": given.time_budget,
    }
    return [*given.set, *(f"{name}={value}" for name, value in settings.items() if value is not None)]


def paths(given: argparse.Namespace) -> tuple[Path, Path]:
    """Return the input, which must exist, and the output folder, which need not.

    Raises:
        UsageError: one is missing or unusable.
    """
    if not given.input or not given.output:
        raise UsageError(f"no input or no output; give -i and -o, or set {INPUT_VARIABLE} and {OUTPUT_VARIABLE}")
    source, target = Path(given.input), Path(given.output)
    if source.exists() and not (source.is_dir() or source.is_file()):
        raise UsageError("the input path is neither a folder nor a file; give one of them by -i")
    if not source.exists():
        raise UsageError("the input path does not exist; give a folder or a file by -i")
    if not os.access(source, os.R_OK | (os.X_OK if source.is_dir() else 0)):
        raise UsageError("the input path is not readable by this user; change its permissions or the user")
    if source.resolve() == target.resolve():
        raise UsageError("input and output are the same path; the source must stay as it is, so give another -o")
    return source, target
