"""MONAI Deploy's Workflow Manager: its validator, its conditions, its docker and Argo plug-ins, its export.

What is played here follows the code of monai-deploy-workflow-manager: WorkflowValidator.cs, ConditionalGroup.cs,
DicomService.cs, DockerPlugin.cs, ArgoMetadataRepository.cs and WorkflowExecuterService.cs.
"""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from app.arguments import parser_with
from tests.hosts import DEPLOY, ENTRYPOINT, IMAGE, SCRIPT, dicom_json, documents, names, started
from tests.small_study import write_series

Workflow = dict[str, Any]
Task = dict[str, Any]
DOCKER_ARGUMENTS = {"server_url", "entrypoint", "command", "container_image", "temp_storage_container_path"}
ARGO_ARGUMENTS = {"workflow_template_name", "priority", "cpu", "memory_gb", "gpu_required"}
TASK_TYPES = {"router", "export", "docker", "argo"}
LONGEST_AE_TITLE = 15
MINUTE = 60.0  # seconds


def workflow(name: str) -> Workflow:
    made: Workflow = json.loads((DEPLOY / "express" / f"{name}.json").read_text())
    return made


def task(flow: Workflow, name: str) -> Task:
    return next(one for one in flow["tasks"] if one["id"] == name)


def complaints(flow: Workflow) -> list[str]:
    """What the host's validator says of it."""
    tasks, gateway = flow["tasks"], flow["informatics_gateway"]
    ids = [one["id"] for one in tasks]
    aims = [aim["name"] for one in tasks for aim in one.get("task_destinations", [])]
    demands = {
        "name and version": flow["name"] and flow["version"],
        "AE title": 0 < len(gateway["ae_title"]) <= LONGEST_AE_TITLE,
        "task ids": all(re.fullmatch("[a-zA-Z0-9-_]+", one) for one in ids) and len(set(ids)) == len(ids),
        "types": {one["type"] for one in tasks} <= TASK_TYPES,
        "no converging and no unreferenced task": sorted(aims) == sorted(ids[1:]),
        "inputs": all(
            one["artifacts"]["input"] and all(part["name"] and part["value"] for part in one["artifacts"]["input"])
            for one in tasks if one["type"] != "router"
        ),
        "export": all(
            {aim["name"] for aim in one["export_destinations"]} <= set(gateway["export_destinations"])
            for one in tasks if one["type"] == "export"
        ),
        "Argo's arguments": all(
            "workflow_template_name" in one["args"] and set(one["args"]) <= ARGO_ARGUMENTS
            for one in tasks if one["type"] == "argo"
        ),
    }  # fmt: skip
    return [name for name, met in demands.items() if not met]


def holds(condition: str, values: Mapping[str, str]) -> bool:
    """A chain of equalities by OR, as the host evaluates it after putting values, or NULL, into the braces."""
    put = re.sub(r"{{\s*(.*?)\s*}}", lambda found: f"'{values.get(found[1]) or 'NULL'}'", condition)
    sides = [re.fullmatch(r"'(\w+)' == '?(\w+)'?", part.strip()) for part in re.split(r"\sOR\s", put)]
    assert all(sides), put
    return any(side and side[1].lower() == side[2].lower() for side in sides)


def wanted(flow: Workflow, source: str, aim: str, values: Mapping[str, str]) -> bool:
    (found,) = (one for one in task(flow, source)["task_destinations"] if one["name"] == aim)
    return all(holds(condition, values) for condition in found.get("conditions", []))


def payload(folder: Path, modality: str) -> Path:
    """A study as the Informatics Gateway hands it out: every X.dcm with an X.dcm.json beside it."""
    source = write_series(folder / "sent", modality, 1)
    for number, file in enumerate(sorted(path for path in source.rglob("*") if path.is_file())):
        target = folder / "input" / "1.2.3.4" / f"{number}.dcm"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, target)
        target.with_name(f"{target.name}.json").write_text(dicom_json(target))
    (folder / "output").mkdir()
    return folder


def by_docker(folder: Path) -> bool:
    """The docker plug-in on a payload; whether the task succeeded, which is: left something, whatever the exit code."""
    arguments = task(workflow("docker"), "denoise")["args"]
    environment = {key.removeprefix("env_"): value for key, value in arguments.items() if key.startswith("env_")}
    mounted = {"/var/holoscan/input/": folder / "input", "/var/holoscan/output/": folder / "output"}
    environment = {name: str(mounted[place]) for name, place in environment.items()}
    started([str(SCRIPT), *arguments["command"].split(",")], folder, environment)
    return any(path.is_file() for path in (folder / "output").rglob("*"))


