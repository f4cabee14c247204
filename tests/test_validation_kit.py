"""The validation kit as a whole, on small test objects and a fit of few steps, and the table it is made from."""

import argparse
import dataclasses
import importlib
import json
import math
import os
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from app.exit_codes import ExitCode
from app.settings import load_settings
from operators.output_folder import OutputFolder
from validation.kit import determinism, kit_cases, validation
from validation.kit.command import UnusableError, add_arguments, follow
from validation.kit.evidence import Evidence
from validation.kit.installation import installation
from validation.kit.requirement_limit import least, most
from validation.kit.requirements import requirements
from validation.kit.results import results_of
from validation.kit.running import Application, Outcome, write_study
from validation.kit.site import site_case
from validation.kit.validation_document import matrix
from validation.phantoms.ct_inserts import ct_inserts
from validation.phantoms.speckle_inserts import speckle_inserts

pytestmark = pytest.mark.slow  # minutes, nearly all of them in one run of the kit
SHORT = ("--set", "ns_n2n.steps=4", "--set", "speckle2self.steps=4", "--device", "cpu", "--time-budget", "600")
SMALL = (
    kit_cases.KitCase(kit_cases.CT, partial(ct_inserts, (20, 256, 256), noise_hu=15.0, seed=0), 0),
    kit_cases.KitCase(kit_cases.US, partial(speckle_inserts, seed=0), 0),
)
SAME = determinism.Determinism(12, 0, 0.0, 0.0, None, None)


@pytest.fixture(scope="module")
def validated(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict, Path]:
    out = tmp_path_factory.mktemp("validated")
    folder = OutputFolder(out)
    folder.prepare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(validation, "cases", lambda quick: SMALL)
        patch.setattr(determinism, "SHAPE", (6, 64, 64))
        application = Application(os.environ, SHORT)
        summary = validation.validate(out, folder, application, load_settings(), True, None)
    return summary, out


def test_the_folder_holds_the_document_and_its_json_and_nothing_else(validated) -> None:
    summary, out = validated
    assert sorted(path.name for path in out.iterdir()) == ["validation.json", "validation.pdf"]
    assert (out / "validation.pdf").read_bytes().startswith(b"%PDF")
    assert summary["files"] == ["validation.pdf", "validation.json"]


def test_every_requirement_has_its_row_and_the_summary_follows_from_them(validated) -> None:
    summary, out = validated
    record = json.loads((out / "validation.json").read_text(), parse_constant=pytest.fail)
    rows = {row["id"]: row for row in record["requirements"]}
    assert list(rows) == [requirement.identity for requirement in requirements()]
    assert summary["failed"] == [name for name, row in rows.items() if row["verdict"] == "fail"]
    assert summary["exit_code"] == (ExitCode.FAILED if summary["failed"] else ExitCode.WRITTEN)
    assert record["verdict"] == ("FAILED" if summary["failed"] else "PASSED")
    for row in rows.values():
        if row["verdict"] == "not measured":
            assert row["not_measured"]
        elif row.get("value") is not None:
            met = row["value"] >= row["limit"]["value"] if row["limit"]["kind"] == "at least" else None
            met = row["value"] <= row["limit"]["value"] if met is None else met
            assert row["verdict"] == ("pass" if met else "fail"), row


def test_what_was_run_was_measured_and_what_was_not_is_said(validated) -> None:
    record = json.loads((validated[1] / "validation.json").read_text())
    rows = {row["id"]: row for row in record["requirements"]}
    assert rows["SW-2"]["value"] == 0
    assert rows["SW-2"]["repeats"] == 2
    assert rows["SW-3"]["value"] == 0
    noise = rows["CT-1"]
    assert 0 < noise["low"] <= noise["value"] <= noise["high"] < 1
    assert rows["CT-7"]["value"] == pytest.approx(1, abs=0.5)
    assert rows["US-1"]["repeats"] == 16
    assert rows["MR-1"]["verdict"] == "not measured"
    assert rows["CT-20"]["not_measured"].endswith("one seed only")
    assert [case["status"] for case in record["cases"]] == ["denoised", "denoised"]
    assert record["cases"][0]["steps_taken"] == 4
    assert record["settings"]["ns_n2n"]["variant"] == "default"


def test_a_series_that_is_not_handed_out_fails_what_it_was_for() -> None:
    tested = speckle_inserts(seed=0)
    row = {"status": "refused", "reason": "the gate"}
    outcome = Outcome(kit_cases.KitCase(kit_cases.US, lambda: tested, 0), tested, tested.phantom.noisy, None, row)
    results = {r.requirement.identity: r for r in results_of(Evidence((outcome,), installation(), SAME))}
    assert results["SW-2"].verdict == results["US-1"].verdict == "fail"
    assert results["US-1"].reason == "nothing handed out: the gate"
    assert results["CT-1"].verdict == "not measured"


