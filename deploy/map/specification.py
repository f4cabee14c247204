"""The demands of the MONAI Application Package specification 1.0 on any image, each a named check.

Order and words follow the specification: self-description, image annotations, variables, application manifest,
package manifest, supplemental files, manifest export, important paths.
"""

import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outcomes import Report
from package import Package, names_in, printed_objects

SEMANTIC = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")
MEMORY = re.compile(r"[1-9]\d*(\.\d)?(Mi|Gi)")
VARIABLES = {
    "HOLOSCAN_INPUT_PATH": "/var/holoscan/input",
    "HOLOSCAN_OUTPUT_PATH": "/var/holoscan/output",
    "HOLOSCAN_WORKDIR": "/var/holoscan",
    "HOLOSCAN_MODEL_PATH": "/opt/holoscan/models",
    "HOLOSCAN_CONFIG_PATH": "/var/holoscan/app.yaml",
    "HOLOSCAN_APP_MANIFEST_PATH": "/etc/holoscan/app.json",
    "HOLOSCAN_PKG_MANIFEST_PATH": "/etc/holoscan/pkg.json",
    "HOLOSCAN_DOCS": "/opt/holoscan/docs",
    "HOLOSCAN_LOGS": "/var/holoscan/logs",
}
FOLDERS = ("/etc/holoscan", "/opt/holoscan/app", "/opt/holoscan/models", "/opt/holoscan/docs", "/var/holoscan/input",
           "/var/holoscan/output")  # fmt: skip
EXPORT = "/var/run/holoscan/export"
PARTS = ("app", "config", "models", "docs")
PROBE_KINDS = ("tcp", "grpc", "http-get", "command")


def semantic(value: object) -> tuple[bool, str]:
    """Whether it is a semantic version."""
    return isinstance(value, str) and bool(SEMANTIC.fullmatch(value)), repr(value)


def check_specification(report: Report, package: Package) -> None:
    """Every check of this page."""
    app, pkg = package.manifest("app.json"), package.manifest("pkg.json")
    _annotations(report, package, app)
    _variables(report, package, app)
    _application_manifest(report, app)
    _package_manifest(report, pkg)
    _resources(report, pkg.get("resources") or {})
    _contents(report, package, app)
    _export(report, package)


def _annotations(report: Report, package: Package, app: Mapping[str, Any]) -> None:
    labels = package.labels
    title, version = "org.opencontainers.image.title", "org.opencontainers.image.version"
    report.check("MUST be one OCI image for Linux on x86-64 or ARM64", lambda: (
        package.inspected["Os"] == "linux" and package.inspected["Architecture"] in ("amd64", "arm64")))  # fmt: skip
    report.check(f"SHALL be labelled with {title}", lambda: bool(labels.get(title)))
    report.check(f"SHALL be labelled with {version}, a semantic version", lambda: semantic(labels.get(version)))
    report.check(f"SHALL have the same {version} as app.json", lambda: labels.get(version) == app["version"])
    report.check(
        "SHOULD give other predefined labels: description", lambda: "org.opencontainers.image.description" in labels
    )


def _variables(report: Report, package: Package, app: Mapping[str, Any]) -> None:
    for name, default in VARIABLES.items():
        report.check(f"SHALL set {name} to {default}", lambda name=name, default=default: (
            package.environment.get(name, "").rstrip("/") == default, repr(package.environment.get(name))))  # fmt: skip
    declared = app.get("environment") or {}
    report.check("SHALL declare these variables in app.json#environment", lambda: set(VARIABLES) <= set(declared))
    report.check("MUST have names and values of text in app.json#environment", lambda: all(
        isinstance(value, str) for value in declared.values()))  # fmt: skip


def _application_manifest(report: Report, app: Mapping[str, Any]) -> None:
    report.check("SHALL contain /etc/holoscan/app.json, readable JSON", lambda: bool(app))
    report.check("MUST define app.json#type: service or application", lambda: app["type"] in ("service", "application"))
    report.check("MUST define app.json#command", lambda: bool(app["command"]) and isinstance(app["command"], str))
    for key in ("apiVersion", "sdkVersion", "version"):
        report.check(f"SHOULD define app.json#{key}, a semantic version", lambda key=key: semantic(app[key]))
    report.check("SHOULD define app.json#sdk", lambda: bool(app["sdk"]))
    report.check("SHOULD define app.json#workingDirectory, absolute", lambda: app["workingDirectory"].startswith("/"))
    report.check("SHOULD define app.json#timeout, whole seconds", lambda: isinstance(app["timeout"], int))
    report.check("SHALL say of its input which formats it takes: app.json#input.formats", lambda: bool(
        app["input"]["formats"]) and isinstance(app["input"]["formats"], list))  # fmt: skip
    report.check(
        "SHALL say of its output which format it has: app.json#output.format", lambda: bool(app["output"]["format"])
    )
    for side in ("input", "output"):
        report.check(f"SHOULD define app.json#{side}.path", lambda side=side: bool(app[side]["path"]))
    for probe in ("readiness", "liveness"):
        report.check(f"SHOULD configure app.json#{probe}", lambda probe=probe: _probe(app[probe]))


