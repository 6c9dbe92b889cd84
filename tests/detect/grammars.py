"""Grammars of hostile and of ordinary large files, to show that the work of the detector grows with the size.

Each makes a text of at least a size, of one kind that once took, or could take, more than linear time. Every text has
something for the sieve at its end, so that the detector reads it. Values are random.
"""

from __future__ import annotations

import base64
import random
import string
from collections.abc import Callable
from dataclasses import dataclass

_ALNUM = string.ascii_letters + string.digits
_HEX = "0123456789abcdef"
_Piece = Callable[[random.Random], str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Grammar:
    """A kind of text: a head, then pieces until it is large enough, then a tail."""

    name: str
    piece: _Piece
    head: str = "name = binance\n"
    tail: str = ""
    of_values: bool = False
    """Whether it is nothing but values or what looks like them."""

    def text(self, size: int, seed: int = 1) -> bytes:
        """Return a text of about `size` bytes, or a little more."""
        source = random.Random(seed)
        parts = [self.head]
        length = len(self.head)
        while length < size:
            parts.append(self.piece(source))
            length += len(parts[-1])
        tail = self.tail or f'\nbinance_api_key = "{_value(source)}"\n'
        return "".join([*parts, tail]).encode()


def _value(source: random.Random) -> str:
    return "".join(source.choices(_ALNUM, k=61)) + "aZ7"


def _hex(source: random.Random, length: int = 64) -> str:
    return "".join(source.choices(_HEX, k=length))


def _word(source: random.Random) -> str:
    return "".join(source.choices(string.ascii_lowercase, k=source.randint(1, 9)))


def _base64(source: random.Random, length: int) -> str:
    return base64.b64encode(source.randbytes(length)).decode()


def _certificate(source: random.Random) -> str:
    body = _base64(source, 48 * 24)
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"\n# Issuer: CN={_word(source)}\n-----BEGIN CERTIFICATE-----\n{lines}\n-----END CERTIFICATE-----\n"


def _repeated(text: str) -> _Piece:
    return lambda source: text  # noqa: ARG005 - a grammar that draws nothing


def _chosen(*texts: str) -> _Piece:
    return lambda source: source.choice(texts)


def _grammar(name: str, piece: str | _Piece, *, head: str = "name = binance\n", tail: str = "") -> Grammar:
    return Grammar(name=name, piece=_repeated(piece) if isinstance(piece, str) else piece, head=head, tail=tail)


def _values(name: str, piece: _Piece, *, head: str = "name = binance\n") -> Grammar:
    return Grammar(name=name, piece=piece, head=head, of_values=True)


_PIECE = '"' + "aB3" * 7 + '"'

WITHOUT_VALUES = (
    _grammar("double quotes", '"'),
    _grammar("quotes of all kinds", _chosen('"', "'", "`", '\\"')),
    _grammar("brackets", "["),
    _grammar("brackets of all kinds", _chosen(*"()[]{}<>")),
    _grammar("slashes", "/"),
    _grammar("blanks", " "),
    _grammar("lines that are blank", "\n"),
    _grammar("tabs and line feeds", _chosen("\t", "\n", " ", "\r\n")),
    _grammar("joiners", _chosen("+", ".", "&", "|", "<>", "~", "_", ";", "\\")),
    _grammar("backslashes", "\\"),
    _grammar("escapes", _chosen("\\n", '\\"', "\\u0022", "\\x1b[0m", "%20", "%2525", "\\\\")),
    _grammar("percent signs", "%25"),
    _grammar("equal signs", "="),
    _grammar("hyphens", "-----"),
    _grammar("numbers of lists", _chosen("- ", "* ", "# ", "/* ", "// ")),
    _grammar("dots and names", lambda source: f".{_word(source)}"),
    _grammar("words", lambda source: f"{_word(source)} "),
    _grammar("single letters", " L"),
    _grammar("chains of assignments", "testnet:="),
    _grammar("settings of environments", _chosen("testnet ", "demo ", "sandbox=", "live ", "true ", "(")),
    _grammar("words of names", _chosen("api_key ", "secret ", "binance ", "key: ", "private key ")),
    _grammar("names of other exchanges", _chosen("kraken ", "kucoin, ", "okx=", "gate.io ")),
    _grammar("PEM headers", "-----BEGIN PRIVATE KEY-----"),
    _grammar("PEM header lines", " Version:", head="binance\n-----BEGIN A-----"),
    _grammar("PEM with quotes and blanks", '"  ', head="-----BEGIN PRIVATE KEY-----"),
    _grammar("PEM words", _chosen("-----BEGIN ", "-----END ", "PRIVATE KEY-----", "RSA ", "MII", "\n", "Comment: x\n")),
    _grammar("base64 heads of keys", _chosen("MC4CAQAwBQYDK2VwBCIEI", "MIIAAIBAAKCAQEA", "LS0tLS1CRUdJTi", "IBAAKCA")),
    _grammar("base64 of PEM", "LS0tLS1CRUdJTi"),
    _grammar("pieces with blanks", lambda source: f"{_PIECE} +{' ' * source.randint(0, 200)}"),
    _grammar("a piece, then blanks", " ", head=f"binance k = {_PIECE} + {_PIECE}", tail="x\n"),
    _grammar("pieces", lambda source: f'"{_value(source)[:20]}" + '),
    _grammar("pieces in a list", lambda source: f'"{_value(source)[:20]}", '),
    _grammar("joined lists", 'join(["'),
    _grammar("appended names", "aaaaaaaaaaaaaaaaaaaa' x +="),
    _grammar("a long run", lambda source: _value(source), tail="_\n"),
    _grammar("a long run of hex", lambda source: _hex(source), tail="__$x$__\n"),
    _grammar("long runs with joiners", lambda source: _value(source) * 20 + source.choice("_-=/+")),
    _grammar(
        "unlinked contracts", lambda source: f'{{"bytecode":"0x{_hex(source, 3000)}__${_hex(source, 34)}$__63"}}\n'
    ),
    _grammar("seeds", lambda source: _base64(source, 32)),
    _grammar("CSV", lambda source: ",".join(_word(source) for _ in range(6)) + "\n"),
    _grammar("CSV with a header", lambda source: f"{source.random()},{_word(source)}\n", head="binance key,secret\n"),
    _grammar("depth of JSON", '{"a":['),
    _grammar("depth of indents", lambda source: " " * source.randint(0, 400) + "x:\n"),
    _grammar("table cells", "<td>"),
    _grammar("tags", _chosen("<td>", "</td>", "<b ", ">", "<code>", "</")),
    _grammar("SQL", "insert into a ("),
    _grammar("addresses", "'http://a'"),
    _grammar("records of JSON", lambda source: f'{{"name": "{_word(source)}", "value": "{_word(source)}"}},\n'),
    _grammar("records on one line", lambda source: f'{{"name": "{_word(source)}", "value": "{_word(source)}"}},'),
    _grammar("letters of two bytes", _chosen("é", "密钥 ", "ключ: ", "비밀=")),
)

OF_VALUES = (
    _values("digests, one a line", lambda source: _hex(source) + "\n"),
    _values("digests with names of files", lambda source: f"{_hex(source)}  {_word(source)}.tar.gz\n"),
    _values("digests of a lock file", lambda source: f'    "sha256:{_hex(source)}",\n'),
    _values("digests named as keys", lambda source: f"api_key={_hex(source)}\n"),
    _values("transactions", lambda source: f'{{"txid": "{_hex(source)}", "n": {source.randint(0, 9)}}}\n'),
    _values("bare values, one a line", lambda source: _value(source) + "\n"),
    _values("values on one line", lambda source: f'"{_value(source)}", '),
    _values("values with blanks between", lambda source: _value(source) + " "),
    _values("pairs", lambda source: f"API_KEY={_value(source)}\nAPI_SECRET={_value(source)}\n"),
    _values("pairs on one line", lambda source: f'Client("{_value(source)}", "{_value(source)}");'),
    _values(
        "pairs of accounts",
        lambda source: f"{_word(source)}_key: {_value(source)}\n{_word(source)}_secret: {_value(source)}\n",
    ),
    _values("keys only", lambda source: f"binance_api_key={_value(source)}\n"),
    _values(
        "rows of CSV",
        lambda source: f"{_word(source)},{_value(source)},{_value(source)}\n",
        head="binance,key,secret\n",
    ),
    _values(
        "rows of SQL",
        lambda source: f"('{_word(source)}','{_value(source)}'),\n",
        head="insert into binance (a, secret) values\n",
    ),
    _values(
        "records",
        lambda source: f'{{"exchange": "binance", "apiKey": "{_value(source)}", "secret": "{_value(source)}"}},\n',
    ),
    _values("records on one line", lambda source: f'{{"name": "api_key", "value": "{_value(source)}"}},'),
    _values("values in base64", lambda source: f"k: {base64.b64encode(_value(source).encode()).decode()}\n"),
    _values("split values", lambda source: (lambda value: f'k = "{value[:32]}" + "{value[32:]}"\n')(_value(source))),
    _values("values in indents", lambda source: " " * source.randint(0, 40) + f"key: {_value(source)}\n"),
    _values(
        "values with hints",
        lambda source: f"{source.choice(('testnet', 'live', 'demo=true', 'kraken'))} {_value(source)}\n",
    ),
    _values(
        "values with hints on one line",
        lambda source: source.choice(("export ", "//", "if ", "demo", f'"{_value(source)}"')),
    ),
    _values("values behind hyphens", lambda source: f"{_word(source)}-{_value(source)} "),
    _values("named seeds", lambda source: f"private_key = {_base64(source, 32)}\n"),
    _values("certificates", _certificate),
    _values("base64 of one block", lambda source: _base64(source, 48) + "\n"),
    _values("strings of a binary", lambda source: f"\0\1api_key\0{_value(source)}\0\2"),
    _values("lines of MessagePack", lambda source: f"\2\3{_value(source)}\4"),
)

GRAMMARS = (*WITHOUT_VALUES, *OF_VALUES)
