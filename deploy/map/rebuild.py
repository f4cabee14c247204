"""Build the image again and compare: ``python rebuild.py IMAGE VERSION``, with the build options of engine.py.

The second build is made by podman in an empty store. Prints a line for each layer that differs, naming some of the
files, and a line with the counts. docker can't set the times of files, so that its layers always differ; without podman
nothing is compared, and a line says so.
"""

import argparse
import hashlib
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from engine import add_build_arguments, build, build_arguments, scratch, silently

NAMED = 5  # files of a differing layer that are named


@contextmanager
def empty_store(folder: Path) -> Iterator[list[str]]:
    """``podman`` with an empty store in ``folder``."""
    program = ["podman", "--root", str(folder / "root"), "--runroot", str(folder / "run")]
    try:
        yield program
    finally:
        silently(*program, "rmi", "--all", "--force")


def lend(image: str, program: Sequence[str], archive: Path) -> None:
    """Give a store an image that this machine has; one that it has not is fetched by the build."""
    if image and silently("podman", "image", "exists", image):
        subprocess.run(["podman", "save", "--quiet", "-o", str(archive), image], check=True)
        subprocess.run([*program, "load", "--quiet", "-i", str(archive)], check=True, stdout=subprocess.DEVNULL)


def layers(program: Sequence[str], image: str, folder: Path) -> list[Path]:
    """The layers of an image as files, the lowest first; the names are hashes of the content."""
    subprocess.run([*program, "save", "--quiet", "--format", "oci-dir", "-o", str(folder), image], check=True)
    blobs = folder / "blobs" / "sha256"
    index = json.loads((folder / "index.json").read_text())
    manifest = json.loads((blobs / digest(index["manifests"][0])).read_text())
    return [blobs / digest(layer) for layer in manifest["layers"]]


def digest(descriptor: dict[str, str]) -> str:
    """The hash that an OCI descriptor names."""
    return descriptor["digest"].partition(":")[2]


def entries(layer: Path) -> dict[str, tuple[object, ...]]:
    """What a layer says of each file."""
    found: dict[str, tuple[object, ...]] = {}
    with tarfile.open(layer) as archive:
        for one in archive:
            content = archive.extractfile(one) if one.isfile() else None
            summed = hashlib.sha256(content.read()).hexdigest() if content else ""
            found[one.name] = (one.type, one.mode, one.uid, one.gid, one.mtime, one.linkname, summed)
    return found


def difference(first: Path, second: Path) -> str:
    """Names of files that are not the same in both."""
    one, other = entries(first), entries(second)
    names = sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))
    return f"{len(names)} files, such as {' '.join(names[:NAMED])}" if names else "the order of its files"


def main() -> int:
    """0 where every layer is the same."""
    parser = argparse.ArgumentParser(description="Build again, and compare.")
    add_build_arguments(parser)
    given = parser.parse_args()
    if not shutil.which("podman"):
        print("not compared: there is no podman, and docker's layers hold the time of each build")
        return 0
    with scratch() as folder, empty_store(folder / "store") as program:
        lend(given.base, program, folder / "base.tar")
        if code := build(program, given.image, build_arguments(given)):
            return code
        before = layers(["podman"], given.image, folder / "first")
        after = layers(program, given.image, folder / "second")
        differing = [
            number for number, (one, other) in enumerate(zip(before, after, strict=True)) if one.name != other.name
        ]
        for number in differing:
            print(f"layer {number + 1} differs: {difference(before[number], after[number])}")
    print(f"built again: {len(before)} layers, {len(before) - len(differing)} the same")
    return int(bool(differing))


if __name__ == "__main__":
    sys.exit(main())
