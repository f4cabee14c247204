"""The peak of this process's memory since it was last forgotten (Linux)."""

from pathlib import Path


def forget_peak() -> float:
    """Forget the peak so far; MiB resident now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def peak_memory() -> float:
    """MiB, the most that was resident since `forget_peak`."""
    return _status("VmHWM")


def _status(key: str) -> float:
    lines = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return float(lines[key].split()[0]) / 1024
