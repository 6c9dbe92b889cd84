"""Commands around scans: `baseline`, `report`, `verify`, `init`, and those for detect-secrets."""

from __future__ import annotations

import argparse
import os
import re

from binance_leaks.cli.arguments.common import CONFIDENCES, EPILOG, add_fail_on, add_format, add_look, add_verify, jobs
from binance_leaks.errors import UsageError

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Sequence

    from binance_leaks.cli.arguments.common import Commands, Options, Parser

_PURPOSES = ("tax", "portfolio", "monitor", "grid", "dca", "arbitrage", "trading-bot")
_ENVIRONMENTS = ("mainnet", "testnet", "futures-testnet", "demo", "us")
_TOKEN = re.compile(r"[A-Za-z0-9]{40,}")
_MIXED = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9]{40,}")
_LOWER = re.compile(r"[0-9a-z]{64}")
_PRIVATE = re.compile(r"PRIVATE KEY-----|MC4CAQAwBQYDK2Vw|MII[A-Za-z0-9+/]{60}|[A-Za-z0-9+/]{43}=")


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


def add_verify_command(commands: Commands) -> None:
    verify = commands.add_parser(
        "verify",
        help="ask Binance what your own key may do, and whether that is too much",
        description="Audits keys that you own: alive or not, permissions, restriction to addresses, age; with\n"
        "--purpose also what a key may do beyond what it is for. Keys come from the environment (where it holds\n"
        "none, a terminal is asked), a file, standard input or a scan; never from arguments, which the shell's\n"
        "history keeps and everybody on the machine sees.",
        epilog="examples:\n"
        "  binance-leaks verify                          # BINANCE_API_KEY and BINANCE_API_SECRET, or a prompt\n"
        "  binance-leaks verify --env-file .env --purpose trading-bot\n"
        "  pass show binance | binance-leaks verify --stdin --purpose tax\n"
        "  BINANCE_API_KEY=$KEY binance-leaks verify --private-key bot.pem\n"
        "  binance-leaks verify --scan src/ --format json\n\n"
        "exit status: 0 all well, 1 a key may do more than its purpose needs, or move money from any address,\n"
        "2 usage or configuration, 3 what a key may do could not be told, 130 interrupted",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sources = verify.add_argument_group("where the keys are (default: the environment)").add_mutually_exclusive_group()
    sources.add_argument("--env-file", metavar="FILE", help="a .env file, or another that holds them: JSON, YAML, code")
    sources.add_argument(
        "--stdin", action="store_true", help="standard input: the same, or two lines, the key and then its secret"
    )
    sources.add_argument(
        "--scan", nargs="*", dest="scan_paths", metavar="PATH", help="what a scan of these finds (default: this folder)"
    )
    verify.add_argument(
        "--private-key", metavar="FILE", help="the Ed25519 or RSA private key of the one API key that is given"
    )
    verify.add_argument("--purpose", choices=_PURPOSES, help="what the key is for; more than that needs is a fault")
    verify.add_argument(
        "--environment",
        choices=_ENVIRONMENTS,
        help="where a key belongs of which nothing else tells (default: mainnet)",
    )
    verify.add_argument(
        "--format", choices=("text", "json"), default="text", dest="audit_format", help="(default: text)"
    )
    verify.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour (default: on a terminal)"
    )
    add_verify(verify, switch=False)
    verify.set_defaults(
        run=_verify, verify=True, config=None, confidence=None, fail_on=None, all_files=True, exclude=[]
    )
    verify.set_defaults(jobs=0, no_progress=False, quiet=False)


def refuse_values(words: Sequence[str]) -> None:
    """Raises UsageError if an argument looks like a credential, which it does not repeat.

    A run of 64 small letters and digits may also name a file, so that one is refused only where there is no such file.
    """
    for word in words:
        tokens = _TOKEN.findall(word)
        hex_like = any(_LOWER.fullmatch(token) for token in tokens) and not _names_a_file(word)
        if hex_like or any(_MIXED.fullmatch(token) for token in tokens) or _PRIVATE.search(word):
            raise UsageError(
                "an argument looks like a key or secret, and arguments are never read as such",
                hint="It stands in the shell's history now, and every program here could see it: make a new key, "
                "delete this one, and give the new one by the environment, --env-file, --stdin or at the prompt.",
            )


def _names_a_file(word: str) -> bool:
    return os.path.lexists(word) or os.path.lexists(word.partition("=")[2])


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
    from binance_leaks.cli.baseline import create

    return create(options)


def _baseline_update(options: Options) -> int:
    from binance_leaks.cli.baseline import update

    return update(options)


def baseline_audit(options: Options) -> int:
    from binance_leaks.cli.baseline import audit

    return audit(options.arguments)


def _report(options: Options) -> int:
    from binance_leaks.cli.report import run

    return run(options)


def _verify(options: Options) -> int:
    from binance_leaks.cli.verify import run

    return run(options)


def _init(options: Options) -> int:
    from binance_leaks.cli.init import run

    return run(options)


def _plugin_path(options: Options) -> int:  # noqa: ARG001 - every command has this signature
    from binance_leaks.cli.detect_secrets import print_plugin_path

    return print_plugin_path()


def detect_secrets_hook(options: Options) -> int:
    from binance_leaks.cli.detect_secrets import run_hook

    return run_hook(options.arguments)


def detect_secrets_audit(options: Options) -> int:
    from binance_leaks.cli.detect_secrets import run_audit

    return run_audit(options.arguments)
