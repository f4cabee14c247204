"""The exit codes of the application, which hosts act upon."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit code of the process, unless a signal ends it."""

    WRITTEN = 0  # at least one series, and none failed
    CRASHED = 1  # this program itself
    UNUSABLE = 2  # arguments, settings or paths
    NOTHING_WRITTEN = 3  # and none failed: nothing to process, or all refused
    FAILED = 4  # any series
