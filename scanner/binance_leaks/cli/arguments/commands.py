"""Arguments of the commands other than the gate's, `fleet`, `init` and `doctor`."""

from __future__ import annotations

from binance_leaks.cli.arguments.common import (
    EXIT_STATUS,
    add_all_files,
    add_allow_incomplete,
    add_color,
    add_confidence,
    add_config,
    add_exclude,
    add_fail_on,
    add_gate,
    add_jobs,
    add_no_progress,
    add_output,
    add_pictures,
    add_time_limit,
    add_verification,
)
from binance_leaks.environments import Environment

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook


if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Commands, Parser


_PURPOSES = ("tax", "portfolio", "monitor", "grid", "dca", "arbitrage", "trading-bot")
_SYSTEMS = tuple(each.value for each in Environment if each is not Environment.UNKNOWN)


def add_verify_command(commands: Commands) -> None:
    """Add `verify`."""
    parser = commands.add_parser(
        "verify",
        help="check with Binance what your own key can do, and whether that is too much",
        description="Audits keys that you own: whether they are active, their permissions, IP restriction and age;\n"
        "with --purpose also permissions beyond what the purpose needs. Keys come from the environment (else a\n"
        "prompt on a terminal), a file, standard input or a scan; never from arguments, which the shell's history\n"
        "keeps and every user of the machine can see.",
        epilog="examples:\n"
        "  binance-leaks verify                          # BINANCE_API_KEY and BINANCE_API_SECRET, or a prompt\n"
        "  binance-leaks verify --env-file .env --purpose trading-bot\n"
        "  pass show binance | binance-leaks verify --stdin --purpose tax\n"
        "  BINANCE_API_KEY=$KEY binance-leaks verify --private-key bot.pem\n"
        "  binance-leaks verify --scan src/ --format json\n\n"
        "exit status: 0 all is well, 1 a key can do more than its purpose needs, or move money from any address,\n"
        "2 usage or configuration, 3 the permissions of a key could not be determined, 130 interrupted",
    )
    keys = parser.add_argument_group("keys")
    source = keys.add_mutually_exclusive_group()
    source.add_argument("--env-file", metavar="FILE", help="a .env file, or JSON, YAML or code that holds them")
    source.add_argument(
        "--stdin", action="store_true", help="standard input: the same, or two lines, the key and then its secret"
    )
    keys.add_argument(
        "--key-only", action="store_true", help="a value that is given alone, without a name, is the API key"
    )
    source.add_argument(
        "--scan", nargs="*", dest="scan_paths", metavar="PATH", help="what a scan finds (default: the current folder)"
    )
    keys.add_argument("--private-key", metavar="FILE", help="the Ed25519 or RSA private key of the one given API key")
    keys.add_argument(
        "--environment", choices=_SYSTEMS, help="the system that the keys belong to, whatever is named near them"
    )
    keys.add_argument("--purpose", choices=_PURPOSES, help="what the key is for; permissions beyond that are a fault")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--format", choices=("text", "json"), default="text", dest="audit_format", help="(default: text)"
    )
    add_color(output)
    add_time_limit(parser.add_argument_group("work"))
    add_verification(parser, switch=False)
    parser.set_defaults(
        target="binance_leaks.cli.verify:run",
        verify=True, config=None, confidence=None, fail_on=None, all_files=True, exclude=[],
        jobs=0, no_progress=False, quiet=False,
    )  # fmt: skip


SHELLS = ("bash", "zsh", "fish")


def add_completion(commands: Commands) -> None:
    """Add `completion`."""
    parser = commands.add_parser(
        "completion",
        help="print a shell completion script",
        description="Prints a script that makes a shell complete commands, options and their values.",
        epilog="examples:\n"
        "  source <(binance-leaks completion bash)        # in ~/.bashrc\n"
        "  source <(binance-leaks completion zsh)         # in ~/.zshrc, after compinit\n"
        "  binance-leaks completion fish | source         # in ~/.config/fish/config.fish",
    )
    parser.add_argument("shell", choices=SHELLS, help="bash, zsh or fish")
    parser.set_defaults(target="binance_leaks.cli.completion:run")


def add_plugin_path(commands: Commands) -> None:
    """Add `plugin-path`."""
    parser = commands.add_parser(
        "plugin-path",
        help="print the path of the detect-secrets plugin",
        description="Prints the path of the plugin file.",
        epilog='example: detect-secrets scan -p "$(binance-leaks plugin-path)"',
    )
    parser.set_defaults(target="binance_leaks.cli.detect_secrets:print_plugin_path")