def test_a_perfect_denoiser_passes_what_is_measured_against_the_truth() -> None:
    tested = ct_inserts((20, 256, 256), noise_hu=15.0, seed=1)
    phantom = tested.phantom
    clean = phantom.truth + 0.1 * (phantom.noisy - phantom.truth)
    outcome = Outcome(
        kit_cases.KitCase(kit_cases.CT, lambda: tested, 0), tested, phantom.noisy, clean, {"status": "denoised"}
    )
    results = {r.requirement.identity: r for r in results_of(Evidence((outcome,), installation(), SAME))}
    assert results["CT-1"].measured.value == pytest.approx(0.9, abs=0.01)
    assert results["CT-3"].measured.value == pytest.approx(1, abs=0.01)
    for number in (*range(4, 9), *range(11, 19)):
        assert results[f"CT-{number}"].verdict == "pass", results[f"CT-{number}"].measured
    assert results["CT-19"].measured.value == 0


def test_a_denoiser_that_erases_lesions_and_blurs_edges_fails() -> None:
    tested = ct_inserts((20, 256, 256), noise_hu=15.0, seed=1)
    blurred = ndimage.gaussian_filter(tested.phantom.noisy, (1, 3, 3))
    outcome = Outcome(
        kit_cases.KitCase(kit_cases.CT, lambda: tested, 0),
        tested,
        tested.phantom.noisy,
        blurred,
        {"status": "denoised"},
    )
    results = {r.requirement.identity: r for r in results_of(Evidence((outcome,), installation(), SAME))}
    for number in (3, 4, 5, 6, 7, 8, 11, 13):
        assert results[f"CT-{number}"].verdict == "fail", results[f"CT-{number}"].measured


class TestTable:
    def test_identities_are_unique_and_each_row_is_complete(self) -> None:
        table = requirements()
        assert len({requirement.identity for requirement in table}) == len(table)
        assert all(requirement.what and requirement.reason for requirement in table)

    def test_each_test_named_is_a_documented_function(self) -> None:
        for requirement in requirements():
            module, _, rest = requirement.test.partition(".")
            function = getattr(importlib.import_module(f"validation.kit.{module}"), rest.partition("(")[0])
            assert function.__doc__

    def test_a_limit_is_met_from_its_side_and_by_no_absent_number(self) -> None:
        assert least(1).met_by(1)
        assert not least(1).met_by(0.9)
        assert most(1).met_by(1)
        assert not most(1).met_by(1.1)
        assert not least(1).met_by(math.nan)
        assert not most(1).met_by(math.nan)

    def test_the_matrix_is_made_from_the_results(self) -> None:
        rows = matrix(results_of(Evidence((), installation(), SAME)))
        assert [row[0] for row in rows] == [requirement.identity for requirement in requirements()]


class TestInstallation:
    def test_the_hash_is_that_of_the_files(self) -> None:
        found = installation()
        assert found == installation()
        assert found.files > 50
        assert len(found.whole) == 64
        assert found.pins_known
        assert dataclasses.asdict(found)["libraries"]["torch"]


class TestCommand:
    @pytest.mark.parametrize("phantom", ["none", "empty"])
    def test_a_phantom_scan_that_is_none_is_reported(self, tmp_path: Path, phantom: str) -> None:
        (tmp_path / "empty").mkdir()
        given = ["--out", str(tmp_path / "out"), "--phantom", str(tmp_path / phantom)]
        arguments = add_arguments(argparse.ArgumentParser()).parse_args(given)
        with pytest.raises(UnusableError):
            follow(arguments, os.environ, None, _NoEnding())

    def test_the_site_s_phantom_is_measured_on_its_uniform_field(self, tmp_path: Path) -> None:
        tested = ct_inserts((8, 256, 256), noise_hu=15.0, seed=2)
        write_study(tested.phantom, tmp_path / "scan", 0)
        outcome = site_case(tmp_path / "scan", Application(os.environ, SHORT), tmp_path / "derived")
        results = {r.requirement.identity: r for r in results_of(Evidence((outcome,), installation(), SAME))}
        assert results["SITE-1"].measured is not None
        assert abs(results["SITE-3"].measured.value) < 0.1
        assert results["CT-1"].verdict == "not measured"
        assert np.isclose(outcome.tested.pixel_mm, tested.pixel_mm)


class _NoEnding:
    def clean_up_by(self, clean_up) -> None:
        pass
