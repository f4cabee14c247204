"""The package as a host starts it, without a container: its entrypoint, its environment, and a python3 on the PATH."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydicom import dcmread

from tests.small_study import CANARY

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
ENTRYPOINT = "/usr/local/bin/entrypoint"  # in the image
SCRIPT = DEPLOY / "map" / "entrypoint.sh"  # and where it comes from
MANIFEST = yaml.safe_load((ROOT / "app.yaml").read_text())
IMAGE = f"{MANIFEST['application']['name']}:{MANIFEST['application']['version']}"
QUICK = {"HOLOSCAN_CONFIG_PATH": "quick.yaml"}  # in the folder from which the package is started


def started(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a command of the image in ``folder``, with few steps; nobody is named."""
    shim = folder / "bin" / "python3"
    shim.parent.mkdir(exist_ok=True)
    shim.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    shim.chmod(0o755)
    (folder / "quick.yaml").write_text("ns_n2n: {steps: 4}\nrun: {device: cpu}\n")
    image = {"PATH": f"{shim.parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT), **QUICK}
    done = subprocess.run(
        [word.replace(ENTRYPOINT, f"sh {SCRIPT}" if " " in word else str(SCRIPT)) for word in command],
        cwd=folder, env={**os.environ, **image, **environment}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert CANARY not in done.stdout + done.stderr
    return done


def dicom_json(file: Path) -> str:
    """The header as MONAI's Informatics Gateway lays it beside each file."""
    header = dcmread(file, stop_before_pixels=True)
    return json.dumps(header.to_json_dict())


def names(folder: Path, suffix: str = "") -> list[str]:
    """Files directly in a folder."""
    return sorted(path.name for path in folder.iterdir() if path.is_file() and path.name.endswith(suffix))


def documents(file: Path) -> list[dict[str, Any]]:
    """What a YAML file of a host holds."""
    return [one for one in yaml.safe_load_all(file.read_text()) if one]
