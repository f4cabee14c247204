"""Kubernetes and Argo: every document fits its schema, is hardened, and starts what there is to start."""

import copy
import json
import re
from pathlib import Path
from typing import Any

import pytest
from judges import library

from app.arguments import parser_with
from tests.hosts import DEPLOY, ENTRYPOINT, IMAGE, MANIFEST, documents

Document = dict[str, Any]
KUBERNETES = "1.31"
JOB, POLICY = documents(DEPLOY / "kubernetes" / "job.yaml")
TEMPLATE, ONE, MANY = (
    documents(DEPLOY / "argo" / f"{name}.yaml")[0] for name in ("one-study", "submit", "many-studies")
)
POD = JOB["spec"]["template"]["spec"]
CONTAINERS = {
    "job": POD["containers"][0],
    "one": TEMPLATE["spec"]["templates"][0]["container"],
    "many": MANY["spec"]["templates"][1]["container"],
}
VOLUMES = {
    "job": POD["volumes"], "one": TEMPLATE["spec"]["templates"][0]["volumes"], "many": MANY["spec"]["volumes"],
}  # fmt: skip


def fits_argo(document: Document) -> bool:
    """Whether Argo's models read every key, and give it back."""
    models = library("hera.workflows.models", "hera")
    read = getattr(models, document["kind"]).model_validate(document)
    back: Document = json.loads(read.model_dump_json(by_alias=True, exclude_unset=True))
    return back == document


@pytest.mark.parametrize("document", [JOB, POLICY], ids=lambda document: document["kind"])
def test_kubernetes_knows_every_key(document: Document) -> None:
    library("kubernetes_validate", "kubernetes-validate").validate(document, KUBERNETES, strict=True)


@pytest.mark.parametrize("document", [TEMPLATE, ONE, MANY], ids=["one study", "submit", "many studies"])
def test_argo_knows_every_key(document: Document) -> None:
    assert fits_argo(document)
    wrong = copy.deepcopy(document)
    wrong["spec"]["entrypont"] = wrong["spec"].pop("entrypoint")
    assert not fits_argo(wrong)


@pytest.mark.parametrize("name", CONTAINERS)
class TestContainers:
    def test_it_is_hardened(self, name: str) -> None:
        assert CONTAINERS[name]["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip

    def test_it_has_what_the_manifest_asks_for(self, name: str) -> None:
        asked = {"cpu": str(MANIFEST["resources"]["cpu"]), "memory": MANIFEST["resources"]["memory"]}
        given = CONTAINERS[name]["resources"]
        assert asked.items() <= given["requests"].items()
        assert asked.items() <= given["limits"].items()

    def test_temporary_files_and_shared_memory_have_a_place(self, name: str) -> None:
        places = {mount["mountPath"]: mount["name"] for mount in CONTAINERS[name]["volumeMounts"]}
        volumes = {volume["name"]: volume for volume in VOLUMES[name]}
        shared = volumes[places["/dev/shm"]]["emptyDir"]
        assert shared == {"medium": "Memory", "sizeLimit": MANIFEST["resources"]["sharedMemory"]}
        assert "emptyDir" in volumes[places["/tmp"]]
        assert set(places.values()) <= set(volumes)


@pytest.mark.parametrize(
    "context", [POD["securityContext"], TEMPLATE["spec"]["securityContext"], MANY["spec"]["securityContext"]]
)
def test_nobody_is_root(context: Document) -> None:
    assert context["runAsNonRoot"] is True
    assert context["runAsUser"] > 0
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}


def test_the_job_ends_later_than_the_application() -> None:
    given = parser_with({}).parse_args(CONTAINERS["job"]["args"])
    assert JOB["spec"]["activeDeadlineSeconds"] > float(given.time_budget) + 60
    assert "command" not in CONTAINERS["job"]  # the image's own entrypoint


def test_the_fan_out_calls_app_many() -> None:
    """With every argument in its place, and those of the application such as it understands."""
    container = CONTAINERS["many"]
    assert container["command"] == ["python3", "-m", "app.batch_task"]
    values = {
        f"workflow.parameters.{one['name']}": one.get("value", "9") for one in MANY["spec"]["arguments"]["parameters"]
    }
    values["inputs.parameters.number"] = "7"
    words = [re.sub(r"{{(.*?)}}", lambda found: values[found[1]], word) for word in container["args"]]
    own, application = words[: words.index("--")], words[words.index("--") + 1 :]
    assert own[:3] == ["/studies/studies.txt", "7", "/studies/results"]
    assert (
        float(parser_with({}).parse_args(application).time_budget)
        < MANY["spec"]["templates"][1]["activeDeadlineSeconds"]
    )


def test_the_single_study_calls_the_entrypoint() -> None:
    (line,) = CONTAINERS["one"]["args"]
    assert line.startswith(f"{ENTRYPOINT} ")
    assert line.endswith("|| [ $? -eq 3 ]")


@pytest.mark.parametrize("file", [path for path in DEPLOY.rglob("*") if path.is_file()], ids=lambda path: path.name)
def test_every_recipe_names_this_version(file: Path) -> None:
    if file.suffix in {".py", ".sh", ".pyc"}:
        return
    named = re.findall(r"single-study-denoiser:(?:\${VERSION:-)?([\d.]+)", file.read_text())
    assert set(named) <= {MANIFEST["application"]["version"]}
    assert IMAGE.endswith(MANIFEST["application"]["version"])
