"""The parser class, and options that several commands share."""

from __future__ import annotations

import argparse

from binance_leaks.errors import UsageError
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.report import FORMAT_NAMES

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import NoReturn, TypeAlias

    from binance_leaks.agents.event import AgentEvent
    from binance_leaks.cli.time_limit import TimeLimit
    from binance_leaks.sources.range_fast_path import RangeContents

CONFIDENCES = ("low", "medium", "high")
FORMAT_METAVAR = "NAME[:FILE]"
EXIT_STATUS = (
    "exit status: 0 nothing found, 1 findings, 2 usage or configuration, 3 incomplete or failed, 130 interrupted"
)
_RISKS = ("none", "info", "low", "medium", "high", "critical")
_COLORS = ("auto", "always", "never")
_DURATION = lazy_pattern(r"([0-9]{1,9})([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}


class Parser(argparse.ArgumentParser):
    """A parser that raises its errors, suggests names, and prints help in colour."""

    def commands(self) -> Mapping[str, Parser]:
        """The parsers of its commands, by name."""
        return {
            name: parser
            for action in self._actions
            if isinstance(action, argparse._SubParsersAction)
            for name, parser in action.choices.items()
        }

    def leaves(self) -> Iterator[Parser]:
        """The parsers of the commands that have no commands of their own."""
        for parser in self.commands().values():
            yield from parser.leaves() if parser.commands() else (parser,)

    def all_actions(self) -> Iterator[argparse.Action]:
        """Its options and arguments, and those of all commands below."""
        yield from self._actions
        for parser in self.commands().values():
            yield from parser.all_actions()

    def error(self, message: str) -> NoReturn:
        """Raise UsageError; argparse itself would print and exit."""
        raise UsageError(message, hint=f"See {self.prog} --help.")

    def parse_known_args(  # type: ignore[override]  # its overloads cannot be repeated
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Parse, and refuse unknown options where the command they were given to is known."""
        parsed, rest = super().parse_known_args(args, namespace)
        if rest:
            near = _closest(rest[0].partition("=")[0], self._option_string_actions)
            meant = f"Did you mean {near}? " if near else ""
            raise UsageError(f"unrecognized arguments: {' '.join(rest)}", hint=f"{meant}See {self.prog} --help.")
        return parsed, rest

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is None or value in action.choices:
            return
        near = _closest(str(value), map(str, action.choices))
        is_command = isinstance(action, argparse._SubParsersAction)
        meant = f"Did you mean {f'{self.prog} {near}' if is_command else near}? " if near else ""
        if is_command:
            raise UsageError(f"unknown command: {self.prog} {value}", hint=f"{meant}See {self.prog} --help.")
        name = "/".join(action.option_strings) or action.metavar or action.dest
        choices = ", ".join(map(str, action.choices))
        raise UsageError(
            f"argument {name}: invalid choice: {value!r} (choose from {choices})",
            hint=f"{meant}See {self.prog} --help.",
        )

    def format_help(self) -> str:
        """Return the help, in colour where standard output shows it."""
        from binance_leaks.cli.help import HelpFormatter  # start-up: argparse makes a formatter for every option

        self.formatter_class = HelpFormatter
        return super().format_help()


def _closest(word: str, known: Iterable[str]) -> str | None:
    import difflib  # start-up: only for errors

    return next(iter(difflib.get_close_matches(word, list(known), n=1)), None)


if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[Parser]


class Options(argparse.Namespace):
    """The parsed command line.

    Commands turn it into settings at once; `run` carries the command out.
    """

    run: Callable[[Options], int]
    target: str
    pictures: str | None
    quick_pictures: bool
    contents: RangeContents | None = None
    """What was read of a range before the command line was parsed."""
    time_limit: int | None = None
    """Seconds after which a scan ends."""
    limit: TimeLimit | None = None
    event: AgentEvent | None = None
    """The event of an agent that was read before the command line was parsed."""


def add_output(parser: Parser) -> None:
    """Add what is printed, where, and how it looks."""
    group = parser.add_argument_group("output")
    add_format(group)
    group.add_argument("-v", "--verbose", action="store_true", help="show digests and everything that is folded")
    group.add_argument("-q", "--quiet", action="store_true", help="print nothing if there are no findings")
    group.add_argument("--show-suppressed", action="store_true", help="list suppressed findings too")
    add_color(group)


def add_format(group: argparse._ArgumentGroup) -> None:
    """Add `--format` and `--output`."""
    names = ", ".join(FORMAT_NAMES[:-1])
    group.add_argument(
        "--format",
        action="append",
        default=[],
        metavar=FORMAT_METAVAR,
        help=f"{names} or {FORMAT_NAMES[-1]} (default: text), written to FILE if given; repeatable",
    )
    group.add_argument("-o", "--output", metavar="FILE", help="write the report there; for a single --format")


def add_color(group: argparse._ArgumentGroup) -> None:
    """Add `--color` and `--no-color`."""
    group.add_argument("--color", choices=_COLORS, default="auto", help="color (default: auto, on a terminal)")
    group.add_argument("--no-color", action="store_const", const="never", dest="color", help="same as --color never")


def add_no_progress(group: argparse._ArgumentGroup) -> None:
    """Add `--no-progress`."""
    group.add_argument("--no-progress", action="store_true", help="show no progress bar, even on a terminal")


def add_time_limit(group: argparse._ArgumentGroup, default: int | None = None) -> None:
    """Add `--time-limit`, with a default in seconds."""
    group.add_argument(
        "--time-limit",
        type=duration,
        default=default,
        metavar="TIME",
        help="end after this time, such as 90s or 5m, report what was found, and exit with 3 "
        f"(default: {f'{default}s' if default else 'none'})",
    )


def add_gate(
    parser: Parser, *, baseline: bool = True, config: str = "use this configuration file"
) -> argparse._ArgumentGroup:
    """Add options for what is reported and what fails the gate."""
    group = parser.add_argument_group("gate")
    add_fail_on(group)
    add_confidence(group)
    if baseline:
        known = group.add_mutually_exclusive_group()
        known.add_argument("--baseline", metavar="FILE", help="suppress the findings in this baseline")
        known.add_argument("--no-baseline", action="store_true", help="ignore the configured baseline")
    add_config(group, config)
    return group


def add_fail_on(group: argparse._ArgumentGroup, default: str = "any finding") -> None:
    """Add `--fail-on` and `--exit-zero`."""
    group.add_argument(
        "--fail-on", choices=_RISKS, metavar="RISK", help=f"lowest risk that fails, or none (default: {default})"
    )
    group.add_argument("--exit-zero", action="store_const", const="none", dest="fail_on", help="same as --fail-on none")


def add_confidence(group: argparse._ArgumentGroup, verb: str = "reported") -> None:
    """Add `--confidence`."""
    group.add_argument("--confidence", choices=CONFIDENCES, help=f"lowest confidence {verb} (default: medium)")


def add_config(group: argparse._ArgumentGroup, help: str = "use this configuration file") -> None:
    """Add `--config`."""
    group.add_argument("--config", metavar="FILE", help=help)


def add_allow_incomplete(group: argparse._ArgumentGroup) -> None:
    """Add `--allow-incomplete`."""
    group.add_argument("--allow-incomplete", action="store_true", help="do not fail because something was not read")


def add_exclude(group: argparse._ArgumentGroup) -> None:
    """Add `--exclude`."""
    group.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="skip these paths, as in .gitignore; repeatable"
    )


def add_all_files(group: argparse._ArgumentGroup) -> None:
    """Add `--all-files`."""
    group.add_argument("--all-files", action="store_true", help="read ignored files too, such as a forgotten .env")


def add_pictures(parser: Parser, group: argparse._ArgumentGroup, *, quick: bool = False) -> None:
    """Add `--pictures`; with `quick` a picture is read in at most a second."""
    group.add_argument(
        "--pictures",
        choices=("auto", "on", "off"),
        help="read pictures: auto, if the extra images is installed; on, else fail; off (default: auto)",
    )
    parser.set_defaults(quick_pictures=quick)


def add_jobs(group: argparse._ArgumentGroup, default: str = "one per core") -> None:
    """Add `--jobs`."""
    group.add_argument(
        "--jobs", type=number_of_jobs, default=0, metavar="N", help=f"number of processes (default: {default})"
    )


def add_verification(parser: Parser, *, switch: bool = True) -> None:
    """Add whether and how credentials are checked with Binance.

    `switch` adds `--verify` itself.
    """
    group = parser.add_argument_group("verification")
    if switch:
        group.add_argument(
            "--verify",
            action="store_true",
            help="check with Binance whether each credential is active and what it can do",
        )
    group.add_argument(
        "--verify-limit", type=_credentials, metavar="N", help="check at most N credentials (default: 100)"
    )
    group.add_argument("--verify-cache", metavar="FILE", help="remember verdicts there, by digest, without values")
    group.add_argument("--proxy", metavar="URL", help="use this proxy, which sees only the host name")
    group.add_argument(
        "--proxy-from-environment",
        action="store_true",
        dest="environment_proxy",
        help="use the proxy that HTTPS_PROXY names",
    )
    group.add_argument("--verify-ca", metavar="FILE", help="trust only these certificate authorities")
    group.add_argument(
        "--verify-loopback",
        metavar="URL",
        help="send all requests to this URL on this machine, for rehearsals and tests",
    )


def _credentials(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError("must be a number from 1 to 100000")
    return int(text)


def number_of_jobs(text: str) -> int:
    """Parse `--jobs`."""
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError("must be a number from 1 to 1024")
    return int(text)


def duration(text: str) -> int:
    """Parse a time such as 90s, 30m or 2h; in seconds."""
    match = _DURATION.fullmatch(text)
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError("must be a time such as 90s, 30m or 2h")
    return int(match[1]) * _SECONDS[match[2]]
