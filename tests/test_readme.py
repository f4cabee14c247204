"""The README says what the program does."""

import re
from pathlib import Path

import yaml

from app.arguments import parser_with
from app.exit_codes import ExitCode
from app.settings import MANIFEST, RunSettings, load_settings
from operators.default_strength import PET, SPECKLE_LEFT, VOLUME
from operators.selection import TESTS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in README.splitlines() if line.startswith("|")]


def test_every_argument_is_reported_and_no_other() -> None:
    known = {name for action in parser_with({})._actions for name in action.option_strings} - {"-h", "--help"}
    named = {name for row in ROWS for name in re.findall(r"`(--?[a-z-]+)`", row[0])}
    assert named == known


def test_the_defaults_are_those_of_the_code() -> None:
    defaults = {row[0].strip("`"): row[2] for row in ROWS if row[0].startswith("`--")}
    run = RunSettings()
    assert not run.strength
    assert defaults["--strength"] == f"{VOLUME:g}; PET {PET:g}; ultrasound {100 * (1 - SPECKLE_LEFT):g}"
    assert (int(defaults["--seed"]), defaults["--device"].strip("`")) == (run.seed, run.device)
    assert float(defaults["--time-budget"]) == run.time_budget


def test_every_exit_code_is_reported() -> None:
    assert [int(row[0]) for row in ROWS if row[0].isdigit()] == [int(code) for code in ExitCode]


def test_every_setting_named_is_one() -> None:
    assignments = re.findall(r"--set (\w+\.\w+=\w+)|as `(\w+\.\w+=\w+)`", README)
    assert len(assignments) > 2
    load_settings(overrides=[first or second for first, second in assignments])


def test_the_settings_shown_are_understood(tmp_path: Path) -> None:
    for language, text in BLOCKS:
        if language == "yaml":
            (tmp_path / "site.yaml").write_text(text)
            assert load_settings(tmp_path / "site.yaml").selection.rules
    assert all(f"`{test}`" in README for test in TESTS)


def test_every_make_target_named_is_there() -> None:
    named = re.findall(r"^([\w -]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    targets = {target for names in named for target in names.split()}
    assert set(re.findall(r"make ([\w-]+)$|`make ([\w-]+)[ `]", README, re.MULTILINE)) <= {
        pair for target in targets for pair in ((target, ""), ("", target))
    }


def test_every_file_linked_or_named_is_there() -> None:
    linked = re.findall(r"\]\((?!http)([^)#]+)\)", README)
    folders = [row[0].strip("`") for row in ROWS if row[0].endswith("/`")]
    assert folders
    assert all((ROOT / name).exists() for name in [*linked, *folders, "requirements.txt"])


def test_the_manifest_s_command_is_the_one_shown() -> None:
    assert yaml.safe_load(MANIFEST.read_text())["application"]["command"].endswith("-m app")
    assert any("python -m app -i" in text for _, text in BLOCKS)


def test_the_version_of_the_image_is_the_manifest_s() -> None:
    version = yaml.safe_load(MANIFEST.read_text())["application"]["version"]
    assert set(re.findall(r"VERSION=([\d.]+)|denoiser:([\d.]+)", README)) == {(version, ""), ("", version)}
