"""Why a figure or a validation can't be had."""


class NotMeasuredError(ValueError):
    """A figure that can't be had from this run, with the reason; `counts` says whether that fails its requirement."""

    def __init__(self, reason: str, counts: bool = True) -> None:
        super().__init__(reason)
        self.counts = counts