def by_argo(folder: Path) -> dict[str, str] | None:
    """The Argo plug-in: the result metadata of a task that succeeded, None of one that failed."""
    (template,) = documents(DEPLOY / "argo" / "one-study.yaml")[0]["spec"]["templates"]
    container = template["container"]
    paths = {"HOLOSCAN_INPUT_PATH": f"{folder}/input", "HOLOSCAN_OUTPUT_PATH": f"{folder}/output"}
    if started([*container["command"], *container["args"]], folder, paths).returncode:
        return None
    metadata = json.loads((folder / "output" / "metadata.json").read_text())
    assert all(isinstance(value, str | int | float) for value in metadata.values())
    return {f"context.executions.denoise.result.{key}": str(value) for key, value in metadata.items()}


@pytest.mark.parametrize("name", ["docker", "argo"])
class TestBoth:
    def test_the_validator_has_nothing_to_say(self, name: str) -> None:
        assert complaints(workflow(name)) == []

    @pytest.mark.parametrize(
        ("modality", "expected"),
        [
            ("CT", True),
            ("MR", True),
            ("PT", True),
            ("US", True),
            ("SR", True),
            ("DX", False),
            ("MG", False),
            ("", False),
        ],
    )
    def test_the_router_goes_by_modality(self, name: str, modality: str, expected: bool) -> None:
        seen = {"context.dicom.series.any('0008','0060')": modality}
        assert wanted(workflow(name), "router", "denoise", seen) == expected

    def test_the_export_takes_what_the_task_leaves(self, name: str) -> None:
        flow = workflow(name)
        (left,), (taken,) = task(flow, "denoise")["artifacts"]["output"], task(flow, "export")["artifacts"]["input"]
        assert left["mandatory"]
        assert taken["value"] == f"{{{{ context.executions.denoise.artifacts.{left['name']} }}}}"


class TestDocker:
    def test_its_arguments_are_those_that_the_plugin_wants(self) -> None:
        made = task(workflow("docker"), "denoise")
        arguments, artifacts = made["args"], made["artifacts"]
        assert set(arguments) >= DOCKER_ARGUMENTS | {one["name"] for side in artifacts.values() for one in side}
        assert all(isinstance(value, str) for value in arguments.values())
        assert arguments["entrypoint"].split(",") == [ENTRYPOINT]
        assert arguments["container_image"] == IMAGE

    def test_the_host_waits_longer_than_the_application_takes(self) -> None:
        arguments = task(workflow("docker"), "denoise")["args"]
        given = parser_with({}).parse_args(arguments["command"].split(","))
        assert int(arguments["task_timeout_minutes"]) * MINUTE > float(given.time_budget) + MINUTE

    @pytest.mark.slow
    def test_what_is_written_is_exported(self, tmp_path: Path) -> None:
        assert by_docker(payload(tmp_path, "CT"))
        assert len(names(tmp_path / "output", ".dcm")) == 7  # and the report for people

    @pytest.mark.slow
    def test_nothing_written_is_a_failed_task(self, tmp_path: Path) -> None:
        assert not by_docker(payload(tmp_path, "SR"))


class TestArgo:
    def test_the_artifacts_bear_the_names_of_the_template(self) -> None:
        made = task(workflow("argo"), "denoise")
        (found,) = documents(DEPLOY / "argo" / "one-study.yaml")
        assert found["metadata"]["name"] == made["args"]["workflow_template_name"]
        (template,) = found["spec"]["templates"]
        sides = {"input": template["inputs"], "output": template["outputs"]}
        assert {side: [one["name"] for one in made["artifacts"][side]] for side in sides} == {
            side: [one["name"] for one in parts["artifacts"]] for side, parts in sides.items()
        }

    @pytest.mark.slow
    def test_what_is_written_is_exported(self, tmp_path: Path) -> None:
        metadata = by_argo(payload(tmp_path, "CT"))
        assert metadata is not None
        assert wanted(workflow("argo"), "denoise", "export", metadata)

    @pytest.mark.slow
    def test_nothing_written_succeeds_and_is_not_exported(self, tmp_path: Path) -> None:
        metadata = by_argo(payload(tmp_path, "SR"))
        assert metadata is not None
        assert not wanted(workflow("argo"), "denoise", "export", metadata)

    @pytest.mark.slow
    def test_any_other_exit_code_fails_the_task(self, tmp_path: Path) -> None:
        assert by_argo(tmp_path) is None  # there is no input
