"""What the image contains, listed in its documents: ``python contents.py PYTHON.CDX.JSON DOCS``.

In: the CycloneDX list of the Python packages, and this system's own dpkg list. Out: ``DOCS/sbom.cdx.json`` with both,
and ``DOCS/licences/NAME-VERSION/`` with each Python package's licence files; those of Debian's packages stand where
Debian puts them, in ``/usr/share/doc/NAME/copyright``.
"""

import json
import shutil
import subprocess
import sys
from importlib.metadata import Distribution, distributions
from pathlib import Path
from typing import Any

LICENCE_NAMES = ("licen", "copying", "notice", "authors", "copyright")


def debian_components() -> list[dict[str, Any]]:
    """A component for each installed Debian package."""
    form = "${Package}\t${Version}\t${Architecture}\n"
    lines = subprocess.run(["dpkg-query", "-W", "-f", form], check=True, capture_output=True, text=True).stdout
    return [component(*line.split("\t")) for line in sorted(lines.splitlines())]


def component(name: str, version: str, architecture: str) -> dict[str, Any]:
    """Return a Debian package as CycloneDX lists it."""
    purl = f"pkg:deb/debian/{name}@{version.replace('+', '%2B')}?arch={architecture}"
    return {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}


def copy_licences(distribution: Distribution, folder: Path) -> None:
    """Every licence file that a Python package brings."""
    files = [
        file
        for file in distribution.files or ()
        if file.parts[0].endswith(".dist-info") and any(name in file.name.lower() for name in LICENCE_NAMES)
    ]
    for file in files:
        target = folder / f"{distribution.name}-{distribution.version}" / "-".join(file.parts[1:])
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(str(file.locate()), target)


def main(python_list: Path, docs: Path) -> None:
    """Write both."""
    bill = json.loads(python_list.read_text())
    bill["components"] += debian_components()
    (docs / "sbom.cdx.json").write_text(json.dumps(bill, indent=1) + "\n")
    for distribution in distributions():
        copy_licences(distribution, docs / "licences")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
