"""What a GPU is asked for, counted on a processor: operations launched, waits for a value, and bytes that they move.

Every launch from Python costs a GPU's host 5 to 10 microseconds, and every value that is read back lets it run dry.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

VIEWS = {  # allocate or describe memory, but launch nothing
    *("_reshape_alias", "_unsafe_view", "alias", "as_strided", "detach", "diagonal", "expand", "lift_fresh", "permute"),
    *("select", "slice", "split", "split_with_sizes", "squeeze", "t", "transpose", "unbind", "unfold", "unsqueeze"),
    *("view", "empty", "empty_strided", "empty_like", "new_empty", "new_empty_strided"),
}
WAITS = ("_local_scalar_dense", "masked_select", "nonzero", "_unique2")  # what their size or value is
READ_BACK = ("cpu", "tolist")


class Launches(TorchDispatchMode):
    """Counts while it is entered; in the thread that entered it.

    Attributes:
        launched: operations by name.
        waits: operations and calls that wait for a value or copy to the host, by name.
        moved: bytes read and written by the operations, where each argument is read once.
    """

    def __init__(self) -> None:
        super().__init__()
        self.launched: Counter[str] = Counter()
        self.waits: Counter[str] = Counter()
        self.moved = 0
        self._calls = _Calls(self.waits)

    def __enter__(self) -> "Launches":
        """Begin to count."""
        self._calls.__enter__()
        super().__enter__()
        return self

    def __exit__(self, *reason: Any) -> None:
        """Stop counting."""
        super().__exit__(*reason)
        self._calls.__exit__(*reason)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Count one operation and run it."""
        result = func(*args, **(kwargs or {}))
        if isinstance((kwargs or {}).get("generator"), torch.Generator):
            return result  # drawn by the host's generator
        name = func._schema.name.removeprefix("aten::")
        tensors = [each for each in tree_leaves((args, kwargs, result)) if isinstance(each, torch.Tensor)]
        masked = name.startswith("index") and any(each.dtype is torch.bool and each.dim() for each in tensors[1:])
        if name in WAITS or masked:
            self.waits[name] += 1
        if name not in VIEWS and not name.startswith("profiler::"):
            self.launched[name] += 1
            self.moved += sum(map(_bytes, tensors))
        return result


def _bytes(tensor: torch.Tensor) -> int:
    """Return the bytes of a tensor; windows that overlap in memory are read once."""
    return min(tensor.numel() * tensor.element_size(), tensor.untyped_storage().nbytes())


class InLine(Executor):
    """A pool that works in the calling thread, where everything is counted."""

    def map(self, fn: Callable[..., Any], *iterables: Iterable[Any], **_: Any) -> Iterator[Any]:
        """Return the results one by one."""
        return map(fn, *iterables)


class _Calls(TorchFunctionMode):
    """Counts what is read back to the host, which no operation shows on a processor."""

    def __init__(self, waits: Counter[str]) -> None:
        super().__init__()
        self.waits = waits

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in READ_BACK:
            self.waits[name] += 1
        return func(*args, **(kwargs or {}))
