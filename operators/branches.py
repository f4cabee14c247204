"""The two branches of the graph where they run side by side: a pair of ports for each, so that none waits for another.

With one port for both, Holoscan loses series without an error.
"""

from collections.abc import Callable
from typing import Any

from operators.boundary import within_boundary
from operators.messages import LedgerEntry

BRANCHES = ("volume", "ultrasound")


def add_branches(spec: Any) -> None:
    """Declare an input and an output for each branch; any input is reason enough to run."""
    for branch in BRANCHES:
        spec.input(branch)
        spec.output(branch)
    spec.or_combine_port_conditions(list(BRANCHES))


def pass_on(op_input: Any, op_output: Any, work: Callable[[Any], Any]) -> None:
    """Emit what ``work`` makes of the message of each branch, on the port of its name; entries pass as they are."""
    for branch in BRANCHES:
        message = op_input.receive(branch)
        if message is not None:
            op_output.emit(_outcome(message, work), branch)


def _outcome(message: Any, work: Callable[[Any], Any]) -> Any:
    if isinstance(message, LedgerEntry):
        return message
    return within_boundary(message.source, lambda: work(message))
