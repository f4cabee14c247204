"""The process makes itself ready for Holoscan, and ends as the host asks."""

import math
import os
import resource
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from app import host_process

ROOT = Path(__file__).parent.parent


def run(code: str, small_stack: bool = False) -> subprocess.Popen[str]:
    limits = (8 << 20, resource.getrlimit(resource.RLIMIT_STACK)[1])
    return subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(code)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=(lambda: resource.setrlimit(resource.RLIMIT_STACK, limits)) if small_stack else None,
    )


def test_the_interpreter_starts_anew_with_a_larger_stack() -> None:
    code = """
        import os, resource
        from app.host_process import raise_stack_limit
        raise_stack_limit()
        print(os.getpid(), resource.getrlimit(resource.RLIMIT_STACK)[0])
        """
    process = run(code, small_stack=True)
    assert process.communicate()[0].split() == [str(process.pid), str(32 << 20)]


def test_the_packaged_cuda_runtime_is_the_one_holoscan_uses() -> None:
    code = """
        import importlib.util, warnings
        warnings.simplefilter("ignore")
        from app.host_process import load_cuda_runtime
        load_cuda_runtime()
        import holoscan.core
        mapped = {line.split()[-1] for line in open("/proc/self/maps") if "libcudart" in line}
        folder = importlib.util.find_spec("nvidia.cu13").submodule_search_locations[0]
        print(len(mapped), all(path.startswith(folder) for path in mapped))
        """
    assert run(code).communicate()[0].split() == ["1", "True"]


def test_sigterm_cleans_up_and_ends_the_process() -> None:
    code = """
        import time
        from app.host_process import Ending
        ending = Ending()
        ending.watch()
        ending.clean_up_by(lambda: print("cleaned", flush=True))
        print("ready", flush=True)
        time.sleep(60)
        """
    process = run(code)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    os.kill(process.pid, signal.SIGTERM)
    assert process.communicate()[0] == "cleaned\n"
    assert process.returncode == 128 + signal.SIGTERM


@pytest.mark.parametrize(("granted", "threads"), [("max 100000", None), ("50000 100000", "1"), ("6400000 100000", str)])
def test_threads_are_no_more_than_the_host_grants(
    granted: str, threads: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cpu.max").write_text(granted + "\n")
    monkeypatch.setattr(host_process, "CPU_SHARE", tmp_path / "cpu.max")
    environment: dict[str, str] = {}
    host_process.share_cores(environment)
    expected = str(len(os.sched_getaffinity(0))) if threads is str else threads
    assert environment == {"OMP_WAIT_POLICY": "PASSIVE"} | ({"OMP_NUM_THREADS": expected} if expected else {})


@pytest.mark.parametrize(("limits", "granted"), [(["max"], math.inf), ([], math.inf), (["1000", "9e18"], 1000.0)])
def test_the_smallest_limit_of_memory_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: list[str], granted: float
) -> None:
    files = [tmp_path / str(number) for number in range(2)]
    for file, limit in zip(files, limits, strict=False):
        file.write_text(f"{limit}\n")
    monkeypatch.setattr(host_process, "MEMORY_LIMITS", tuple(files))
    assert host_process.memory_granted() == granted


def test_libraries_keep_temporary_files_where_the_host_grants_no_place(tmp_path: Path) -> None:
    """The whole run without a writable place but the output is in test_host_mercure.py."""
    environment: dict[str, str] = {}
    host_process.grant_scratch(environment, lambda: tmp_path)
    assert environment == {}, "there is a place for them here"
