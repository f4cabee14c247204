"""Describe an unexpected exception without its text, which may hold what a file says about a patient."""

import os
import traceback
from pathlib import Path


def describe(error: BaseException) -> str:
    """Return the type of an exception, the system's error message where there is one, and where it was raised."""
    origin = traceback.extract_tb(error.__traceback__)[-1]
    system = f" ({os.strerror(error.errno)})" if isinstance(error, OSError) and error.errno else ""
    if isinstance(error, MemoryError):
        system = " (the memory granted is too small for this series; raise the limit)"
    return f"{type(error).__name__}{system} at {Path(origin.filename).name}:{origin.lineno}"
