"""The boundary around the work on one series: whatever goes wrong inside, the next series still runs.

A refusal is reported with its sentence; any other exception only with its type and where in the code it was raised.
"""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from models.volume.ns_n2n import TooFewSlicesError
from operators.dicom.errors import Refusal
from operators.faults import describe
from operators.messages import LedgerEntry, entry_of
from operators.reason_codes import TIME_SPENT, TOO_FEW_SLICES, UNEXPECTED_ERROR
from operators.sources.source import Source
from operators.time_budget import TimeSpentError

Result = TypeVar("Result")


def within_boundary(source: Source, work: Callable[[], Result]) -> Result | LedgerEntry:
    """Return what ``work`` returns, or the entry that says why this series was refused or failed."""
    started = time.monotonic()
    try:
        return work()
    except Refusal as refusal:
        entry = entry_of(source, "refused", str(refusal), reason_code=refusal.reason_code)
    except TooFewSlicesError as error:
        entry = entry_of(source, "refused", str(error), reason_code=TOO_FEW_SLICES)
    except TimeSpentError as error:
        entry = entry_of(source, "refused", str(error), reason_code=TIME_SPENT)
    except Exception as error:
        entry = entry_of(source, "failed", describe(error), reason_code=UNEXPECTED_ERROR)
    return replace(entry, seconds=time.monotonic() - started)
