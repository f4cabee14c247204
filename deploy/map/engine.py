"""Build and run containers with docker, podman or buildah, whichever this machine has.

``python engine.py build IMAGE VERSION [--target gpu] [--index URL] [--base IMAGE]`` builds the Dockerfile here.
``python engine.py run IMAGE IN OUT [ARGUMENTS]`` runs it as a careful host would.

A build by podman or buildah uses pip's settings of this machine (an index, a certificate, folders of wheels) by mounts;
none of them stays in the image. Only the standard library is imported, so that a bare machine can run this.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[2]
PIP_SECTION = "[global]\n"
ROOMY = ("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=4096:4096")  # where podman's own are above the machine's
RUNNERS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("docker", (), ()),
    ("podman", (), ()),
    ("podman", ("--runtime", "runc", "--cgroup-manager", "cgroupfs"), ROOMY),
)
REPEATABLE = ("--isolation", "chroot", "--network", "host", "--layers", "--timestamp", "0")  # the same in every build
CAREFUL = (
    "--network", "none", "--read-only", "--tmpfs", "/tmp", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",
)  # fmt: skip


class NoEngineError(RuntimeError):
    """No container program of this machine can do it."""


def silently(*command: str) -> bool:
    """Whether a command ends well."""
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode == 0


def builder() -> list[str]:
    """The program that builds, as the beginning of a command.

    Raises:
        NoEngineError: none is there, or docker's service does not answer and nothing else is there.
    """
    if shutil.which("docker") and silently("docker", "info"):
        return ["docker"]
    for name in ("podman", "buildah"):
        if shutil.which(name):
            return [name]
    raise NoEngineError("no docker with its service running, no podman, no buildah: install one, and call again")


def runner(image: str) -> list[str]:
    """``PROGRAM ... run ...``, proven by a run of ``image`` that only prints its manifests.

    Raises:
        NoEngineError: nothing here runs it, with the last complaint.
    """
    complaint = "neither docker nor podman is installed"
    for program, before, after in RUNNERS:
        if shutil.which(program):
            command = [program, *before, "run", *after]
            trial = subprocess.run(
                [*command, "--rm", "--network", "none", image, "show"], capture_output=True, text=True, check=False
            )
            if trial.returncode == 0:
                return command
            complaint = f"{program}: {trial.stderr.strip()[-300:]}"
    raise NoEngineError(f"no container can be run here: {complaint}")


def build_commands(
    program: Sequence[str], image: str, arguments: dict[str, str], pip_file: Path
) -> Iterator[list[str]]:
    """The commands in their order, without the context.

    A mount leaves an empty file or folder behind. So only the stage that no image is made of is built with mounts; what
    comes before and after it takes it from the cache.
    """
    given = [part for name, value in arguments.items() if value for part in ("--build-arg", f"{name}={value}")]
    if program[0] == "docker":
        yield ["docker", "build", *given, "-t", image]
        return
    form = [*program, "build" if program[0] == "podman" else "bud", *REPEATABLE]
    if mounts := pip_mounts(pip_file):
        yield [*form, *given, "--target", "system"]
        yield [*form, *given, "--target", "libraries", *mounts]
    yield [*form, *given, "-t", image]


def pip_mounts(pip_file: Path) -> list[str]:
    """Mounts that make this machine's pip settings those of the build; ``pip_file`` is written."""
    settings = pip_settings()
    if not settings:
        return []
    pip_file.write_text(PIP_SECTION + "".join(f"{name} = {value}\n" for name, value in settings.items()))
    words = [urlsplit(word) for value in settings.values() for word in value.split()]
    local = {word.path for word in words if word.scheme in ("", "file") and word.path.startswith("/")}
    folders = {str(found) for path in local if (found := nearest(Path(path)))}
    mounts = [*(f"{path}:{path}:ro" for path in sorted(folders)), f"{pip_file}:/etc/pip.conf:ro"]
    return [part for mount in mounts for part in ("-v", mount)]


def nearest(path: Path) -> Path | None:
    """What to mount for a path that pip reads: an index links to files beside its own folder, so its parent."""
    if not path.exists():
        return None
    return path.parent if path.name == "simple" else path


def pip_settings() -> dict[str, str]:
    """Of this machine's pip, the environment's last."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    rows = [line.partition("=") for line in listed.splitlines() if line.startswith(("global.", ":env:."))]
    rows.sort(key=lambda row: row[0].startswith(":env:"))
    return {name.rpartition(".")[2]: value.strip("'\"").replace("\\n", " ") for name, _, value in rows}


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def build(program: Sequence[str], image: str, arguments: dict[str, str]) -> int:
    """Build the Dockerfile of this tree by ``program``; the exit code of the first command that fails, or 0."""
    with scratch() as folder:
        for command in build_commands(program, image, arguments, folder / "pip.conf"):
            if code := subprocess.run([*command, "."], cwd=ROOT, check=False).returncode:
                print(f"{program[0]} can't build the image; its own words stand above", file=sys.stderr)
                return code
    return 0


def as_caller(command: Sequence[str]) -> list[str]:
    """Options by which what a container writes belongs to the user who calls."""
    user = ["--user", f"{os.getuid()}:{os.getgid()}"]
    return [*user, "--userns", "keep-id"] if command[0] == "podman" and os.getuid() else user


def run(image: str, source: Path, target: Path, arguments: Sequence[str]) -> int:
    """Run the image on a study, as the user who asks; its exit code."""
    target.mkdir(parents=True, exist_ok=True)
    mounts = ["-v", f"{source.resolve()}:/var/holoscan/input:ro", "-v", f"{target.resolve()}:/var/holoscan/output"]
    command = runner(image)
    options = ["--rm", *CAREFUL, *as_caller(command), *mounts]
    return subprocess.run([*command, *options, image, *arguments], check=False).returncode


def add_build_arguments(parser: argparse.ArgumentParser) -> None:
    """What is built, and from what."""
    parser.add_argument("image")
    parser.add_argument("version")
    for name in ("target", "index", "base"):
        parser.add_argument(f"--{name}", default="")


def build_arguments(given: argparse.Namespace) -> dict[str, str]:
    """The Dockerfile's own names for them."""
    return {"TARGET": given.target, "INDEX": given.index, "BASE": given.base, "VERSION": given.version}


def main() -> int:
    """Follow the command line; return the exit code."""
    parser = argparse.ArgumentParser(description="Build the application package, or run it on a study.")
    what = parser.add_subparsers(dest="what", required=True)
    add_build_arguments(what.add_parser("build"))
    running = what.add_parser("run")
    running.add_argument("image")
    running.add_argument("input", type=Path)
    running.add_argument("output", type=Path)
    running.add_argument("arguments", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    if given.what == "run":
        return run(given.image, given.input, given.output, given.arguments)
    return build(builder(), given.image, build_arguments(given))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except NoEngineError as error:
        sys.exit(str(error))
