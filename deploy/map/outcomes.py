"""Checks and their outcome: one line for each, and a closing line that counts them."""

import sys
from collections.abc import Callable

Outcome = bool | tuple[bool, str]  # whether it holds, and what was found


class Report:
    """Counts as it prints."""

    def __init__(self) -> None:
        self.checks = 0
        self.failed = 0

    def check(self, demand: str, judge: Callable[[], Outcome]) -> None:
        """Print whether ``judge`` finds the demand met; what it can't judge has failed."""
        self.checks += 1
        try:
            outcome = judge()
        except (OSError, ValueError, KeyError, TypeError, AttributeError, IndexError, TimeoutError) as error:
            outcome = False, f"{type(error).__name__}: {error}"
        met, found = outcome if isinstance(outcome, tuple) else (outcome, "")
        self.failed += not met
        print(f"{'ok    ' if met else 'FAILED'} {demand}{'' if met or not found else f': {found}'}", flush=True)

    def close(self) -> int:
        """The closing line and the exit code."""
        print(f"{self.checks} checks, {self.failed} failed, 0 skipped", flush=True)
        sys.stdout.flush()
        return int(self.failed > 0)
