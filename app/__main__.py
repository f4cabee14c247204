"""``python -m app``: arguments and the host's variables in, an exit code out.

Exit codes: 0 at least one series written and none failed; 1 a crash of this program; 2 bad arguments or paths;
3 nothing written and nothing failed; 4 a series failed. On stdout one line of JSON, on stderr the log.
``python -m app validate`` runs the validation kit instead: 0 every requirement passed, 4 one failed.

Holoscan, torch and what imports them are imported late, since the process must be prepared for them, and since bad
arguments are answered at once.
"""

import argparse
import json
import logging
import os
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.arguments import CONFIG_VARIABLE, Parser, UsageError, overrides, parser_with, paths
from app.exit_codes import ExitCode
from app.host_process import Ending, grant_scratch, load_cuda_runtime, raise_stack_limit, share_cores
from operators.faults import describe

LOG = logging.getLogger("app")
OWN_LOGGERS = ("app", "operators", "models")


def set_up_logging() -> None:
    """Send this program's own lines to stderr; drop those of libraries, since they may quote the content of a file."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s", "%H:%M:%S"))
    for name in OWN_LOGGERS:
        logging.getLogger(name).handlers = [handler]
        logging.getLogger(name).setLevel(logging.INFO)
        logging.getLogger(name).propagate = False
    logging.getLogger().addHandler(logging.NullHandler())
    logging.captureWarnings(True)  # to the root logger, whatever filters a library sets when it is imported
    warnings.simplefilter("ignore")


def prepare(given: argparse.Namespace, source: Path, target: Path) -> tuple[Any, Any, Any]:
    """Return settings, compute device and output folder.

    Raises:
        UsageError: one of them is not available.
    """
    from app.setting_errors import SettingsError
    from app.settings import MANIFEST, load_settings
    from app.task_file import TASK_FILE, task_settings
    from operators.output_folder import NotWritableError, OutputFolder

    try:
        config = Path(given.config) if given.config else MANIFEST
        settings = load_settings(config, overrides(given), task_settings(source), TASK_FILE)
        folder = OutputFolder(target)
        folder.prepare()
    except (SettingsError, NotWritableError) as error:
        raise UsageError(str(error)) from error

    from models.compute import DeviceUnavailableError, choose_compute  # imports torch, so comes last

    try:
        compute = choose_compute(settings.run.device)
    except DeviceUnavailableError as error:
        raise UsageError(str(error)) from error
    return settings, compute, folder


def denoise(arguments: Sequence[str], environment: Mapping[str, str], ending: Ending) -> dict[str, Any]:
    """Follow the arguments and return result.json."""
    started = time.monotonic()
    given = parser_with(environment).parse_args(arguments)
    source, target = paths(given)
    LOG.info("starting")
    settings, compute, folder = prepare(given, source, target)
    ending.clean_up_by(folder.discard_unfinished)
    grant_scratch(os.environ, folder.scratch)
    try:
        return run_and_report(source, folder, settings, compute, started)
    finally:
        folder.discard_unfinished()


def run_and_report(source: Path, folder: Any, settings: Any, compute: Any, started: float) -> dict[str, Any]:
    """Denoise, write the reports that are due, and return result.json."""
    from tqdm.contrib.logging import logging_redirect_tqdm

    from app.application import run
    from app.result_json import metadata_of, result_of, summary_of
    from app.result_types import ROUTING_KEY

    with logging_redirect_tqdm([logging.getLogger(name) for name in OWN_LOGGERS]):
        ledger = run(source, folder, settings, compute, started)
    result = result_of(ledger, settings, compute, time.monotonic() - started)
    if result["counts"]["files_written"] or ROUTING_KEY in result:
        folder.write_reports({"result.json": result, "metadata.json": metadata_of(result)})
    elif settings.outputs.metadata_on_failure:
        folder.write_reports({"metadata.json": metadata_of(result)})
    LOG.info(summary_of(result))
    return dict(result)


def validate(arguments: Sequence[str], environment: Mapping[str, str], ending: Ending) -> dict[str, Any]:
    """Run the validation kit and return its summary."""
    from validation.kit.command import UnusableError, add_arguments, follow

    parser = add_arguments(Parser("python -m app validate", allow_abbrev=False))
    try:
        return follow(parser.parse_args(arguments), environment, environment.get(CONFIG_VARIABLE), ending)
    except UnusableError as error:
        raise UsageError(str(error)) from error


def main(arguments: Sequence[str], environment: Mapping[str, str], ending: Ending) -> int:
    """Return the exit code; whatever happens, print one line of JSON and no traceback."""
    set_up_logging()
    try:
        if arguments[:1] == ["validate"]:
            result = validate(arguments[1:], environment, ending)
        else:
            result = denoise(arguments, environment, ending)
    except UsageError as error:
        result = {"exit_code": ExitCode.UNUSABLE, "error": str(error)}
    except Exception as error:
        result = {"exit_code": ExitCode.CRASHED, "error": f"this program crashed: {describe(error)}; please report it"}
    if "error" in result:
        LOG.error(result["error"])
    print(json.dumps(result), flush=True)
    return int(result["exit_code"])


if __name__ == "__main__":
    raise_stack_limit()
    share_cores(os.environ)
    load_cuda_runtime()
    process_ending = Ending()
    process_ending.watch()
    host = dict(os.environ)
    os.environ.pop(CONFIG_VARIABLE, None)  # Holoscan would read it too, even where --config replaces it
    sys.exit(main(sys.argv[1:], host, process_ending))
