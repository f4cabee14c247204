"""What the process needs before Holoscan is imported, and how it ends when the host asks it to.

Call first, in this order: ``raise_stack_limit`` (restarts the interpreter once), ``share_cores``,
``load_cuda_runtime``, ``Ending().watch()``. A program that only imports Holoscan needs ``load_cuda_runtime`` alone.
"""

import ctypes
import importlib.util
import logging
import math
import os
import resource
import signal
import sys
import tempfile
import threading
from collections.abc import Callable, MutableMapping
from pathlib import Path

LOG = logging.getLogger(__name__)
STACK_BYTES = 32 << 20  # the least that Holoscan wants; its threads inherit the limit with which the process started
CPU_SHARE = Path("/sys/fs/cgroup/cpu.max")  # cgroup v2: microseconds granted in each period, or max
MEMORY_LIMITS = (  # of a container, cgroup v2 and v1: bytes, or max
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
CACHE_VARIABLES = ("MPLCONFIGDIR", "CUPY_CACHE_DIR")  # of libraries that write when they are imported
END_SIGNALS = frozenset({signal.SIGTERM, signal.SIGINT})


def raise_stack_limit() -> None:
    """Restart this command with the stack limit that Holoscan wants; return if it is met already or forbidden."""
    soft, hard = resource.getrlimit(resource.RLIMIT_STACK)
    met = soft == resource.RLIM_INFINITY or soft >= STACK_BYTES
    forbidden = hard != resource.RLIM_INFINITY and hard < STACK_BYTES
    if not met and not forbidden:
        resource.setrlimit(resource.RLIMIT_STACK, (STACK_BYTES, hard))
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def share_cores(environment: MutableMapping[str, str]) -> None:
    """Let OpenMP threads sleep while they wait, and limit them to the granted cores; call it before torch is imported.

    Threads that spin halve the speed of a fit on two busy cores. OpenMP does not see a container's quota of processor
    time and would start a thread for every core of the machine.
    """
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    quota, period = CPU_SHARE.read_text().split() if CPU_SHARE.is_file() else ("max", "1")
    if quota != "max":
        granted = max(1, math.ceil(int(quota) / int(period)))
        environment.setdefault("OMP_NUM_THREADS", str(min(granted, len(os.sched_getaffinity(0)))))


def memory_granted() -> float:
    """Return the bytes of memory beyond which the host kills this process; infinite without a limit."""
    limits = [file.read_text().strip() for file in MEMORY_LIMITS if file.is_file()]
    return min((float(limit) for limit in limits if limit != "max"), default=math.inf)


def load_cuda_runtime() -> None:
    """Load ``libcudart.so.13`` of the ``nvidia-cuda-runtime`` package, which the loader does not find by itself.

    Holoscan is linked to it even without a GPU. Without the package the system's own library is used.
    """
    if importlib.util.find_spec("nvidia") is None:
        return
    package = importlib.util.find_spec("nvidia.cu13")
    for folder in (package and package.submodule_search_locations) or ():
        for library in Path(folder).glob("lib/libcudart.so.13"):
            ctypes.CDLL(str(library), mode=ctypes.RTLD_GLOBAL)


def grant_scratch(environment: MutableMapping[str, str], make_folder: Callable[[], Path]) -> None:
    """Let libraries keep temporary files in a folder made for them, where the host grants no other place.

    A container with a read-only root may have no writable /tmp; matplotlib and cupy then refuse to be imported.
    """
    try:
        tempfile.gettempdir()
    except FileNotFoundError:
        tempfile.tempdir = str(make_folder())
        environment.update(dict.fromkeys(CACHE_VARIABLES, tempfile.tempdir))


class Ending:
    """Ends the process soon after SIGTERM or SIGINT, after removing unfinished output.

    Holoscan's own handlers end the process without running any ``finally``. Therefore the signals are blocked in every
    thread, and one thread waits for them.
    """

    def __init__(self) -> None:
        self._clean_up: Callable[[], None] = lambda: None

    def watch(self) -> None:
        """Start waiting; call it before any other thread exists, since threads inherit what is blocked."""
        signal.pthread_sigmask(signal.SIG_BLOCK, END_SIGNALS)
        threading.Thread(target=self._wait, name="ending", daemon=True).start()

    def clean_up_by(self, clean_up: Callable[[], None]) -> None:
        """Set what the waiting thread calls before the process ends."""
        self._clean_up = clean_up

    def _wait(self) -> None:
        number = signal.sigwait(END_SIGNALS)
        LOG.warning("ended by %s; unfinished output is removed", signal.Signals(number).name)
        try:
            self._clean_up()
        finally:
            os._exit(128 + number)  # the shells' code for a process ended by a signal
