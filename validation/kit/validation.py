"""A whole validation: runs every case, measures, and leaves validation.pdf and validation.json in the output folder."""

import dataclasses
import logging
import tempfile
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from app.exit_codes import ExitCode
from app.settings import Settings
from operators.output_folder import STAGING_PREFIX, OutputFolder
from validation.kit.determinism import determinism
from validation.kit.evidence import Evidence
from validation.kit.installation import installation
from validation.kit.kit_cases import cases
from validation.kit.record import Validation, as_json
from validation.kit.results import Result, failed, results_of
from validation.kit.running import Application, Outcome, run_case
from validation.kit.site import site_case
from validation.kit.validation_document import write_pdf

LOG = logging.getLogger(__name__)
PDF, JSON = "validation.pdf", "validation.json"


def validate(
    out: Path, folder: OutputFolder, application: Application, settings: Settings, quick: bool, phantom: Path | None
) -> dict[str, Any]:
    """Run the kit and return a summary for stdout.

    Args:
        out: where `folder` writes; work in progress lies there too, hidden, and is removed.
        quick: fewer cases.
        phantom: the site's scan instead of the calculated test objects.
    """
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix=STAGING_PREFIX, dir=out) as name:
        work = Path(name)
        outcomes = tuple(_outcomes(work, application, quick, phantom))
        evidence = Evidence(outcomes, installation(), determinism(application, work / "determinism", quick))
    results = results_of(evidence)
    validation = Validation(
        when=datetime.now().astimezone().isoformat(timespec="seconds"),
        kind="the site's phantom" if phantom else "quick" if quick else "full",
        settings=dataclasses.asdict(settings),
        evidence=evidence,
        results=results,
        seconds=time.monotonic() - started,
    )
    folder.write_reports({JSON: as_json(validation)})
    with folder.staged() as staging:
        write_pdf(validation, staging / PDF)
    return _summary(results, validation)


def _outcomes(work: Path, application: Application, quick: bool, phantom: Path | None) -> Iterator[Outcome]:
    if phantom:
        yield site_case(phantom, application, work / "site")
        return
    planned = cases(quick)
    for number, case in enumerate(planned, 1):
        LOG.info("case %d of %d: %s", number, len(planned), case.name)
        yield run_case(case, application, work / str(number))


def _summary(results: list[Result], validation: Validation) -> dict[str, Any]:
    missed = failed(results)
    for result in missed:
        LOG.error("%s failed: %s", result.requirement.identity, result.requirement.what)
    return {
        "exit_code": ExitCode.FAILED if missed else ExitCode.WRITTEN,
        "verdict": validation.verdict,
        "passed": sum(result.verdict == "pass" for result in results),
        "failed": [result.requirement.identity for result in missed],
        "not_measured": [r.requirement.identity for r in results if r.verdict == "not measured"],
        "seconds": round(validation.seconds, 1),
        "files": [PDF, JSON],
    }
