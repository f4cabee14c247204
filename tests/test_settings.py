"""app.yaml, --set, and what they say of a mistake."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from app.setting_errors import RENAMED_KEYS, RENAMED_SECTIONS, RENAMED_VALUES, SettingsError
from app.settings import MANIFEST, Settings, load_settings, version


def written(folder: Path, text: str) -> Path:
    path = folder / "site.yaml"
    path.write_text(text)
    return path


def test_the_file_that_ships_says_what_the_code_does_without_it() -> None:
    assert load_settings() == Settings()


def test_the_file_that_ships_names_every_setting() -> None:
    shipped = yaml.safe_load(MANIFEST.read_text())
    for section in dataclasses.fields(Settings):
        assert set(shipped[section.name]) == {field.name for field in dataclasses.fields(section.type)}


def test_a_site_file_changes_what_it_names_and_set_comes_last(tmp_path: Path) -> None:
    path = written(tmp_path, "run:\n  seed: 3\n  time_budget: 60\n")
    settings = load_settings(path, ["run.seed=4", "run.strength=[60, 100]", "outputs.metadata_on_failure=true"])
    assert (settings.run.seed, settings.run.time_budget, settings.run.strength) == (4, 60.0, (60.0, 100.0))
    assert settings.outputs.metadata_on_failure


def test_rules_come_from_the_file(tmp_path: Path) -> None:
    path = written(
        tmp_path, "selection:\n  rules:\n  - {name: thin, keyword: SliceThickness, range: [0, 3], modality: [CT]}\n"
    )
    (rule,) = load_settings(path).selection.rules
    assert (rule.name, rule.range, rule.modality) == ("thin", (0.0, 3.0), ("CT",))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("runn:\n  seed: 1\n", "site.yaml: unknown key 'runn'; the nearest known one is 'run'"),
        ("run:\n  sed: 1\n", "site.yaml: unknown key 'run.sed'; the nearest known one is 'seed'"),
        (
            "selection:\n  rules:\n  - {name: a, minimumslices: 3}\n",
            "unknown key 'selection.rules.0.minimumslices'.*'minimum_slices'",
        ),
        ("run:\n  seed: many\n", "run.seed takes a valid integer, not 'many'"),
        ("run:\n  seed: 1.5\n", "run.seed takes a valid integer, not 1.5"),
        ("run:\n  seed: true\n", "run.seed takes a valid integer, not True"),
        ("run:\n  device: abacus\n", "run.device takes 'auto', 'cpu' or 'cuda', not 'abacus'"),
        ("run: 5\n", "run takes an object, not 5"),
        ("outputs:\n  report: 1\n", "outputs.report takes a valid boolean, not 1"),
        ("check:\n  bias_hu: .inf\n", "check.bias_hu takes a finite number"),
        ("check:\n  bias_hu: 0\n", "every limit is above 0"),
        ("run:\n  strength: [0]\n", "above 0 to 100"),
        ("run:\n  strength: [60, 60]\n", "different"),
        ("run:\n  time_budget: 0\n", "seconds above 0"),
        ("selection:\n  rules:\n  - {name: a}\n", "rule 'a' has 0 tests"),
        ("selection:\n  rules:\n  - {keyword: Rows}\n", "selection.rules.0.name is missing"),
        ("selection:\n  rules:\n  - {name: a, range: [1, 2, 3]}\n", "selection.rules.0.range: .* at most 2 items"),
        ("nifti:\n  modality: US\n", "nifti.modality takes '', 'CT', 'MR' or 'PT', not 'US'"),
        ("derived:\n  content_qualification: research\n", "takes 'RESEARCH', 'PRODUCT' or 'SERVICE', not 'research'"),
        ("- a\n", "holds no sections"),
        ("a: [\n", "not readable as YAML"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as error:
        load_settings(written(tmp_path, text))
    assert str(error.value).startswith("site.yaml: ")


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [
        ("gate:\n  bias_hu: 3\n", "gate", "check"),
        ("speckle2self:\n  looks: 3\n", "speckle2self.looks", "speckle2self.search_offsets"),
        ("ns_n2n:\n  variant: paper\n", "ns_n2n.variant: paper", "ns_n2n.variant: published"),
        ("speckle2self:\n  variant: paper\n", "speckle2self.variant: paper", "speckle2self.variant: published"),
    ],
)
def test_an_old_name_is_refused_with_the_new_one(tmp_path: Path, text: str, old: str, new: str) -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(written(tmp_path, text))
    assert str(error.value) == f"site.yaml: {old!r} has been renamed; write {new!r}"


def test_every_new_name_is_a_setting() -> None:
    known = dataclasses.asdict(Settings())
    assert set(RENAMED_SECTIONS.values()) <= set(known)
    assert all(new in known[section] for (section, _), new in RENAMED_KEYS.items())
    for (section, key, _), new in RENAMED_VALUES.items():
        load_settings(overrides=[f"{section}.{key}={new}"])


def test_settings_are_read_without_the_slow_libraries() -> None:
    code = "import sys, app.settings; print(*{'torch', 'nibabel', 'monai', 'scipy'} & set(sys.modules))"
    said = subprocess.run([sys.executable, "-c", code], cwd=MANIFEST.parent, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""


@pytest.mark.parametrize("override", ["run.seed", "seed=1", "=", "run.=1", "run.seed=[", "run.sed=1", "run.seed=x"])
def test_a_mistake_on_the_command_line_is_named_too(override: str) -> None:
    with pytest.raises(SettingsError, match="--set"):
        load_settings(overrides=[override])


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="FileNotFoundError"):
        load_settings(tmp_path / "none.yaml")


def test_the_manifest_spells_its_names_both_ways() -> None:
    manifest = yaml.safe_load(MANIFEST.read_text())
    for kebab, camel in (("input-formats", "inputFormats"), ("output-formats", "outputFormats")):
        assert manifest["application"][kebab] == manifest["application"][camel]
    for kebab, camel in (("gpu-memory", "gpuMemory"), ("shared-memory", "sharedMemory")):
        assert manifest["resources"][kebab] == manifest["resources"][camel]
    assert version() == manifest["application"]["version"]
