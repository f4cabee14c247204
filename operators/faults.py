"""What may be told of an unexpected exception: never its text, which may hold what a file says about a patient."""

import os
import traceback
from pathlib import Path


def describe(error: BaseException) -> str:
    """The type of an exception, the system's word for it where there is one, and where in the code it was raised."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    system = f" ({os.strerror(error.errno)})" if isinstance(error, OSError) and error.errno else ""
    if isinstance(error, MemoryError):
        system = " (the memory granted is too small for this series; raise the limit)"
    return f"{type(error).__name__}{system} at {Path(place.filename).name}:{place.lineno}"
