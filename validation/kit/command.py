"""``python -m app validate``: its arguments, and what can't be followed as one error."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.host_process import Ending
from app.setting_errors import SettingsError
from app.settings import MANIFEST, load_settings
from operators.output_folder import NotWritableError, OutputFolder
from validation.kit.not_measured import NotMeasuredError


class UnusableError(ValueError):
    """Arguments, paths or a phantom scan that no validation can follow."""


def add_arguments(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """Teach a parser what the command understands."""
    parser.description = "Validate the installed software: validation.pdf to sign, validation.json for programs."
    parser.add_argument("--out", required=True, type=Path, help="folder for the two files")
    parser.add_argument("--quick", action="store_true", help="fewer cases: under 15 minutes on two cores")
    parser.add_argument("--phantom", type=Path, metavar="DICOM_FOLDER", help="the site's own scan instead of ours")
    return parser


def follow(
    given: argparse.Namespace, environment: Mapping[str, str], config: str | None, ending: Ending
) -> dict[str, Any]:
    """Validate as the arguments say; return the summary.

    Args:
        environment: of the runs of the application.
        config: settings instead of app.yaml, which the runs find in that environment by themselves.

    Raises:
        UnusableError: it can't be done.
    """
    if given.phantom and not given.phantom.is_dir():
        raise UnusableError("the phantom path is no folder; give the folder of one DICOM study by --phantom")
    from validation.kit.running import Application  # with all their libraries, after what is refused at once
    from validation.kit.validation import validate

    folder, application = OutputFolder(given.out), Application(environment)

    def clean_up() -> None:
        application.end()
        folder.discard_unfinished()

    try:
        settings = load_settings(Path(config or MANIFEST))
        folder.prepare()
        ending.clean_up_by(clean_up)
        return validate(given.out, folder, application, settings, given.quick, given.phantom)
    except (SettingsError, NotWritableError, NotMeasuredError) as error:
        raise UnusableError(str(error)) from error
