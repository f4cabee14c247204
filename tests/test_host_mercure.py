"""mercure: its configuration, and its processor's folders, environment and verdict.

What is played here follows mercure's code: common/types.py, common/rule_evaluation.py, routing/generate_taskfile.py
and process/process_series.py.
"""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from judges import judge, missing
from pydicom import dcmread

from tests.hosts import DEPLOY, IMAGE, ROOT, names, started
from tests.small_study import write_series

SCHEMA = json.loads((ROOT / "docs" / "result.schema.json").read_text())
CONFIGURATION = json.loads((DEPLOY / "mercure" / "mercure.json").read_text())
MODULE, RULE = CONFIGURATION["modules"]["denoise"], CONFIGURATION["rules"]["denoise"]
MODULE_KEYS = {
    "docker_tag", "additional_volumes", "environment", "docker_arguments", "settings", "contact", "comment",
    "constraints", "resources", "requires_root", "network_enabled",
}  # fmt: skip
RULE_KEYS = {
    "rule", "target", "action", "action_trigger", "study_trigger_condition", "study_force_completion_action",
    "priority", "processing_module", "processing_settings", "processing_retain_images", "comment",
    "dynamic_routing", "dynamic_routing_allowed_targets",
}  # fmt: skip
DOCKER_ARGUMENTS = {
    "mem_limit", "memswap_limit", "cpu_period", "cpu_quota", "cpu_shares", "cpuset_cpus", "cpuset_mems", "nano_cpus",
    "shm_size", "runtime", "labels", "blkio_weight", "device_read_bps", "device_write_bps", "device_read_iops",
    "device_write_iops", "pids_limit", "environment", "env", "read_only", "stop_signal", "stop_timeout", "healthcheck",
}  # fmt: skip
REGISTRY_KEYS = {
    "name", "description", "githubUrl", "dockerhubImage", "supportedImageTags", "coverPhotoUrl", "isMonaiModule",
    "status",
}  # fmt: skip
# Run a command with every file system read-only but one folder.
READ_ONLY = """
mount --bind "$0" "$0"
for place in $(awk '{print $2}' /proc/self/mounts); do
    case $place in "$0" | /proc* | /sys*) ;; *) mount -o remount,bind,ro "$place" ;; esac
done
exec "$@"
"""


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


def processed(folder: Path, *prefix: str) -> int:
    """Its exit code, by which alone the processor judges; the command may be given a prefix."""
    environment = {
        "HOLOSCAN_INPUT_PATH": f"{folder}/in", "HOLOSCAN_OUTPUT_PATH": f"{folder}/out",
        "MERCURE_IN_DIR": f"{folder}/in", "MERCURE_OUT_DIR": f"{folder}/out",
    }  # fmt: skip
    return started([*prefix, "/usr/local/bin/entrypoint"], folder, environment).returncode


def dispatched(folder: Path) -> list[str]:
    """The targets to which a task that succeeded is sent; ``__mercure_routing`` counts where the rule allows it."""
    file = folder / "out" / "result.json"
    routing = json.loads(file.read_text()).get("__mercure_routing") if file.exists() else None
    if not routing or not RULE["dynamic_routing"]:
        return [RULE["target"]]
    return [] if routing.get("discard") else list(routing["target"])


def test_the_configuration_has_only_keys_that_mercure_knows() -> None:
    assert set(MODULE) <= MODULE_KEYS
    assert set(RULE) <= RULE_KEYS
    assert RULE["processing_module"] in CONFIGURATION["modules"]
    assert MODULE["docker_tag"] == IMAGE
    assert set(json.loads(MODULE["docker_arguments"])) <= DOCKER_ARGUMENTS  # a text that holds JSON


def test_the_entry_of_the_registry_names_this_version() -> None:
    (entry,) = json.loads((DEPLOY / "mercure" / "modules.json").read_text())
    assert set(entry) <= REGISTRY_KEYS
    assert entry["dockerhubImage"] == f"OWNER/{IMAGE}"
    assert entry["supportedImageTags"] == [IMAGE.partition(":")[2]]
    assert not entry["isMonaiModule"]


@pytest.mark.parametrize(("modality", "expected"), [("CT", True), ("US", True), ("SR", False), ("DX", False)])
def test_the_rule_goes_by_modality(modality: str, expected: bool) -> None:
    rule = RULE["rule"].replace("@Modality@", 'tags["Modality"]')
    assert eval(rule, {"__builtins__": {}}, {"tags": {"Modality": modality}}) == expected


@pytest.mark.slow
def test_what_is_written_lies_flat_in_the_output(tmp_path: Path) -> None:
    assert processed(task_folder(tmp_path, "CT")) == 0
    assert dispatched(tmp_path) == [RULE["target"]]
    assert [path for path in (tmp_path / "out").iterdir() if path.is_dir()] == []
    assert len(names(tmp_path / "out", ".dcm")) == 7  # and the report for people
    result = json.loads((tmp_path / "out" / "result.json").read_text())  # which is archived
    assert result["time_budget"] == MODULE["settings"]["run.time_budget"]


@pytest.mark.slow
def test_settings_of_the_rule_come_after_those_of_the_module(tmp_path: Path) -> None:
    assert processed(task_folder(tmp_path, "CT", **{"run.time_budget": 60, "ns_n2n": {"steps": 3}})) == 0
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert (result["time_budget"], result["series"][0]["steps_planned"]) == (60, 3)


@pytest.mark.slow
def test_a_study_of_which_nothing_is_written_is_discarded(tmp_path: Path) -> None:
    assert processed(task_folder(tmp_path, "SR")) == 0
    assert dispatched(tmp_path) == []
    assert names(tmp_path / "out") == ["metadata.json", "result.json"]
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    jsonschema.validate(result, SCHEMA)
    assert (result["counts"]["refused"], result["series"][0]["reason_code"]) == (1, "not-an-image-class")


@pytest.mark.slow
def test_or_is_sent_to_another_target(tmp_path: Path) -> None:
    assert processed(task_folder(tmp_path, "SR", **{"outputs.mercure_routing_on_refusal": "review"})) == 0
    assert dispatched(tmp_path) == ["review"]


@pytest.mark.slow
def test_or_is_an_error_there(tmp_path: Path) -> None:
    assert processed(task_folder(tmp_path, "SR", **{"outputs.mercure_routing_on_refusal": ""})) == 3
    assert names(tmp_path / "out") == []


@pytest.mark.slow
def test_nothing_but_the_output_has_to_be_writable(tmp_path: Path) -> None:
    task_folder(tmp_path, "CT")
    within = [judge("unshare", "util-linux"), "--user", "--map-root-user", "--mount"]
    if subprocess.run([*within, "true"], check=False).returncode:
        missing("this machine lets no process have mounts of its own")
    assert processed(tmp_path, *within, "sh", "-c", READ_ONLY, str(tmp_path / "out")) == 0
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".dcm", ".html", ".json"}
