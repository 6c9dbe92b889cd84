"""Write results: formats, files, colour, width, exit status."""

from __future__ import annotations

import errno
import io
import os
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from pathlib import Path
from types import MappingProxyType
from typing import TextIO

from binance_leaks.cli.settings import OutputSettings
from binance_leaks.errors import ScanError, UsageError
from binance_leaks.exit_status import ExitStatus, status_of
from binance_leaks.findings import Result
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.report import Format, View, format_named, write_report
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.writing import replace_file

_PROGRAM = "binance-leaks"
_HOOK_MANAGERS = frozenset({"pre-commit", "prek"})
_CI = ("CI", "TF_BUILD", "JENKINS_URL", "BUILD_NUMBER", "TEAMCITY_VERSION", "GITHUB_ACTIONS")
_AFAR = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
_PROGRAMS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "iTerm.app": (3, 1),
        "WezTerm": (0, 0),
        "vscode": (1, 72),
        "ghostty": (0, 0),
        "Hyper": (2, 0),
        "Tabby": (0, 0),
        "rio": (0, 0),
        "tmux": (3, 4),
    }
)
"""By `TERM_PROGRAM`, the first version of `TERM_PROGRAM_VERSION` that has hyperlinks, by its release notes."""

_TERMS = lazy_pattern(r"xterm-kitty|xterm-ghostty|alacritty(-.*)?|foot(-.*)?|contour.*|wezterm|rio")
_DUMB = lazy_pattern(r"dumb|linux|cons25.*|emacs|vt\d.*|unknown|")
_LEAST_VTE = 5001  # 0.50.0 crashed at some links
_MULTIPLEXED = ("screen", "tmux")


def is_in_ci(environment: Mapping[str, str]) -> bool:
    """Whether a CI system runs this."""
    return any(environment.get(name) for name in _CI)


def has_hyperlinks(environment: Mapping[str, str]) -> bool:
    """Whether a terminal with this environment shows links to local files.

    Not in a CI system's log, not in a dumb terminal, and not over ssh, where a link would open a file of another
    machine. `FORCE_HYPERLINK`, as other programs know it, decides what is not known here; 0 is never.
    """
    forced = environment.get("FORCE_HYPERLINK")
    term = environment.get("TERM", "")
    if forced in ("0", "false", "no") or is_in_ci(environment) or any(environment.get(name) for name in _AFAR):
        return False
    if environment.get("WT_SESSION"):  # Windows sets no TERM
        return True
    if _DUMB.fullmatch(term):
        return False
    return bool(forced) or _is_known(environment, term)


def _is_known(environment: Mapping[str, str], term: str) -> bool:
    program = environment.get("TERM_PROGRAM", "")
    if term.startswith(_MULTIPLEXED) and program != "tmux":
        return False  # what the outer terminal can do was inherited
    if program in _PROGRAMS:
        return _version(environment.get("TERM_PROGRAM_VERSION", "")) >= _PROGRAMS[program]
    vte = environment.get("VTE_VERSION", "")
    if vte.isdecimal():
        return int(vte) >= _LEAST_VTE
    known = environment.get("KONSOLE_VERSION") or environment.get("DOMTERM") or _TERMS.fullmatch(term)
    return bool(known)


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"(\d{1,9})(?:\.(\d{1,9}))?", text)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def obeys_escapes(stream: TextIO) -> bool:
    """Whether a stream is a terminal that obeys escape sequences.

    A console of Windows must be switched to them, and may refuse.
    """
    if not stream.isatty():
        return False
    return sys.platform != "win32" or _console_obeys()


if sys.platform == "win32":
    import ctypes

    def _console_obeys() -> bool:
        """Switch the console to escape sequences; works on Windows 10 and newer."""
        output, sequences = -11, 4  # STD_OUTPUT_HANDLE, ENABLE_VIRTUAL_TERMINAL_PROCESSING
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetStdHandle.restype = ctypes.c_void_p
        handle = ctypes.c_void_p(kernel.GetStdHandle(output))
        mode = ctypes.c_ulong()
        if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
            return True  # a terminal that is no console, as those of Cygwin
        return bool(kernel.SetConsoleMode(handle, mode.value | sequences))


