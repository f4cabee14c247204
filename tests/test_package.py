"""What builds and judges the package, as far as it needs no container; `make map-test` does the rest."""

import importlib
import io
import json
import tarfile
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from app.settings import MANIFEST
from operators.dicom.geometry import stacks_of
from operators.dicom.reading import read_study

MAP = Path(__file__).parent.parent / "deploy" / "map"
VARIABLES = {
    "HOLOSCAN_WORKDIR": "/var/holoscan/",
    "HOLOSCAN_INPUT_PATH": "/var/holoscan/input/",
    "HOLOSCAN_OUTPUT_PATH": "/var/holoscan/output/",
    "HOLOSCAN_APPLICATION": "/opt/holoscan/app/",
    "HOLOSCAN_MODEL_PATH": "/opt/holoscan/models/",
    "PATH": "/usr/bin",
}
CONTENT = yaml.safe_load(MANIFEST.read_text())
VERSION = CONTENT["application"]["version"]


@pytest.fixture
def load(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(MAP))
    return importlib.import_module


@pytest.mark.parametrize(("target", "gpu"), [("cpu", 0), ("gpu", 1)])
def test_the_manifests_say_what_app_yaml_says(load: Any, tmp_path: Path, target: str, gpu: int) -> None:
    load("manifests").main(MANIFEST, tmp_path, {**VARIABLES, "VERSION": VERSION, "TARGET": target})
    app, package = (json.loads((tmp_path / name).read_text()) for name in ("app.json", "pkg.json"))
    assert app["version"] == package["version"] == VERSION
    assert app["command"] == CONTENT["application"]["command"]
    assert app["environment"] == {name: value for name, value in VARIABLES.items() if name != "PATH"}
    assert package["resources"]["memory"] == CONTENT["resources"]["memory"]
    assert package["resources"]["gpu"] == gpu


@pytest.mark.parametrize("version", [{}, {"VERSION": ""}, {"VERSION": "9.9.9"}])
def test_a_label_of_another_version_stops_the_build(load: Any, tmp_path: Path, version: dict[str, str]) -> None:
    with pytest.raises(SystemExit, match=f"app.yaml {VERSION}: give --build-arg VERSION="):
        load("manifests").main(MANIFEST, tmp_path, {**VARIABLES, **version})
    assert not list(tmp_path.iterdir())


def test_the_study_of_the_judge_is_one_volume(load: Any, tmp_path: Path) -> None:
    (series,) = read_study(load("sample_series").write_study(tmp_path, slices=8, size=24)).series
    (stack,) = stacks_of(series, minimum_slices=4)
    assert (series.modality, len(stack.places)) == ("CT", 8)


def test_what_cannot_be_judged_has_failed(load: Any, capsys: pytest.CaptureFixture[str]) -> None:
    report = load("outcomes").Report()
    report.check("holds", lambda: True)
    report.check("breaks", lambda: {}["absent"])
    assert report.close() == 1
    assert capsys.readouterr().out.endswith("2 checks, 1 failed, 0 skipped\n")


def test_settings_of_pip_are_lent_as_mounts(load: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "index" / "simple").mkdir(parents=True)
    (tmp_path / "wheels").mkdir()
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"file://{tmp_path}/index/simple https://far/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", f"{tmp_path}/wheels")
    mounts = load("engine").pip_mounts(tmp_path / "pip.conf")
    assert {f"{tmp_path}/{name}:{tmp_path}/{name}:ro" for name in ("index", "wheels")} < set(mounts)
    assert mounts[-2:] == ["-v", f"{tmp_path}/pip.conf:/etc/pip.conf:ro"]
    assert f"find-links = {tmp_path}/wheels\n" in (tmp_path / "pip.conf").read_text()


def layer(path: Path, **files: bytes) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return path


def test_files_that_differ_between_two_builds_are_named(load: Any, tmp_path: Path) -> None:
    again: ModuleType = load("rebuild")
    first = layer(tmp_path / "first", same=b"1", other=b"1")
    assert again.difference(first, layer(tmp_path / "second", same=b"1", other=b"2", more=b"")) == (
        "2 files, such as more other"
    )
    assert again.difference(first, layer(tmp_path / "turned", other=b"1", same=b"1")) == "the order of its files"
