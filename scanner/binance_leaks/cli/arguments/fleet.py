"""Arguments of `fleet scan`, `fleet report`, `fleet list` and `fleet diff`."""

from __future__ import annotations

import argparse
import re

from binance_leaks.cli.arguments.common import (
    EXIT_STATUS,
    add_allow_incomplete,
    add_color,
    add_exclude,
    add_gate,
    add_jobs,
    add_no_progress,
    add_output,
    add_verification,
    duration,
)
from binance_leaks.lazy_patterns import lazy_pattern

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Sequence

    from binance_leaks.cli.arguments.common import Commands, Parser

ACTIONS = ("scan", "report", "list", "diff")
_SIZE = lazy_pattern(r"([0-9]{1,9})([KMGT])i?B?", re.IGNORECASE)
_SHIFT = {"K": 10, "M": 20, "G": 30, "T": 40}


def with_action(words: Sequence[str]) -> list[str]:
    """Insert `scan` into a command line in which no action follows `fleet`."""
    if words[:1] == ["fleet"] and (len(words) == 1 or words[1] not in (*ACTIONS, "-h", "--help")):
        return ["fleet", "scan", *words[1:]]
    return list(words)


def add_fleet(commands: Commands) -> None:
    fleet = commands.add_parser(
        "fleet",
        help="scan the history of many repositories, here or on a Dask cluster",
        description="Scans everything that many repositories ever held, and reports each credential once, with all\n"
        "repositories that contain it. `fleet LIST` is short for `fleet scan LIST`.",
        epilog="examples:\n"
        "  binance-leaks fleet repositories.txt --store fleet.db\n"
        "  binance-leaks fleet report --store fleet.db --format html:fleet.html\n"
        "  binance-leaks fleet diff --store fleet.db",
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
        description="Scans the repositories in lists, in folders, or given by URL. A list has one path or URL per\n"
        "line, or is a forge's export as JSON or CSV; - is standard input.",
        epilog="examples:\n"
        "  binance-leaks fleet scan repositories.txt --store fleet.db\n"
        "  binance-leaks fleet scan ~/src --format html:fleet.html\n"
        "  gh repo list my-org --limit 1000 --json nameWithOwner,url,diskUsage | binance-leaks fleet scan -\n"
        "  binance-leaks fleet scan --store fleet.db --resume\n"
        f"  binance-leaks fleet scan repositories.txt --scheduler tcp://192.0.2.1:8786\n\n{EXIT_STATUS}",
    )
    scan.add_argument(
        "lists", nargs="*", metavar="LIST|DIR|URL", help="list of repositories, folder to search, URL, or -"
    )
    add_output(scan)
    gate = add_gate(scan, baseline=False, config="use this configuration; those of the repositories do not count")
    add_allow_incomplete(gate)
    scope = scan.add_argument_group("scope")
    scope.add_argument("--reachable", action="store_true", help="only what branches, tags and other refs reach")
    add_exclude(scope)
    scope.add_argument("--ssh", action="store_true", help="use the SSH addresses of a forge's export")
    store = scan.add_argument_group("store")
    store.add_argument(
        "--store", metavar="FILE", help="remember results there; the next run scans only what changed, and marks new"
    )
    store.add_argument("--resume", action="store_true", help="continue the run that ended early")
    store.add_argument("--rescan", action="store_true", help="scan everything again, and ignore what is remembered")
    work = scan.add_argument_group("work")
    where = work.add_mutually_exclusive_group()
    add_jobs(where, "one repository per core")
    where.add_argument("--scheduler", metavar="ADDRESS", help="the workers of this Dask scheduler: tcp://HOST:PORT")
    work.add_argument(
        "--time-limit",
        dest="repository_time_limit",
        type=duration,
        default=3600,
        metavar="TIME",
        help="for one repository, such as 90s or 30m (default: 1h)",
    )
    work.add_argument(
        "--clone-limit",
        type=_size,
        default=20 << 30,
        metavar="SIZE",
        help="disk space for one clone, such as 500M (default: 20G)",
    )
    work.add_argument(
        "--retries", type=_retries, default=2, metavar="N", help="retry a failed repository N times (default: 2)"
    )
    add_no_progress(work)
    add_verification(scan)
    scan.set_defaults(target="binance_leaks.cli.fleet.scan:run")


def _add_report(actions: Commands) -> None:
    report = actions.add_parser(
        "report",
        help="report a stored run again, in any format",
        description="Reports what a run found: the last one, unless another is named.",
        epilog="examples:\n"
        "  binance-leaks fleet report --store fleet.db\n"
        f"  binance-leaks fleet report --store fleet.db --run 1 --format json:run-1.json\n\n{EXIT_STATUS}",
    )
    _add_store(report)
    report.add_argument("--run", type=_run, dest="run_id", metavar="RUN", help="this run (default: the last one)")
    _add_reporting(report)
    report.set_defaults(target="binance_leaks.cli.fleet.report:run")


def _add_list(actions: Commands) -> None:
    listed = actions.add_parser(
        "list",
        help="list the repositories, runs or credentials of the store",
        description="Lists what is in the store: repositories with their state, runs, or credentials.",
        epilog="examples:\n"
        "  binance-leaks fleet list --store fleet.db\n"
        "  binance-leaks fleet list runs --store fleet.db\n"
        "  binance-leaks fleet list credentials --store fleet.db --format json",
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
    output = listed.add_argument_group("output")
    output.add_argument(
        "--format", choices=("text", "json"), default="text", dest="list_format", help="(default: text)"
    )
    add_color(output)
    listed.set_defaults(target="binance_leaks.cli.fleet.report:run_list")


def _add_diff(actions: Commands) -> None:
    diff = actions.add_parser(
        "diff",
        help="compare two runs: new, still there, gone",
        description="Compares two runs of the store: the last two finished ones, one with the last, or two given ones.",
        epilog="examples:\n"
        "  binance-leaks fleet diff --store fleet.db\n"
        "  binance-leaks fleet diff 1 2 --store fleet.db --format html:since-run-1.html\n\n"
        "exit status: 0 nothing new at or above the gate, 1 something new, or in more repositories, 2 usage,\n"
        "3 incomplete or failed, 130 interrupted",
    )
    diff.add_argument(
        "runs", nargs="*", type=_run, metavar="RUN", help="the earlier and the later run (default: the last two)"
    )
    _add_store(diff)
    _add_reporting(diff)
    diff.set_defaults(target="binance_leaks.cli.fleet.report:run_diff")


def _add_store(parser: Parser) -> None:
    parser.add_argument("--store", required=True, metavar="FILE", help="the store that `fleet scan --store` wrote")


def _add_reporting(parser: Parser) -> None:
    add_output(parser)
    add_allow_incomplete(add_gate(parser, baseline=False))


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
        raise argparse.ArgumentTypeError("must be the number of a run, as fleet list runs shows them")
    return int(text)
