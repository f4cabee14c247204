"""``python release.py IMAGE FOLDER``: the image as an archive, its documents with the list of contents, their sums."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

from engine import as_caller, runner


def release(image: str, folder: Path) -> None:
    """Save the image as ``NAME-VERSION.tar``, its documents as ``docs/``, and the sums of both."""
    name, _, version = image.rpartition(":")
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{name.rpartition('/')[2]}-{version}.tar"
    archive.unlink(missing_ok=True)
    command = runner(image)
    program = command[: command.index("run")]
    subprocess.run([*program, "save", "-o", str(archive), image], check=True)
    export = (folder / "docs").resolve()
    export.mkdir(exist_ok=True)
    options = ["--rm", "--network", "none", *as_caller(command), "-v", f"{export}:/var/run/holoscan/export/docs"]
    subprocess.run([*command, *options, image, "extract"], check=True)
    files = sorted(path for path in (archive, *export.rglob("*")) if path.is_file())
    sums = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {os.path.relpath(path, folder)}\n" for path in files)
    (folder / "SHA256SUMS").write_text("".join(sums))


if __name__ == "__main__":
    release(sys.argv[1], Path(sys.argv[2]))
