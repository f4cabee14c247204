"""Make the package's manifests from app.yaml: ``python manifests.py app.yaml FOLDER``.

Writes ``app.json`` and ``pkg.json`` after the MONAI Application Package specification 1.0. The variables in them are
read from the environment of the image, so that they can't differ from it. TARGET in the environment is cpu or gpu;
VERSION, the label of the image, must be that of app.yaml.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

API_VERSION = "1.0.0"
SDK, SDK_VERSION = "monai-deploy-app-sdk", "4.0.0"
PROBE = {
    "type": "command",
    "command": ["/usr/local/bin/entrypoint", "show"],
    "initialDelaySeconds": 1,
    "periodSeconds": 10,
    "timeoutSeconds": 5,
    "failureThreshold": 3,
}
VARIABLES = "HOLOSCAN_"  # the beginning of those that the manifest repeats


def app_manifest(application: Mapping[str, Any], environment: Mapping[str, str], timeout: int) -> dict[str, Any]:
    """How a host runs the application."""
    return {
        "apiVersion": API_VERSION,
        "type": "application",
        "title": application["title"],
        "sdk": SDK,
        "sdkVersion": SDK_VERSION,
        "version": application["version"],
        "command": application["command"],
        "environment": {name: value for name, value in environment.items() if name.startswith(VARIABLES)},
        "workingDirectory": environment["HOLOSCAN_WORKDIR"],
        "input": {"path": environment["HOLOSCAN_INPUT_PATH"], "formats": application["inputFormats"]},
        "output": {"path": environment["HOLOSCAN_OUTPUT_PATH"], "format": application["outputFormats"][0]},
        "readiness": PROBE,
        "liveness": PROBE,
        "timeout": timeout,
    }


def package_manifest(
    application: Mapping[str, Any], resources: Mapping[str, Any], environment: Mapping[str, str]
) -> dict[str, Any]:
    """What the package holds and needs."""
    names = ("cpu", "memory", "gpuMemory", "sharedMemory")
    return {
        "apiVersion": API_VERSION,
        "version": application["version"],
        "applicationRoot": environment["HOLOSCAN_APPLICATION"],
        "modelRoot": environment["HOLOSCAN_MODEL_PATH"],
        "models": [],
        "resources": {**{name: resources[name] for name in names}, "gpu": int(environment.get("TARGET") == "gpu")},
    }


def main(source: Path, folder: Path, environment: Mapping[str, str]) -> None:
    """Write both."""
    content = yaml.safe_load(source.read_text())
    application, resources, timeout = content["application"], content["resources"], content["run"]["time_budget"]
    if (label := environment.get("VERSION")) != application["version"]:
        sys.exit(f"the label says version {label}, app.yaml {application['version']}: give --build-arg VERSION=")
    manifests = {
        "app.json": app_manifest(application, environment, int(timeout) * 2),
        "pkg.json": package_manifest(application, resources, environment),
    }
    folder.mkdir(parents=True, exist_ok=True)
    for name, manifest in manifests.items():
        (folder / name).write_text(json.dumps(manifest, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), os.environ)
