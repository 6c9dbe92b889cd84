"""What commands share: the parser, the parsed options, and options of one name and meaning."""

from __future__ import annotations

import argparse

from binance_leaks.errors import UsageError

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn, TypeAlias

CONFIDENCES = ("low", "medium", "high")
_RISKS = ("none", "info", "low", "medium", "high", "critical")
_FORMATS = "text, json, sarif, github, gitlab, junit, csv, markdown or html"
EPILOG = (
    """exit status: 0 nothing found, 1 findings, 2 usage or configuration, 3 incomplete or failed, 130 interrupted"""
)


class Parser(argparse.ArgumentParser):
    """A parser whose errors are told like all others."""

    def error(self, message: str) -> NoReturn:
        """Raises UsageError; argparse itself would print and exit."""
        raise UsageError(message, hint=f"See {self.prog} --help.")


if TYPE_CHECKING:
    Commands: TypeAlias = argparse._SubParsersAction[Parser]


class Options(argparse.Namespace):
    """The parsed command line; each command reads what its own parser set."""

    run: Callable[[Options], int]
    format: list[str]
    confidence: str | None
    fail_on: str | None
    config: str | None
    jobs: int
    no_progress: bool
    color: str
    show_suppressed: bool
    verbose: bool
    quiet: bool
    exclude: list[str]
    all_files: bool
    paths: list[str]
    files: list[str]
    file: str
    report: str
    arguments: list[str]
    repository: str
    reachable: bool
    since: str | None
    branch: list[str]
    path: list[str]
    submodules: bool
    keep: str | None
    state: str | None
    allow_incomplete: bool
    write_replacements: str | None
    range: str
    fetch: bool
    base: str | None
    head: str | None
    remote: str | None
    url: str | None
    policy: str
    verify: bool
    verify_limit: int | None
    verify_cache: str | None
    verify_ca: str | None
    verify_loopback: str | None
    proxy: str | None
    environment_proxy: bool
    env_file: str | None
    stdin: bool
    scan_paths: list[str] | None
    private_key: str | None
    purpose: str | None
    environment: str | None
    audit_format: str
    ci: str | None
    repo: str | None
    rev: str | None
    upload_sarif: bool
    dry_run: bool
    yes: bool
    baseline: str | None
    no_baseline: bool
    history: bool
    shell: str
    lists: list[str]
    ssh: bool
    store: str | None
    resume: bool
    rescan: bool
    scheduler: str | None
    time_limit: int
    clone_limit: int
    retries: int
    run_id: int | None
    runs: list[int]
    what: str
    list_format: str


def add_common(parser: Parser) -> None:
    add_format(parser)
    add_confidence(parser)
    add_fail_on(parser)
    known = parser.add_mutually_exclusive_group()
    known.add_argument("--baseline", metavar="FILE", help="suppress what this baseline knows (baseline --help)")
    known.add_argument("--no-baseline", action="store_true", help="pass over the baseline of the configuration")
    add_config(parser, "configuration in place of the one that is found")
    add_look(parser)
    add_verify(parser)


def add_confidence(parser: Parser) -> None:
    parser.add_argument("--confidence", choices=CONFIDENCES, help="least confidence that is reported (default: medium)")


def add_config(parser: Parser, help: str = "configuration; those of the repositories do not count") -> None:
    parser.add_argument("--config", metavar="FILE", help=help)


def add_verify(parser: Parser, *, switch: bool = True) -> None:
    """Whether and how Binance is asked; `switch` adds the option without which nothing is."""
    group = parser.add_argument_group("asking Binance")
    if switch:
        group.add_argument(
            "--verify", action="store_true", help="ask Binance whether each credential lives and what it may do"
        )
    group.add_argument(
        "--verify-limit", type=_credentials, metavar="N", help="ask about so many credentials at most (default: 100)"
    )
    group.add_argument("--verify-cache", metavar="FILE", help="remember answers there: digests and verdicts, no values")
    group.add_argument("--proxy", metavar="URL", help="go through this proxy, which sees the host's name only")
    group.add_argument(
        "--proxy-from-environment",
        action="store_true",
        dest="environment_proxy",
        help="go through the proxy that HTTPS_PROXY names",
    )
    group.add_argument("--verify-ca", metavar="FILE", help="trust these authorities in place of the usual ones")
    group.add_argument(
        "--verify-loopback", metavar="URL", help="send all to this URL on this very machine: to rehearse, and for tests"
    )


def add_format(parser: Parser) -> None:
    parser.add_argument(
        "--format",
        action="append",
        default=[],
        metavar="NAME[:FILE]",
        help=f"{_FORMATS}, to a file if given; repeatable",
    )


def add_fail_on(parser: Parser, default: str = "any finding") -> None:
    parser.add_argument(
        "--fail-on", choices=_RISKS, metavar="RISK", help=f"least risk that fails, or none (default: {default})"
    )


def add_look(parser: Parser) -> None:
    parser.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colour (default: on a terminal)"
    )
    parser.add_argument("--show-suppressed", action="store_true", help="list what is allowed, too")
    parser.add_argument("-v", "--verbose", action="store_true", help="show digests and everything that is folded")
    parser.add_argument("-q", "--quiet", action="store_true", help="print nothing where nothing was found")


def _credentials(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError("must be a number from 1 to 100000")
    return int(text)


def jobs(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1024:
        raise argparse.ArgumentTypeError("must be a number from 1 to 1024")
    return int(text)