def _probe(probe: Mapping[str, Any]) -> bool:
    numbers = ("initialDelaySeconds", "periodSeconds", "timeoutSeconds", "failureThreshold")
    target = isinstance(probe["command"], list) if probe["type"] == "command" else 1 <= int(probe["port"]) <= 65535
    return probe["type"] in PROBE_KINDS and target and all(isinstance(probe[name], int) for name in numbers)


def _package_manifest(report: Report, pkg: Mapping[str, Any]) -> None:
    report.check("SHALL contain /etc/holoscan/pkg.json, readable JSON", lambda: bool(pkg))
    report.check("MUST define pkg.json#applicationRoot", lambda: pkg["applicationRoot"].startswith("/"))
    report.check("SHOULD define pkg.json#modelRoot, absolute", lambda: pkg["modelRoot"].startswith("/"))
    for key in ("apiVersion", "version"):
        report.check(f"SHOULD define pkg.json#{key}, a semantic version", lambda key=key: semantic(pkg[key]))
    report.check(
        "SHOULD list pkg.json#models, each with a name",
        lambda: (
            isinstance(pkg["models"], list)
            and all(
                0 < len(model["name"].encode()) <= 128 and not re.search(r"\s", model["name"])
                for model in pkg["models"]
            )
        ),
    )


def _resources(report: Report, resources: Mapping[str, Any]) -> None:
    report.check("SHALL define pkg.json#resources", lambda: bool(resources))
    for name in ("cpu", "gpu"):
        report.check(
            f"SHALL count resources.{name} in tenths",
            lambda name=name: (
                resources[name] >= 0 and round(resources[name], 1) == resources[name],
                repr(resources.get(name)),
            ),
        )
    for name in ("memory", "gpuMemory", "sharedMemory"):
        report.check(f"SHALL give resources.{name} in Mi or Gi", lambda name=name: (
            bool(MEMORY.fullmatch(resources[name])), repr(resources.get(name))))  # fmt: skip


def _contents(report: Report, package: Package, app: Mapping[str, Any]) -> None:
    there = package.shell("for f in " + " ".join(FOLDERS) + '; do [ -d "$f" ] && echo "$f"; done; true').out.split()
    for folder in FOLDERS:
        report.check(f"SHALL have {folder}", lambda folder=folder: folder in there)
    report.check("SHALL keep its code in /opt/holoscan/app", lambda: bool(package.shell("ls -A /opt/holoscan/app").out))
    docs = package.shell("find -L /opt/holoscan/docs -type f").out.lower()
    for name, words in {"a README": ("readme",), "licences": ("licen",), "a change log": ("change",)}.items():
        report.check(f"SHOULD hold {name} in /opt/holoscan/docs", lambda words=words: any(w in docs for w in words))
    report.check("SHALL find the program of app.json#command", lambda: package.shell(
        f"command -v {app['command'].split()[0]}").code == 0)  # fmt: skip
    report.check("SHALL have the configuration that HOLOSCAN_CONFIG_PATH names", lambda: package.shell(
        '[ -s "$HOLOSCAN_CONFIG_PATH" ]').code == 0)  # fmt: skip


def _export(report: Report, package: Package) -> None:
    shown = printed_objects(package.run("show").out)
    report.check("SHALL print app.json: show", lambda: any("command" in manifest for manifest in shown))
    report.check("SHALL print pkg.json: show", lambda: any("applicationRoot" in manifest for manifest in shown))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o777)
        ended = package.run("extract", options=("-v", f"{folder}:{EXPORT}"))
        report.check("SHALL copy everything out: extract", lambda: (ended.code == 0, ended.log[-200:]))
        for part in PARTS:
            report.check(f"SHALL make {EXPORT}/{part}", lambda part=part: (folder / part).is_dir())
        report.check("SHALL copy app.yaml, app.json and pkg.json to config", lambda: (
            {"app.yaml", "app.json", "pkg.json"} <= set(names_in(folder / "config"))))  # fmt: skip
    for part in PARTS:
        report.check(
            f"SHALL copy {part} alone where only {EXPORT}/{part} is mounted", lambda part=part: _one(package, part)
        )


def _one(package: Package, part: str) -> tuple[bool, str]:
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        ended = package.run("extract", options=("-v", f"{name}:{EXPORT}/{part}"))
        found = names_in(Path(name))
    return ended.code == 0 and (part == "models" or bool(found)), ended.log[-200:]