def add_detect_secrets(commands: Commands) -> None:
    """Add `detect-secrets-hook` and `detect-secrets-audit`.

    Their arguments are those of detect-secrets.
    """
    commands.add_parser(
        "detect-secrets-hook",
        help="run detect-secrets-hook with this plugin; takes its arguments",
        description='Runs detect-secrets-hook with this plugin and without the filter that hides Client("K", "S").',
        epilog="example: binance-leaks detect-secrets-hook --baseline .secrets.baseline bot.py",
    )
    commands.add_parser(
        "detect-secrets-audit",
        help="same as baseline audit, with paths from the current folder",
        description="Runs detect-secrets audit, which by itself stops at any plugin that was given with -p.",
        epilog="example: binance-leaks detect-secrets-audit .secrets.baseline",
    )


_DEFAULT = "default: the configured one, else .secrets.baseline at the top of the repository"


def add_baseline(commands: Commands) -> None:
    """Add `baseline` with its actions."""
    baseline = commands.add_parser(
        "baseline",
        help="record known findings, so that only new ones are reported",
        description="Creates and updates baselines of known findings, in the format of detect-secrets. They contain\n"
        "digests, no values. A finding is matched by path and value, not by line.",
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
    add_time_limit(work)
    parser.set_defaults(fail_on=None)


def add_scan(commands: Commands) -> None:
    """Add `scan`."""
    parser = commands.add_parser(
        "scan",
        help="scan files, folders or standard input",
        description="Scans files and folders; - is standard input. In a git work tree, ignored files are skipped.",
        epilog="examples:\n"
        "  binance-leaks scan --all-files .\n"
        "  docker save bot:latest | binance-leaks scan -\n"
        f"  binance-leaks scan --image bot:latest\n\n{EXIT_STATUS}",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="file, folder or - (default: the current folder)")
    add_output(parser)
    add_gate(parser)
    scope = parser.add_argument_group("scope")
    scope.add_argument(
        "--image",
        action="append",
        default=[],
        metavar="NAME",
        help="also a container image of this machine, through docker or podman; repeatable; alone, no PATH is needed",
    )
    add_exclude(scope)
    add_all_files(scope)
    add_pictures(parser, scope)
    work = parser.add_argument_group("work")
    add_jobs(work, "one per core for large trees")
    add_no_progress(work)
    add_time_limit(work)
    add_verification(parser)
    parser.set_defaults(target="binance_leaks.cli.scan:run")


def add_history(commands: Commands) -> None:
    """Add `history`."""
    parser = commands.add_parser(
        "history",
        help="scan everything that a repository ever held",
        description="Scans every object of a git repository: all commits and their messages, deleted files, amended\n"
        "commits, stashes and notes. Shows which commit introduced each credential, and which removed it.",
        epilog="examples:\n"
        "  binance-leaks history\n"
        "  binance-leaks history https://git.example/team/bot.git --keep bot.git\n"
        f"  binance-leaks history --since 2024-01-01 --branch main\n\n{EXIT_STATUS}",
    )
    parser.add_argument(
        "repository", nargs="?", default=".", metavar="REPO|URL", help="folder or URL (default: the current folder)"
    )
    add_output(parser)
    add_allow_incomplete(add_gate(parser))
    scope = parser.add_argument_group("scope")
    scope.add_argument("--reachable", action="store_true", help="only what branches, tags and other refs reach")
    scope.add_argument("--branch", action="append", default=[], metavar="NAME", help="only this branch; repeatable")
    scope.add_argument("--since", metavar="DATE", help="only commits since a date, in any form that git accepts")
    scope.add_argument(
        "--path", action="append", default=[], metavar="GLOB", help="only these paths, as in .gitignore; repeatable"
    )
    add_exclude(scope)
    add_pictures(parser, scope)
    scope.add_argument("--submodules", action="store_true", help="also the submodules' object stores in .git/modules")
    work = parser.add_argument_group("work")
    work.add_argument("--keep", metavar="DIR", help="keep the clone of a URL there, and reuse it")
    work.add_argument("--state", metavar="FILE", help="remember what was scanned; the next run reads only new objects")
    work.add_argument(
        "--write-replacements", metavar="FILE", help="write the values for git filter-repo --replace-text"
    )
    add_jobs(work)
    add_no_progress(work)
    add_time_limit(work)
    add_verification(parser)
    parser.set_defaults(target="binance_leaks.cli.history:run")


def add_report(commands: Commands) -> None:
    """Add `report`."""
    parser = commands.add_parser(
        "report",
        help="render a stored JSON report in another format",
        description="Renders a report that --format json wrote; - is standard input. Nothing is scanned.",
        epilog=f"example: binance-leaks report report.json --format sarif:report.sarif\n\n{EXIT_STATUS}",
    )
    parser.add_argument("report", metavar="REPORT.json", help="the report, or - for standard input")
    add_output(parser)
    add_fail_on(parser.add_argument_group("gate"), default="as the scan decided")
    parser.set_defaults(target="binance_leaks.cli.report:run")
