"""The errors of this package, one tree.

ScannerError                 anything reported to the user in one line, with what to do next
├── UsageError               the command line cannot be carried out (exit 2)
├── ConfigError              the configuration cannot be read or is invalid (exit 2)
└── ScanError                the scan cannot be done or finished (exit 3)
    ├── GitError             git is missing, refused, or failed (exit 3)
    │   └── GitLimitError    git needs more memory or writes more than is bearable (exit 3)
    ├── ReplyError           the reply of a fleet's worker is invalid (exit 3)
    └── MissingHistoryError  commits that are needed are not in this clone (exit 3)

TimeLimitError is an interrupt, by the clock: what handles those keeps what was found (exit 3).
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.exit_status import ExitStatus

_SHORTEST_VALUE = 64


class ScannerError(Exception):
    """A failure that is reported in one line.

    `hint` is what the user can do next, or empty. What looks like a value of a credential is masked in both.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(_without_values(message))
        self.hint = _without_values(hint)

    @property
    def exit_status(self) -> ExitStatus:
        """The exit status of a program that this error ends."""
        from binance_leaks.exit_status import status_of_error  # start-up: the hook imports this module, no enum

        return status_of_error(self)


def _without_values(text: str) -> str:
    """The text without values: names of files and settings that are quoted in it may hold some."""
    if len(text) < _SHORTEST_VALUE:
        return text
    # start-up: the hook imports this module, and raises no error
    from binance_leaks.scattered_values import mask_values

    return mask_values(text)


class UsageError(ScannerError):
    """The command line asks for something that cannot be done."""


class ConfigError(ScannerError):
    """A configuration file cannot be read, or is invalid."""


class ScanError(ScannerError):
    """The scan could not be done or finished."""


class GitError(ScanError):
    """git is missing, refuses the repository, or failed."""


class GitLimitError(GitError):
    """git was ended because it needed too much memory, or wrote too much."""


class TimeLimitError(KeyboardInterrupt):
    """The time limit of a command is over."""


class ReplyError(ScanError):
    """The reply of a worker does not have the format of this version."""


class MissingHistoryError(ScanError):
    """A clone lacks commits that are needed. `wanted` are their names for `git fetch`."""

    def __init__(self, message: str, *, hint: str, wanted: tuple[str, ...]) -> None:
        super().__init__(message, hint=hint)
        self.wanted = wanted


def describe_fault(error: BaseException) -> str:
    """Name a fault by type and line, such as `KeyError in binance_leaks.risk:120`.

    The line is the innermost one of this package. The message is left out: it may contain a value.
    """
    place, trace = "", error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        if module == "binance_leaks" or module.startswith("binance_leaks."):
            place = f" in {module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return type(error).__name__ + place
