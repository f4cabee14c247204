"""The boundary around the work on one series: whatever goes wrong inside, the next series still runs.

A refusal is reported with its sentence; any other exception only with its type and where in the code it was raised.
"""

import time
from collections.abc import Callable
from typing import TypeVar

from models.volume.ns_n2n import TooFewSlicesError
from operators.dicom.errors import Refusal
from operators.faults import describe
from operators.messages import LedgerEntry, entry_of
from operators.sources.source import Source
from operators.time_budget import TimeSpentError

Result = TypeVar("Result")


def within_boundary(source: Source, work: Callable[[], Result]) -> Result | LedgerEntry:
    """Return what ``work`` returns, or the entry that says why this series was refused or failed."""
    started = time.monotonic()
    try:
        return work()
    except (Refusal, TooFewSlicesError) as refusal:
        return entry_of(source, "refused", str(refusal), seconds=time.monotonic() - started)
    except TimeSpentError as error:
        return entry_of(source, "failed", str(error))
    except Exception as error:
        return entry_of(source, "failed", describe(error), seconds=time.monotonic() - started)
