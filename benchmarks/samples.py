"""Makes what is scanned: clean source text as people write it, log text, and random key pairs that nobody has."""

from __future__ import annotations

import random
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

LEAST, MOST = 2_000, 4_000
_ALPHABET = string.ascii_letters + string.digits
_NOUNS = (
    "order",
    "price",
    "candle",
    "wallet",
    "balance",
    "position",
    "ticker",
    "session",
    "response",
    "config",
    "signal",
)
_VERBS = (
    "load",
    "save",
    "fetch",
    "update",
    "parse",
    "build",
    "merge",
    "filter",
    "publish",
    "cancel",
    "retry",
    "convert",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Language:
    """How a file of it starts, and how it goes on."""

    head: Template
    paragraph: Template


_LANGUAGES: Mapping[str, _Language] = {
    "py": _Language(
        head=Template("""import os

from $exchange.client import Client

client = Client(os.environ["API_KEY"], os.environ["SECRET_KEY"])
"""),
        paragraph=Template('''
def ${verb}_$noun($noun: dict[str, int]) -> list[int]:
    """Take the $other of each step, at most $count of them."""
    $other = $noun.get("$verb", $count)
    return [$other * step for step in range($count)]
'''),
    ),
    "js": _Language(
        head=Template("""const { Client } = require("$exchange-client");
const client = new Client(process.env.API_KEY, process.env.SECRET_KEY);
"""),
        paragraph=Template("""
async function ${verb}_$noun(limit = $count) {
  const $other = await client.$verb({ limit, path: "/api/v3/$noun" });
  return $other.map((entry) => entry.$noun);
}
"""),
    ),
    "go": _Language(
        head=Template("""package $exchange

import (
\t"context"
\t"fmt"
\t"os"
)

var apiKey, secretKey = os.Getenv("API_KEY"), os.Getenv("SECRET_KEY")
"""),
        paragraph=Template("""
func ${verb}_$noun(ctx context.Context, $other int) error {
\tif $other > $count {
\t\treturn fmt.Errorf("cannot $verb the $noun: %d", $other)
\t}
\treturn nil
}
"""),
    ),
    "yaml": _Language(
        head=Template("exchange:\n  name: $exchange\n  api_key: $${API_KEY}\n  secret_key: $${SECRET_KEY}\nstages:\n"),
        paragraph=Template("  - ${verb}_$noun:\n      every: ${count}s\n      from: $other\n"),
    ),
    "md": _Language(
        head=Template("# Notes on $exchange\n\nPut `API_KEY` and `SECRET_KEY` into the environment.\n"),
        paragraph=Template("\nTo $verb a $noun, look at the $other first, and $verb it again after $count seconds.\n"),
    ),
}


def clean_sources(count: int, seed: int) -> dict[str, str]:
    """File names and texts of 2 to 4 KB in several languages. A third speak of Binance; none holds a value."""
    chance = random.Random(seed)
    kinds = list(_LANGUAGES)
    sources = {}
    for index in range(count):
        kind = kinds[index % len(kinds)]
        exchange = "binance" if index % 3 == 0 else "exchange"
        sources[f"{chance.choice(_NOUNS)}_{index}.{kind}"] = _source(_LANGUAGES[kind], exchange, chance)
    return sources


def log_block(size: int, seed: int) -> bytes:
    """Log lines of so many bytes, or one line more."""
    chance = random.Random(seed)
    lines: list[bytes] = []
    held = 0
    while held < size:
        lines.append(_log_line(chance).encode())
        held += len(lines[-1])
    return b"".join(lines)


def key_pair() -> tuple[str, str]:
    """A generated key and its secret, 64 random base62 characters each."""
    key, secret = ("".join(secrets.choice(_ALPHABET) for _ in range(64)) for _ in range(2))
    return key, secret


def pair_lines() -> str:
    """A generated key and its secret, 64 random base62 characters each, as two lines of settings."""
    key, secret = key_pair()
    return f'BINANCE_API_KEY = "{key}"\nBINANCE_SECRET_KEY = "{secret}"\n'


def plant(folder: Path, name: str) -> tuple[int, int]:
    """Write a settings file with a generated pair; the lines on which its halves are."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"# Account of the trading bot\n{pair_lines()}", encoding="utf-8")
    return 2, 3


def _source(language: _Language, exchange: str, chance: random.Random) -> str:
    text = language.head.substitute(exchange=exchange)
    wanted = chance.randint(LEAST, MOST - 400)
    while len(text) < wanted:
        text += language.paragraph.substitute(
            verb=chance.choice(_VERBS),
            noun=chance.choice(_NOUNS),
            other=chance.choice(_NOUNS),
            count=chance.randint(2, 900),
        )
    return text


def _log_line(chance: random.Random) -> str:
    when = f"2024-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}T{chance.randint(0, 23):02}:00:00"
    what = f"{chance.choice(_VERBS)} {chance.choice(_NOUNS)} {chance.choice(_NOUNS)}={chance.random() * 1e5:.4f}"
    return f"{when} INFO worker-{chance.randint(1, 64)} {what} id={chance.getrandbits(64):016x}\n"
