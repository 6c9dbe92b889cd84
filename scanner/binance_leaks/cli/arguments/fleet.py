"""Commands over many repositories: `fleet scan`, `fleet report`, `fleet list`, `fleet diff`."""

from __future__ import annotations

import argparse
import re

from binance_leaks.cli.arguments.common import (
    EPILOG,
    add_confidence,
    add_config,
    add_fail_on,
    add_format,
    add_look,
    add_verify,
    jobs,
)

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Sequence

    from binance_leaks.cli.arguments.common import Commands, Options, Parser

ACTIONS = ("scan", "report", "list", "diff")
_DURATION = re.compile(r"([0-9]{1,9})([smhd]?)")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
_SIZE = re.compile(r"([0-9]{1,9})([KMGT])i?B?", re.IGNORECASE)
_SHIFT = {"K": 10, "M": 20, "G": 30, "T": 40}


def with_action(words: Sequence[str]) -> list[str]:
    """The command line with `scan` put in where `fleet` is followed by no action."""
    if words[:1] == ["fleet"] and (len(words) == 1 or words[1] not in (*ACTIONS, "-h", "--help")):
        return ["fleet", "scan", *words[1:]]
    return list(words)


def add_fleet(commands: Commands) -> None:
    fleet = commands.add_parser(
        "fleet",
        help="scan the history of many repositories, here or on a Dask cluster",
        description="Scans everything that many repositories ever held, and reports each credential once, with all\n"
        "repositories that hold it. `fleet LIST` is short for `fleet scan LIST`.",
        epilog="examples:\n"
        "  binance-leaks fleet repositories.txt --store fleet.db\n"
        "  binance-leaks fleet report --store fleet.db --format html:fleet.html\n"
        "  binance-leaks fleet diff --store fleet.db",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = fleet.add_subparsers(metavar="ACTION", required=True, prog="binance-leaks fleet")
    _add_scan(actions)
    _add_report(actions)
    _add_list(actions)
    _add_diff(actions)


def _add_scan(actions: Commands) -> None:
    scan = actions.add_parser(
        "scan",
        help="scan all repositories of a list or a folder",
        description="Scans the repositories that lists name, that folders hold, or that are given. A list has a path\n"
        "or URL a line, or is what a forge exports as JSON or CSV; - is standard input.",
        epilog="examples:\n"
        "  binance-leaks fleet scan repositories.txt --store fleet.db\n"
        "  binance-leaks fleet scan ~/src --format html:fleet.html\n"
        "  gh repo list my-org --limit 1000 --json nameWithOwner,url,diskUsage | binance-leaks fleet scan -\n"
        "  binance-leaks fleet scan --store fleet.db --resume\n"
        f"  binance-leaks fleet scan repositories.txt --scheduler tcp://192.0.2.1:8786\n\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    scan.add_argument(
        "lists", nargs="*", metavar="LIST|DIR|URL", help="list of repositories, folder to search, URL, or -"
    )
    scan.add_argument("--ssh", action="store_true", help="of what a forge exports, take the URLs for ssh")
    what = scan.add_argument_group("what of them")
    what.add_argument("--reachable", action="store_true", help="only what branches, tags and other refs reach")
    what.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="leave out paths, as in .gitignore; repeatable"
    )
    store = scan.add_argument_group("what is remembered")
    store.add_argument(
        "--store", metavar="FILE", help="remember everything there; the next run scans what is new, and says what is"
    )
    store.add_argument("--resume", action="store_true", help="go on with the run of the store that ended early")
    store.add_argument("--rescan", action="store_true", help="read everything again, whatever is remembered")
    work = scan.add_argument_group("how")
    where = work.add_mutually_exclusive_group()
    where.add_argument(
        "--jobs", type=jobs, default=0, metavar="N", help="repositories at a time on this machine (default: one a core)"
    )
    where.add_argument("--scheduler", metavar="ADDRESS", help="the workers of this Dask scheduler: tcp://HOST:PORT")
    work.add_argument(
        "--time-limit",
        type=_duration,
        default=3600,
        metavar="TIME",
        help="for one repository, as 90s, 30m (default: 1h)",
    )
    work.add_argument(
        "--clone-limit", type=_size, default=20 << 30, metavar="SIZE", help="disk for one clone, as 500M (default: 20G)"
    )
    work.add_argument(
        "--retries", type=_retries, default=2, metavar="N", help="further attempts at a repository (default: 2)"
    )
    work.add_argument("--allow-incomplete", action="store_true", help="do not fail because of what could not be read")
    work.add_argument("--no-progress", action="store_true", help="no progress display, even on a terminal")
    add_format(scan)
    add_confidence(scan)
    add_fail_on(scan)
    add_config(scan)
    add_look(scan)
    add_verify(scan)
    scan.set_defaults(run=_scan)


