"""Arguments of `verify`, which refuses values in arguments."""

from __future__ import annotations

import os
import re

from binance_leaks.cli.arguments.common import add_color, add_verification
from binance_leaks.environments import Environment
from binance_leaks.errors import UsageError

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Sequence

    from binance_leaks.cli.arguments.common import Commands

_PURPOSES = ("tax", "portfolio", "monitor", "grid", "dca", "arbitrage", "trading-bot")
_VERIFIABLE = tuple(each.value for each in Environment if each.facts.probes)
_TOKEN = re.compile(r"[A-Za-z0-9]{40,}")
_MIXED = re.compile(r"(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[A-Za-z0-9]{40,}")
_LOWER = re.compile(r"[0-9a-z]{64}")
_PRIVATE = re.compile(r"PRIVATE KEY-----|MC4CAQAwBQYDK2Vw|MII[A-Za-z0-9+/]{60}|[A-Za-z0-9+/]{43}=")


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
    source.add_argument(
        "--scan", nargs="*", dest="scan_paths", metavar="PATH", help="what a scan finds (default: the current folder)"
    )
    keys.add_argument("--private-key", metavar="FILE", help="the Ed25519 or RSA private key of the one given API key")
    keys.add_argument(
        "--environment", choices=_VERIFIABLE, help="environment of keys that name none (default: mainnet)"
    )
    keys.add_argument("--purpose", choices=_PURPOSES, help="what the key is for; permissions beyond that are a fault")
    output = parser.add_argument_group("output")
    output.add_argument(
        "--format", choices=("text", "json"), default="text", dest="audit_format", help="(default: text)"
    )
    add_color(output)
    add_verification(parser, switch=False)
    parser.set_defaults(
        target="binance_leaks.cli.verify:run",
        verify=True, config=None, confidence=None, fail_on=None, all_files=True, exclude=[],
        jobs=0, no_progress=False, quiet=False,
    )  # fmt: skip


def refuse_values(words: Sequence[str]) -> None:
    """Raise UsageError if an argument looks like a credential, without repeating it.

    A run of 64 lower-case letters and digits may also name a file, and is refused only where there is no such file.
    """
    for word in words:
        tokens = _TOKEN.findall(word)
        hex_like = any(_LOWER.fullmatch(token) for token in tokens) and not _names_a_file(word)
        if hex_like or any(_MIXED.fullmatch(token) for token in tokens) or _PRIVATE.search(word):
            raise UsageError(
                "an argument looks like a key or secret, and arguments are never read as such",
                hint="It is in the shell's history now, and every program here could see it: create a new key, "
                "delete this one, and pass the new one by the environment, --env-file, --stdin or at the prompt.",
            )


def _names_a_file(word: str) -> bool:
    return os.path.lexists(word) or os.path.lexists(word.partition("=")[2])
