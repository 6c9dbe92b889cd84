"""Arguments of `baseline create`, `update` and `audit`."""

from __future__ import annotations

from binance_leaks.cli.arguments.common import (
    add_all_files,
    add_confidence,
    add_config,
    add_exclude,
    add_jobs,
    add_no_progress,
)

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands, Parser

_DEFAULT = "default: the configured one, else .secrets.baseline at the top of the repository"


def add_baseline(commands: Commands) -> None:
    """Add `baseline` with its actions."""
    baseline = commands.add_parser(
        "baseline",
        help="record known findings, so that only new ones are reported",
        description="Creates and updates baselines of known findings, in the format of detect-secrets. They hold\n"
        "digests, no values. A finding is known by path and value, whatever line it is on.",
        epilog="examples:\n"
        "  binance-leaks baseline create\n"
        "  binance-leaks baseline update\n"
        "  binance-leaks baseline audit\n"
        "  binance-leaks scan --baseline .secrets.baseline",
    )
    actions = baseline.add_subparsers(metavar="ACTION", required=True, prog="binance-leaks baseline")
    create = actions.add_parser(
        "create",
        help="create a baseline of what is found",
        description="Creates a baseline of what is found. It never overwrites one.",
        epilog="example: binance-leaks baseline create --history",
    )
    _add_options(create)
    create.set_defaults(target="binance_leaks.cli.baseline:create")
    update = actions.add_parser(
        "update",
        help="add new findings, drop those that are gone",
        description="Adds new findings to a baseline and drops those that are gone. Audit labels are kept, and so are\n"
        "entries of other plugins and of paths that were not read.",
        epilog="example: binance-leaks baseline update src/",
    )
    _add_options(update)
    update.set_defaults(target="binance_leaks.cli.baseline:update")
    audit = actions.add_parser(
        "audit",
        help="label each entry as real or false; takes the arguments of detect-secrets audit",
        description="Shows the entries one by one, values included, and records how you label them.",
        epilog="example: binance-leaks baseline audit --stats",
    )
    _add_audit_options(audit)


def _add_audit_options(parser: Parser) -> None:
    """Add what `--help` shows: detect-secrets reads these arguments, and its own help names another program."""
    parser.add_argument("files", nargs="*", metavar="FILE", help=f"the baseline ({_DEFAULT})")
    parser.add_argument("--stats", action="store_true", help="count the labels of each plugin")
    parser.add_argument("--report", action="store_true", help="list entries with their labels and values, as JSON")
    parser.add_argument("--only-real", action="store_true", help="with --report: only real secrets")
    parser.add_argument("--only-false", action="store_true", help="with --report: only false alarms")
    parser.add_argument("--diff", action="store_true", help="compare two baselines")
    parser.add_argument("--json", action="store_true", help="with --stats: as JSON")


def _add_options(parser: Parser) -> None:
    parser.add_argument(
        "paths", nargs="*", default=[], metavar="PATH", help="only these paths (default: the whole repository)"
    )
    output = parser.add_argument_group("output")
    output.add_argument("--baseline", metavar="FILE", help=f"the baseline ({_DEFAULT})")
    output.add_argument("-q", "--quiet", action="store_true", help="print nothing if nothing changed")
    scope = parser.add_argument_group("scope")
    scope.add_argument(
        "--history", action="store_true", help="include everything in the history; later updates remember this"
    )
    add_confidence(scope, "added")
    add_exclude(scope)
    add_all_files(scope)
    add_config(scope)
    work = parser.add_argument_group("work")
    add_jobs(work, "one per core for large trees")
    add_no_progress(work)
    parser.set_defaults(fail_on=None)
