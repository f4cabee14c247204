"""Where a fit runs, in which precision and on how many threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import torch

PROCESSOR = torch.device("cpu")


class DeviceUnavailableError(ValueError):
    """The requested device is not usable on this machine."""

    def __init__(self, name: str) -> None:
        super().__init__(f"device {name!r} was asked for, but no such device is usable here; use 'auto' or 'cpu'")


@dataclass(frozen=True)
class Compute:
    """A device, the precision of the network's arithmetic on it, and the threads of the processor."""

    device: torch.device
    dtype: torch.dtype
    threads: int = 1

    @property
    def kind(self) -> str:
        """``cpu`` or ``cuda``."""
        return self.device.type

    @property
    def processor(self) -> str:
        """What else the last bits of a fit depend on, by the order of sums: instructions and threads, or the GPU."""
        if self.kind == "cuda":
            return torch.cuda.get_device_name(self.device)
        return f"{torch.backends.cpu.get_cpu_capability()} in {self.threads} thread{'s' if self.threads > 1 else ''}"

    @property
    def precision(self) -> str:
        """``float32`` or ``bfloat16``."""
        return str(self.dtype).removeprefix("torch.")

    def autocast(self) -> torch.autocast:
        """Return the context in which the network runs; float32 changes nothing."""
        return torch.autocast(self.kind, dtype=self.dtype, enabled=self.dtype is not torch.float32)


def choose_compute(name: str) -> Compute:
    """Return the device called ``auto``, ``cpu`` or ``cuda``, with bfloat16 where its arithmetic units have it.

    Raises:
        DeviceUnavailableError: ``cuda`` on a machine without one, or an unknown name.
    """
    if name not in {"auto", "cpu", "cuda"} or (name == "cuda" and not torch.cuda.is_available()):
        raise DeviceUnavailableError(name)
    kind = "cuda" if name != "cpu" and torch.cuda.is_available() else "cpu"
    fast = torch.cuda.is_bf16_supported() if kind == "cuda" else bool(torch.cpu._is_avx512_bf16_supported())
    return Compute(torch.device(kind), torch.bfloat16 if fast else torch.float32, torch.get_num_threads())


@contextmanager
def one_thread_each(device: torch.device, most: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """Give a pool of workers: on a processor as many as torch has threads, each on one thread; elsewhere one.

    Small operations lose more by waking threads than they gain by sharing work. ``most`` bounds the workers, whose
    memory may be large.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(min(threads, most or threads) if device.type == "cpu" else 1) as pool:
            yield pool
    finally:
        torch.set_num_threads(threads)
