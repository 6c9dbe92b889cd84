"""The errors of this package, one tree.

ScannerError                 anything the user is told in one line, with what to do next
├── UsageError               the command line cannot be carried out (exit 2)
├── ConfigError              the configuration cannot be read or understood (exit 2)
└── ScanError                the scan cannot be done or not be finished (exit 3)
    ├── GitError             git is missing, refused, or failed (exit 3)
    ├── ReplyError           a worker of a fleet replied what is not understood (exit 3)
    └── MissingHistoryError  commits that are needed are not in this clone (exit 3)
"""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.exit_status import ExitStatus


class ScannerError(Exception):
    """A failure that is told in one line.

    `hint` says what the user can do next; it is empty where nothing useful can be said.
    Neither text may hold a value of a credential.
    """

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    @property
    def exit_status(self) -> ExitStatus:
        """The exit status of a program that this error ends."""
        from binance_leaks.exit_status import status_of_error  # start-up: the hook imports this module, no enum

        return status_of_error(self)


class UsageError(ScannerError):
    """The command line names something that cannot be done."""


class ConfigError(ScannerError):
    """A configuration file is unreadable or says something unknown."""


class ScanError(ScannerError):
    """The scan could not be done, or not to its end."""


class GitError(ScanError):
    """git is missing, refuses the repository, or failed."""


class ReplyError(ScanError):
    """What a worker replied of a repository is not what one of this version replies."""


class MissingHistoryError(ScanError):
    """Commits are needed that a clone does not have. `wanted` names them, as `git fetch` takes it."""

    def __init__(self, message: str, *, hint: str, wanted: tuple[str, ...]) -> None:
        super().__init__(message, hint=hint)
        self.wanted = wanted


def describe_fault(error: BaseException) -> str:
    """Name an uncaught fault by its type and the innermost line of this package: `KeyError in binance_leaks.risk:120`.

    Its message is left out: it may hold a value.
    """
    place, trace = "", error.__traceback__
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__"))
        if module == "binance_leaks" or module.startswith("binance_leaks."):
            place = f" in {module}:{trace.tb_lineno}"
        trace = trace.tb_next
    return type(error).__name__ + place
