"""mercure: its configuration, and its processor's folders, environment and verdict.

What is played here follows mercure's code: common/types.py, common/rule_evaluation.py, routing/generate_taskfile.py
and process/process_series.py.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from pydicom import dcmread

from tests.hosts import DEPLOY, IMAGE, names, started
from tests.small_study import write_series

CONFIGURATION = json.loads((DEPLOY / "mercure" / "mercure.json").read_text())
MODULE, RULE = CONFIGURATION["modules"]["denoise"], CONFIGURATION["rules"]["denoise"]
MODULE_KEYS = {
    "docker_tag", "additional_volumes", "environment", "docker_arguments", "settings", "contact", "comment",
    "constraints", "resources", "requires_root",
}  # fmt: skip
RULE_KEYS = {
    "rule", "target", "action", "action_trigger", "study_trigger_condition", "study_force_completion_action",
    "priority", "processing_module", "processing_settings", "processing_retain_images", "comment",
}  # fmt: skip


def task_folder(folder: Path, modality: str, **rule_settings: Any) -> Path:
    """A task as the processor has prepared it: everything flat in ``in``, an empty ``out``."""
    (folder / "in").mkdir()
    (folder / "out").mkdir()
    for file in write_series(folder / "sent", modality, 1).rglob("*"):
        if file.is_file():
            header = dcmread(file, stop_before_pixels=True)
            target = folder / "in" / f"{header.SeriesInstanceUID}#{header.SOPInstanceUID}.dcm"
            shutil.copy(file, target)
            target.with_suffix(".tags").write_text(json.dumps({"Modality": modality, "PatientName": "x"}))
    process = {
        "module_name": RULE["processing_module"], "module_config": MODULE, "retain_input_images": False, "output": None,
        "settings": {**MODULE["settings"], **RULE["processing_settings"], **rule_settings},
    }  # fmt: skip
    task = {"id": "1", "info": {"action": RULE["action"]}, "dispatch": {}, "process": process, "study": {}}
    (folder / "in" / "task.json").write_text(json.dumps(task))
    return folder


def processed(folder: Path) -> int:
    """Its exit code, by which alone the processor judges."""
    environment = {
        "HOLOSCAN_INPUT_PATH": f"{folder}/in", "HOLOSCAN_OUTPUT_PATH": f"{folder}/out",
        "MERCURE_IN_DIR": f"{folder}/in", "MERCURE_OUT_DIR": f"{folder}/out",
    }  # fmt: skip
    return started(["/usr/local/bin/entrypoint"], folder, environment).returncode


def test_the_configuration_has_only_keys_that_mercure_knows() -> None:
    assert set(MODULE) <= MODULE_KEYS
    assert set(RULE) <= RULE_KEYS
    assert RULE["processing_module"] in CONFIGURATION["modules"]
    assert MODULE["docker_tag"] == IMAGE
    json.loads(MODULE["docker_arguments"])  # a text that holds JSON


@pytest.mark.parametrize(("modality", "expected"), [("CT", True), ("US", True), ("SR", False), ("DX", False)])
def test_the_rule_goes_by_modality(modality: str, expected: bool) -> None:
    rule = RULE["rule"].replace("@Modality@", 'tags["Modality"]')
    assert eval(rule, {"__builtins__": {}}, {"tags": {"Modality": modality}}) == expected


def test_what_is_written_lies_flat_in_the_output(tmp_path: Path) -> None:
    assert processed(task_folder(tmp_path, "CT")) == 0
    assert [path for path in (tmp_path / "out").iterdir() if path.is_dir()] == []
    assert len(names(tmp_path / "out", ".dcm")) == 7  # and the report for people
    result = json.loads((tmp_path / "out" / "result.json").read_text())  # which is archived
    assert result["time_budget"] == MODULE["settings"]["run.time_budget"]


def test_settings_of_the_rule_come_after_those_of_the_module(tmp_path: Path) -> None:
    assert processed(task_folder(tmp_path, "CT", **{"run.time_budget": 60, "ns_n2n": {"steps": 3}})) == 0
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["time_budget"], result["series"][0]["steps_planned"]) == (60, 3)


def test_nothing_written_is_an_error_there(tmp_path: Path) -> None:
    assert processed(task_folder(tmp_path, "SR")) == 3
    assert names(tmp_path / "out") == []