def _add_report(actions: Commands) -> None:
    report = actions.add_parser(
        "report",
        help="report a run of the store again, in any format",
        description="Reports what a run found, the last one unless another is named.",
        epilog="examples:\n"
        "  binance-leaks fleet report --store fleet.db\n"
        f"  binance-leaks fleet report --store fleet.db --run 1 --format json:run-1.json\n\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_store(report)
    report.add_argument("--run", type=_run, dest="run_id", metavar="RUN", help="this run (default: the last one)")
    report.add_argument("--allow-incomplete", action="store_true", help="do not fail because of what could not be read")
    _add_judgement(report)
    report.set_defaults(run=_report)


def _add_list(actions: Commands) -> None:
    listed = actions.add_parser(
        "list",
        help="list the repositories, runs or credentials of the store",
        description="Lists what the store holds: repositories with their state, runs, or credentials.",
        epilog="examples:\n"
        "  binance-leaks fleet list --store fleet.db\n"
        "  binance-leaks fleet list runs --store fleet.db\n"
        "  binance-leaks fleet list credentials --store fleet.db --format json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    listed.add_argument(
        "what",
        nargs="?",
        choices=("repositories", "runs", "credentials"),
        default="repositories",
        help="what is listed (default: repositories)",
    )
    _add_store(listed)
    listed.add_argument("--run", type=_run, dest="run_id", metavar="RUN", help="as of this run (default: the last one)")
    listed.add_argument(
        "--format", choices=("text", "json"), default="text", dest="list_format", help="(default: text)"
    )
    listed.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour (default: on a terminal)"
    )
    listed.set_defaults(run=_list)


def _add_diff(actions: Commands) -> None:
    diff = actions.add_parser(
        "diff",
        help="compare two runs: what is new, still there, gone",
        description="Compares two runs of the store: the last two that came to their ends, one with the last, or two.",
        epilog="examples:\n"
        "  binance-leaks fleet diff --store fleet.db\n"
        "  binance-leaks fleet diff 1 2 --store fleet.db --format html:since-run-1.html\n\n"
        "exit status: 0 nothing new at or above the gate, 1 something new, or in more repositories, 2 usage,\n"
        "3 incomplete or failed, 130 interrupted",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    diff.add_argument(
        "runs", nargs="*", type=_run, metavar="RUN", help="the earlier, and the later one (default: the last)"
    )
    _add_store(diff)
    diff.add_argument("--allow-incomplete", action="store_true", help="do not fail because of what could not be read")
    _add_judgement(diff)
    diff.set_defaults(run=_diff)


def _add_store(parser: Parser) -> None:
    parser.add_argument("--store", required=True, metavar="FILE", help="the store that `fleet scan --store` wrote")


def _add_judgement(parser: Parser) -> None:
    add_format(parser)
    add_confidence(parser)
    add_fail_on(parser)
    add_config(parser)
    add_look(parser)


def _duration(text: str) -> int:
    match = _DURATION.fullmatch(text)
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError("must be a time such as 90s, 30m or 2h")
    return int(match[1]) * _SECONDS[match[2]]


def _size(text: str) -> int:
    match = _SIZE.fullmatch(text)
    if match is None or not int(match[1]):
        raise argparse.ArgumentTypeError("must be a size such as 500M or 20G")
    return int(match[1]) << _SHIFT[match[2].upper()]


def _retries(text: str) -> int:
    if not text.isdecimal() or int(text) > 100:
        raise argparse.ArgumentTypeError("must be a number from 0 to 100")
    return int(text)


def _run(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 2**31:
        raise argparse.ArgumentTypeError("must be the number of a run; `fleet list runs` tells them")
    return int(text)


# Each command is imported when it is run: start-up time of the hook.


def _scan(options: Options) -> int:
    from binance_leaks.cli.fleet.scan import run

    return run(options)


def _report(options: Options) -> int:
    from binance_leaks.cli.fleet.report import run

    return run(options)


def _list(options: Options) -> int:
    from binance_leaks.cli.fleet.list import run

    return run(options)


def _diff(options: Options) -> int:
    from binance_leaks.cli.fleet.report import run_diff

    return run_diff(options)
