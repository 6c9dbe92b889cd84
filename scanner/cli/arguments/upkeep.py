"""Commands around scans: `baseline`, `report`, `init`, and those for detect-secrets."""

from __future__ import annotations

import argparse

from scanner.cli.arguments.common import CONFIDENCES, EPILOG, add_fail_on, add_format, add_look, jobs

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from scanner.cli.arguments.common import Commands, Options, Parser


def add_baseline(commands: Commands) -> None:
    baseline = commands.add_parser(
        "baseline",
        help="write down what is known, so that only what is new is reported",
        description="Makes and updates baselines of known findings, in the format of detect-secrets. They hold\n"
        "digests, no values. What is known is known by path and value: it may move to other lines.",
        epilog="examples:\n"
        "  binance-leaks baseline create\n"
        "  binance-leaks baseline update\n"
        "  binance-leaks baseline audit\n"
        "  binance-leaks scan --baseline .secrets.baseline",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    actions = baseline.add_subparsers(metavar="ACTION", required=True, prog="binance-leaks baseline")
    create = actions.add_parser(
        "create",
        help="make a baseline of what is found",
        description="Makes a baseline of what is found, and overwrites none.",
        epilog="example: binance-leaks baseline create --history",
    )
    _add_baseline_options(create)
    create.set_defaults(run=_baseline_create)
    update = actions.add_parser(
        "update",
        help="add what is new, drop what is gone",
        description="Adds what is new to a baseline and drops what is gone. What an audit said stays, and so do "
        "entries of other plugins and of paths that were not read.",
        epilog="example: binance-leaks baseline update src/",
    )
    _add_baseline_options(update)
    update.set_defaults(run=_baseline_update)
    audit = actions.add_parser(
        "audit",
        help="say of each entry whether it is real; takes the arguments of detect-secrets audit",
        description="Shows the entries one after the other, values included, and keeps what you say of them.",
        epilog="example: binance-leaks baseline audit --stats",
    )
    _add_audit_help(audit)


def _add_audit_help(parser: Parser) -> None:
    """What `--help` tells: detect-secrets reads these arguments, and its own help names another program."""
    parser.add_argument(
        "files",
        nargs="*",
        metavar="FILE",
        help="the baseline (default: that of the configuration, else .secrets.baseline at the top of the repository)",
    )
    parser.add_argument("--stats", action="store_true", help="count the answers, plugin by plugin")
    parser.add_argument("--report", action="store_true", help="list entries with their answers and values, as JSON")
    parser.add_argument("--only-real", action="store_true", help="with --report: what is real")
    parser.add_argument("--only-false", action="store_true", help="with --report: what is a false alarm")
    parser.add_argument("--diff", action="store_true", help="compare two baselines")
    parser.add_argument("--json", action="store_true", help="with --stats: as JSON")


def _add_baseline_options(parser: Parser) -> None:
    parser.add_argument(
        "paths", nargs="*", default=[], metavar="PATH", help="only what is in these (default: the whole repository)"
    )
    parser.add_argument(
        "--baseline",
        metavar="FILE",
        help="the baseline (default: that of the configuration, else .secrets.baseline at the top of the repository)",
    )
    parser.add_argument(
        "--history", action="store_true", help="take in what the history holds, too; updates remember it"
    )
    parser.add_argument("--confidence", choices=CONFIDENCES, help="least confidence that is added (default: medium)")
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="GLOB", help="leave out paths, as in .gitignore; repeatable"
    )
    parser.add_argument("--all-files", action="store_true", help="read what git ignores too, such as a forgotten .env")
    parser.add_argument("--config", metavar="FILE", help="configuration in place of the one that is found")
    parser.add_argument(
        "--jobs", type=jobs, default=0, metavar="N", help="processes (default: one a core for large trees)"
    )
    parser.add_argument("--no-progress", action="store_true", help="no progress bar, even on a terminal")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing where nothing changed")
    parser.set_defaults(fail_on=None)


def add_report(commands: Commands) -> None:
    report = commands.add_parser(
        "report",
        help="render a stored JSON report in another format",
        description="Renders a report that --format json wrote; `-` is standard input. Nothing is scanned.",
        epilog=f"example: binance-leaks report report.json --format sarif:report.sarif\n{EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    report.add_argument("report", metavar="REPORT.json", help="the report, or - for standard input")
    add_format(report)
    add_fail_on(report, default="as the scan judged")
    add_look(report)
    report.set_defaults(run=_report)


def add_init(commands: Commands) -> None:
    init = commands.add_parser(
        "init",
        help="set up the hooks of pre-commit, and CI",
        description="Adds our hooks to .pre-commit-config.yaml and, with --ci, what CI needs. Shows the difference\n"
        "first and, on a terminal, asks. What it did not write itself it adds to, or leaves alone.",
        epilog="examples:\n"
        "  binance-leaks init --dry-run\n"
        "  binance-leaks init --ci github\n"
        "  binance-leaks init --ci gitlab --repo https://git.example/tools/binance-leaks --rev v1.2.0\n\n"
        "exit status: 0 done or nothing to do, 2 a file was left alone and nothing was written",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    init.add_argument("--ci", choices=("github", "gitlab"), help="also write what this CI needs")
    init.add_argument(
        "--repo", metavar="URL", help="where hooks and CI get this program (default: the installed one, the index)"
    )
    init.add_argument("--rev", metavar="REV", help="commit or tag of --repo")
    init.add_argument("--upload-sarif", action="store_true", help="let GitHub show findings in its security tab")
    init.add_argument("--dry-run", action="store_true", help="only show what would change")
    init.add_argument("--yes", action="store_true", help="do not ask")
    init.set_defaults(run=_init)


def add_plugin_path(commands: Commands) -> None:
    plugin = commands.add_parser(
        "plugin-path",
        help="print the path of the detect-secrets plugin",
        description="Prints the path of the plugin file.",
        epilog='example: detect-secrets scan -p "$(binance-leaks plugin-path)"',
    )
    plugin.set_defaults(run=_plugin_path)


# Each command is imported when it is run: start-up time of the hook.


def _baseline_create(options: Options) -> int:
    from scanner.cli.baseline import create

    return create(options)


def _baseline_update(options: Options) -> int:
    from scanner.cli.baseline import update

    return update(options)


def baseline_audit(options: Options) -> int:
    from scanner.cli.baseline import audit

    return audit(options.arguments)


def _report(options: Options) -> int:
    from scanner.cli.report import run

    return run(options)


def _init(options: Options) -> int:
    from scanner.cli.init import run

    return run(options)


def _plugin_path(options: Options) -> int:  # noqa: ARG001 - every command has this signature
    from scanner.cli.detect_secrets import print_plugin_path

    return print_plugin_path()


def detect_secrets_hook(options: Options) -> int:
    from scanner.cli.detect_secrets import run_hook

    return run_hook(options.arguments)


def detect_secrets_audit(options: Options) -> int:
    from scanner.cli.detect_secrets import run_audit

    return run_audit(options.arguments)