_MOST_SUMMARY = 1024 * 1024  # the limit of GitHub, in bytes; it shows nothing of a larger summary
_CUT = "\n\n**This summary was cut**: it is larger than GitHub shows. Another report has the rest.\n"


def refuse_unwritable(files: Sequence[Path]) -> None:
    """Raise ScanError for a file that cannot be written.

    Called before a long scan; touches nothing.
    """
    for file in files:
        problem = _problem(file)
        if problem:
            raise _unwritable(file, problem)


def write_file(file: Path, text: str) -> None:
    """Write a report as UTF-8: a reader sees the old file or the whole new one.

    Raises ScanError where it cannot.

    A pipe, and a file in a read-only folder, are written in place.
    """
    data = text.encode()
    try:
        target = Path(os.path.realpath(file))
        if (file.is_file() or not file.exists()) and os.access(target.parent, os.W_OK):
            replace_file(target, data)
        else:
            _write_in_place(file, data)
    except OSError as error:
        why = "nothing reads this pipe" if error.errno == errno.ENXIO else error.strerror
        raise _unwritable(file, why or type(error).__name__) from None


def _write_in_place(file: Path, data: bytes) -> None:
    """Write over what is there, without waiting for somebody to read a pipe."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(file, flags, 0o666)
    with open(descriptor, "wb") as stream:  # noqa: PTH123
        if sys.platform != "win32":
            os.set_blocking(descriptor, True)
        stream.write(data)


def append_summary(file: Path, text: str) -> None:
    """Append to the step summary of GitHub Actions, at most as much as GitHub shows; all of that, or nothing.

    Raises ScanError where it cannot.
    """
    data = text.encode()
    try:
        size = file.stat().st_size if file.exists() else 0
        if size + len(data) > _MOST_SUMMARY:
            data = _cut(data, _MOST_SUMMARY - size)
        with file.open("ab", buffering=0) as stream:
            try:
                _write_all(stream, data)
            except OSError:
                stream.truncate(size)
                raise
    except OSError as error:
        raise ScanError(f"step summary {file} cannot be written: {error.strerror or type(error).__name__}") from None


def _write_all(stream: io.FileIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]


def _cut(data: bytes, room: int) -> bytes:
    """Return whole lines and a note that the rest is missing; nothing where there is no room for that."""
    note = _CUT.encode()
    end = data.rfind(b"\n", 0, max(room - len(note), 0))
    return data[:end] + note if end > 0 else b""


def _problem(file: Path) -> str:
    try:
        if file.is_dir():
            return "it is a folder"
        if not file.parent.is_dir():
            return f"there is no folder {file.parent}"
        with suppress(FileNotFoundError):
            file.stat()  # what is wrong with a name, which Python 3.14 takes for that of no file
            return "" if os.access(file, os.W_OK) else "it is read-only"
        return (
            "" if os.access(Path(os.path.realpath(file)).parent, os.W_OK) else f"the folder {file.parent} is read-only"
        )
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or "it is not a valid file name"


def _unwritable(file: Path, why: str) -> ScanError:
    return ScanError(f"report {file} cannot be written: {why}")


def wanted_formats(output: OutputSettings) -> list[tuple[Format, Path | None]]:
    """The wanted formats, each with its file; by default `text` to standard output.

    Raises UsageError for an unknown one, or for two that would share standard output or a file, and ScanError for a
    file that cannot be written, before anything is scanned.
    """
    wanted = []
    for text in output.format or ["text"]:
        name, _, file = text.partition(":")
        wanted.append((format_named(name), Path(file) if file and file != "-" else None))
    if output.output is not None:
        if output.output == "":
            raise UsageError("--output is empty", hint="Is a variable unset?")
        if len(wanted) > 1 or wanted[0][1] is not None:
            raise UsageError("--output is for a single format", hint="Write --format NAME:FILE for each format.")
        wanted = [(wanted[0][0], Path(output.output) if output.output != "-" else None)]
    if sum(1 for _, file in wanted if file is None) > 1:
        raise UsageError("two formats would go to standard output", hint="Give one a file: --format json:report.json")
    files = [file for _, file in wanted if file is not None]
    if len({os.path.realpath(file) for file in files}) < len(files):
        raise UsageError("two formats would go to one file", hint="Give each a file of its own.")
    refuse_unwritable(files)
    return wanted


def present(
    result: Result,
    output: OutputSettings,
    formats: list[tuple[Format, Path | None]],
    *,
    folder: str | None = None,
    remembered: bool = False,
    allow_incomplete: bool = False,
    interrupted: bool = False,
    only_changes: bool = False,
) -> ExitStatus:
    """Write the result in every wanted format, and return the exit status.

    The paths of the result lead to files from `folder`; None where there are no such files. `remembered` is True
    if `allow` knows the findings by their ids. `interrupted` is True if the user interrupted this very scan: a stored
    report of such a scan is only incomplete. `only_changes` is True for a comparison of two runs.
    """
    moment = datetime.now(timezone.utc)
    result = result.without_secrets()
    for report, file in formats:
        view = View(
            width=page_width() if file is None else 100,
            color=file is None and colored(output.color),
            show_suppressed=output.show_suppressed,
            verbose=output.verbose,
            moment=moment,
            folder=_linked(folder, output.color) if file is None else None,
            program=program_command(os.environ) if report.for_people and result.findings else _PROGRAM,
            remembered=remembered,
            only_changes=only_changes,
        )
        if file is not None:
            write_file(file, report.render(result, view))
        elif not (output.quiet and report.for_people and not result.findings and result.complete):
            write_report(report.render(result, view), sys.stdout)
        if report.name == "github" and (summary := os.environ.get("GITHUB_STEP_SUMMARY")):
            _summarize(Path(summary), format_named("markdown").render(result, view))
    return status_of(result, allow_incomplete=allow_incomplete, interrupted=interrupted)


def program_command(environment: Mapping[str, str]) -> str:
    """Return what a user types to start this program: its name, or where it is not in the PATH, what works as it is.

    While pre-commit and prek run a hook, the folder of the hook's own environment is in the PATH.
    """
    import shutil  # start-up: as in page_width

    own = Path(sys.prefix, "Scripts" if sys.platform == "win32" else "bin")
    path = environment.get("PATH", os.defpath).split(os.pathsep)
    if _HOOK_MANAGERS.intersection(own.parts):
        path = [each for each in path if os.path.realpath(each) != os.path.realpath(own)]
    if shutil.which(_PROGRAM, path=os.pathsep.join(path)):
        return _PROGRAM
    if beside := shutil.which(_PROGRAM, path=str(own)):
        return shlex.quote(beside)
    return f"{shlex.quote(sys.executable)} -I -m binance_leaks"


def _summarize(file: Path, text: str) -> None:
    """Append to a step summary. A failure is only a warning, as the report is in other places too."""
    try:
        append_summary(file, text)
    except ScanError as error:
        sys.stderr.write(f"binance-leaks: warning: {without_values(printable(str(error)))}\n")


def page_width() -> int:
    """Columns of the terminal, 80 where there is none."""
    import shutil  # start-up: it imports what reads archives, and a report for machines has no width

    return max(20, shutil.get_terminal_size((80, 24)).columns)


def colored(choice: str) -> bool:
    """Whether standard output is coloured: by choice, or with `auto` on a terminal that wants it."""
    if choice != "auto":
        return choice == "always"
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return obeys_escapes(sys.stdout)


def _linked(folder: str | None, choice: str) -> str | None:
    """The folder from which a report links to files, if the terminal has hyperlinks."""
    if folder is None or choice == "never" or not has_hyperlinks(os.environ) or not obeys_escapes(sys.stdout):
        return None
    return os.path.abspath(folder).replace(os.sep, "/")  # noqa: PTH100 - as text: it may hold any bytes
