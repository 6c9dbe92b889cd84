"""The command line: run one command and return its exit status.

It never shows a traceback.
"""

from __future__ import annotations

import gc
import io
import os
import sys

from binance_leaks.errors import ScannerError, TimeLimitError, UsageError, describe_fault

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn

    from binance_leaks.cli.arguments.common import Options

_ALLOCATIONS = 100_000
"""Objects between two searches for garbage. Imports make many that stay, and the detector leaves no cycles: by default,
of 700, the searches take a tenth."""
_LAST_STREAM = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    0 clean, 1 findings, 2 usage or configuration, 3 incomplete or failed, 130 interrupted.

    Without arguments it is the program: it reads `sys.argv`, imports nothing more from the folder it is run in, and
    ends the process.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    if arguments is None:
        _buffer_streams()
    status = _run_or_report_fault(words, isolate=arguments is None and not sys.flags.isolated)
    if arguments is None:
        _end(status)
    return status


def _run_or_report_fault(words: list[str], *, isolate: bool) -> int:
    _open_closed_streams()
    try:
        if isolate:
            _trust_only_installed_packages()
        return _run_and_report_errors(words)
    except Exception as error:  # of a report of an error, too, where packages are damaged
        return _report_fault(words, error)


def _end(status: int) -> NoReturn:
    """End the process without freeing every object first, which takes a tenth of a clean commit."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # the reader is gone
        pass
    os._exit(status)


def _run_and_report_errors(words: list[str]) -> int:
    try:
        status = _run(words)
        sys.stdout.flush()
    except ScannerError as error:
        _print_error(f"binance-leaks: {error}", error.hint)
        _annotate(words, str(error), error.hint)
        return _status_of(error)
    except TimeLimitError as error:
        _print_error(f"binance-leaks: {error}", "Raise --time-limit, or scan less at a time.")
        _annotate(words, str(error), "")
        return _status_of(error)
    except KeyboardInterrupt as error:
        _print_error("binance-leaks: interrupted", "")
        return _status_of(error)
    except BrokenPipeError as error:
        _close_output()
        return _status_of(error)
    except MemoryError as error:
        _print_error(
            "binance-leaks: out of memory; the scan is incomplete", "Scan fewer paths at a time, or use --jobs 1."
        )
        return _status_of(error)
    except OSError as error:
        _print_error(f"binance-leaks: {_one_line(error)}", "")
        return _status_of(error)
    return status


def _trust_only_installed_packages() -> None:
    """Take the folder that is scanned off the import path, where `python -m` or PYTHONPATH put it there."""
    if "PYTHONPATH" in os.environ or sys.argv[0].endswith("__main__.py"):
        from binance_leaks.isolation import trusted_import_path  # start-up: only where the environment is unusual

        sys.path[:] = trusted_import_path()


def _report_fault(words: list[str], error: Exception) -> int:
    """Print where a fault of ours happened, not its message, which may hold a value. Never the status of findings.

    It needs no other module, as one may be what is missing.
    """
    message = f"internal error: {describe_fault(error)}"
    hint = "The scan did not finish. Please report the line above and the output of `binance-leaks --version`."
    if isinstance(error, ImportError) and not (error.name or "").startswith("binance_leaks"):
        hint = "A package that binance-leaks needs is missing or damaged: install binance-leaks again."
    try:
        sys.stderr.write(f"binance-leaks: {message}\n  {hint}\n")
        _annotate(words, message, hint)
    except Exception:
        return 3
    return 3  # ExitStatus.INCOMPLETE


def _buffer_streams() -> None:
    """Buffer output even where Python was asked not to (`python -u`): what a short write leaves over would be lost."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is not None and isinstance(stream.buffer, io.RawIOBase):
            same = (stream.fileno(), "w", 1, stream.encoding, stream.errors)
            setattr(sys, name, open(*same, closefd=False))  # noqa: SIM115


def _open_closed_streams() -> None:
    """A program that was started with its output closed (`>&-`) has None in its place.

    No file of ours may get the number of a stream: what prints to that would write into it.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        while (null := os.open(os.devnull, os.O_RDWR)) <= _LAST_STREAM:
            pass
        os.close(null)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123


def _run(words: list[str]) -> int:
    contents = None
    if words[:1] == ["staged"]:
        _refuse_ambiguous(words)
        if _report_clean_commit(words[1:]):
            return 0
    elif words[:1] == ["range"]:
        from binance_leaks.cli.clean_range import report_clean_range  # start-up: as a clean commit

        is_clean, contents = report_clean_range(words[1:])
        if is_clean:
            return 0
    elif words[:1] == ["agent-hook"]:
        from binance_leaks.cli.agent_hook import answer_event  # start-up: as a clean commit

        return answer_event(words[1:])
    gc.set_threshold(_ALLOCATIONS)
    from binance_leaks.cli.parser import parse  # start-up: argparse and the rest only where there is more to do

    options = parse(words)
    options.contents = contents
    if options.time_limit is None:
        return _run_command(options)
    from binance_leaks.cli.time_limit import TimeLimit  # start-up: only where one is given

    with TimeLimit(options.time_limit).running() as options.limit:
        return _run_command(options)


def _run_command(options: Options) -> int:
    if "pictures" not in options:
        return options.run(options)
    from binance_leaks.cli.pictures import pictures_read  # start-up: no clean commit gets here

    with pictures_read(options.pictures, quick=options.quick_pictures):
        return options.run(options)


def _report_clean_commit(words: list[str]) -> bool:
    """Report a commit without a credential. Return False for one that must be looked at properly."""
    at = words.index("--") if "--" in words else len(words)
    options = {word for word in words[:at] if word.startswith("-")}
    if not options <= {"-q", "--quiet"} or "PRE_COMMIT_FROM_REF" in os.environ:
        return False
    from binance_leaks.sources.staged_fast_path import (  # start-up: all that a clean commit imports
        count_clean_files,
        format_clean_commit,
    )

    count = count_clean_files([word for word in words[:at] if word not in options] + words[at + 1 :])
    if count is None:
        return False
    if not options:
        sys.stdout.write(format_clean_commit(count))
    return True


def _refuse_ambiguous(words: list[str]) -> None:
    """Refuse a word that is both an option and a file, as when pre-commit passes a file called `-q` without `--`."""
    for word in words[1:]:
        if word == "--":
            return
        if word.startswith("-") and os.path.lexists(word):
            raise UsageError(f"{word} is an option and a file", hint="Put -- before the names of files.")


def _close_output() -> None:
    """Discard further output: the program that read it is gone."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, sys.stdout.fileno())


def _status_of(error: BaseException) -> int:
    from binance_leaks.exit_status import status_of_error  # start-up: only for errors

    return status_of_error(error)


def _print_error(message: str, hint: str) -> None:
    """Print to standard error, one line each, without a value that the user may have passed as an argument."""
    from binance_leaks.report.sanitize import printable, without_values  # start-up: only for errors

    for line in (message, f"  {hint}" if hint else ""):
        if line:
            print(without_values(printable(line)), file=sys.stderr)  # noqa: T201


def _annotate(words: list[str], message: str, hint: str) -> None:
    """Report an error to GitHub Actions too, if its format goes to standard output: else it shows a status only."""
    after = {word for before, word in zip(["", *words], words, strict=False) if before == "--format"}
    if "--format=github" in words or "github" in after:
        from contextlib import suppress  # start-up: only for errors

        from binance_leaks.report import write_report  # as above
        from binance_leaks.report.github import render_failure  # as above
        from binance_leaks.report.sanitize import printable, without_values  # as above

        with suppress(OSError):  # the reader is gone; standard error has the message
            write_report(
                render_failure(without_values(printable(message)), without_values(printable(hint))), sys.stdout
            )
            sys.stdout.flush()


def _one_line(error: OSError) -> str:
    what = f"{error.filename}: " if error.filename else ""
    return f"{what}{error.strerror or type(error).__name__}"
