"""Values as plain bytes inside binaries: databases, compiled code, serialised data; whole, damaged and compressed."""

from __future__ import annotations

import gzip
import io
import marshal
import pickle
import plistlib
import py_compile
import sqlite3
import struct
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from random import Random

import pytest
from binance_leaks.detect import first_test
from binance_leaks.detect.document import documents
from binance_leaks.detect.engine import detect
from binance_leaks.detect.sqlite import table_text
from binance_leaks.findings import Skipped
from binance_leaks.model import Confidence, Credential, Role, Value
from binance_leaks.sources.read_content import read_stream

from tests.corpus.values import hmac_value

Pair = tuple[str, str]
Statement = tuple[str, Sequence[object]]


@pytest.fixture
def rng() -> Random:
    return Random(20)


def new_pairs(rng: Random, number: int = 1) -> list[Pair]:
    return [(hmac_value(rng), hmac_value(rng)) for _ in range(number)]


def digests(pair: Pair) -> set[tuple[Role, str]]:
    key, secret = pair
    values = (Value.of(Role.API_KEY, key.encode()), Value.of(Role.SECRET_KEY, secret.encode()))
    return {(value.role, value.sha256) for value in values}


def found(data: bytes, path: str, at_least: Confidence = Confidence.MEDIUM) -> list[set[tuple[Role, str]]]:
    return as_sets(detect(data, path=path), at_least)


def as_sets(credentials: Iterable[Credential], at_least: Confidence) -> list[set[tuple[Role, str]]]:
    return [
        {(value.role, value.sha256) for value in credential.values}
        for credential in credentials
        if credential.confidence >= at_least
    ]


def assert_found(data: bytes, pairs: Iterable[Pair], path: str = "a.bin") -> None:
    """The pairs are found, and nothing else; the prefilter does not stand in the way."""
    assert first_test.may_hold(data)
    expected = [digests(pair) for pair in pairs]
    got = found(data, path)
    # Not compared by pytest itself, whose message would be of digests alone.
    assert len(got) == len(expected)
    assert all(each in got for each in expected)


# Databases

TABLE = "create table binance_keys(exchange text, label text, api_key text, api_secret text)"


def rows(pairs: Iterable[Pair], exchange: str = "binance") -> list[Statement]:
    return [
        ("insert into binance_keys values (?, ?, ?, ?)", (exchange, f"account {number}", *pair))
        for number, pair in enumerate(pairs)
    ]


def database(tmp_path: Path, *statements: str | Statement, before_closing: str = "") -> bytes:
    path = tmp_path / f"{len(list(tmp_path.iterdir()))}.sqlite"
    connection = sqlite3.connect(path)
    for statement in statements:
        sql, arguments = (statement, ()) if isinstance(statement, str) else statement
        connection.execute(sql, arguments)
    connection.commit()
    log = Path(f"{path}-wal").read_bytes() if before_closing == "wal" else b""
    connection.close()
    return log or path.read_bytes()


@pytest.mark.parametrize("number", [1, 3, 200])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16le", "utf-16be"])
@pytest.mark.parametrize("page_size", [512, 4096, 65536])
def test_accounts_in_a_database(tmp_path: Path, rng: Random, number: int, encoding: str, page_size: int) -> None:
    pairs = new_pairs(rng, number)
    options = (f"pragma page_size={page_size}", f"pragma encoding='{encoding}'")
    assert_found(database(tmp_path, *options, TABLE, *rows(pairs)), pairs)


def test_a_place_in_a_database_is_that_of_the_byte(tmp_path: Path, rng: Random) -> None:
    (pair,) = new_pairs(rng)
    data = database(tmp_path, TABLE, *rows([pair]))
    (credential,) = detect(data, path="a.db")
    places = sorted((each.location.line, each.location.column) for each in credential.occurrences)
    offsets = [data.index(value.encode()) for value in pair]
    assert places == sorted((data.count(b"\n", 0, at) + 1, at - data.rfind(b"\n", 0, at)) for at in offsets)


@pytest.mark.parametrize("options", ["", " without rowid"])
def test_columns_name_the_values_on_every_page(tmp_path: Path, rng: Random, options: str) -> None:
    pairs = new_pairs(rng, 40)
    table = f"create table binance(account integer primary key, api_secret, api_key){options}"
    inserts = [
        ("insert into binance values (?, ?, ?)", (number, secret, key))
        for number, (key, secret) in enumerate(pairs, start=-20)
    ]
    assert_found(database(tmp_path, "pragma page_size=512", table, *inserts), pairs)


def test_numbers_of_every_width_are_before_the_values(tmp_path: Path, rng: Random) -> None:
    (pair,) = new_pairs(rng)
    table = "create table binance(n0, n1, n2, n3, n4, n5, n6, n7, n8, n9, api_secret, api_key)"
    numbers = (None, 0, 1, 1 << 6, 1 << 14, 1 << 22, 1 << 30, 1 << 46, 1 << 62, 0.5)
    insert = ("insert into binance values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", (*numbers, *pair[::-1]))
    assert_found(database(tmp_path, table, insert), [pair])


def test_a_database_that_reports_nothing_of_binance(tmp_path: Path, rng: Random) -> None:
    pairs = new_pairs(rng, 3)
    table = "create table accounts(id integer primary key, label text, api_key text, api_secret text)"
    inserts = [("insert into accounts(label, api_key, api_secret) values ('x', ?, ?)", pair) for pair in pairs]
    data = database(tmp_path, table, *inserts)
    assert_found(data, pairs)
    assert len(found(data, "binance.db", Confidence.HIGH)) == 3
    assert not found(data, "a.db", Confidence.HIGH)


def test_rows_of_other_exchanges_are_theirs(tmp_path: Path, rng: Random) -> None:
    pairs = new_pairs(rng, 3)
    table = "create table accounts(id integer primary key, api_key text, api_secret text, exchange text)"
    inserts = [
        ("insert into accounts(exchange, api_key, api_secret) values (?, ?, ?)", (exchange, *pair))
        for exchange, pair in zip(("kraken", "binance", "okx"), pairs, strict=True)
    ]
    assert_found(database(tmp_path, table, *inserts), pairs[1:2])


@pytest.mark.parametrize(
    "table",
    [
        "create table settings(name text primary key, value text)",
        "create table settings(name text primary key, value text) without rowid",
        "create table settings(id integer primary key, name, value)",
    ],
)
def test_names_and_values_in_columns(tmp_path: Path, rng: Random, table: str) -> None:
    (pair,) = new_pairs(rng)
    settings = zip(("binance_api_key", "binance_api_secret", "theme"), (*pair, "dark"), strict=True)
    data = database(tmp_path, table, *(("insert into settings(name, value) values (?, ?)", row) for row in settings))
    assert_found(data, [pair])


def test_a_table_without_row_numbers_has_its_key_in_front(tmp_path: Path, rng: Random) -> None:
    pairs = new_pairs(rng, 2)
    table = (
        "create table accounts(api_secret text, key int, api_key text, label text, exchange text,"
        " primary key (label, api_key)) without rowid"
    )
    inserts = [("insert into accounts values (?, 1, ?, 'bot', 'binance')", pair[::-1]) for pair in pairs]
    assert_found(database(tmp_path, table, *inserts), pairs)


def test_odd_definitions(tmp_path: Path, rng: Random) -> None:
    (pair,) = new_pairs(rng)
    table = """create table "Exchange (all)"(
        -- (the first column, a comment
        "api secret" TEXT NOT NULL CHECK (length("api secret") > 3), /* ), */ [API Key] varchar(64) default 'a,b',
        `exchange` text, n decimal(10, 2), constraint c unique (n), foreign key (n) references x(y))"""
    insert: Statement = ("insert into 'Exchange (all)' values (?, ?, 'binance', 1.5)", pair[::-1])
    assert_found(database(tmp_path, table, insert), [pair])


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16le"])
@pytest.mark.parametrize("more", ["", " ", "  "])
def test_json_in_a_column_and_blobs(tmp_path: Path, rng: Random, encoding: str, more: str) -> None:
    one, other = new_pairs(rng, 2)
    table = "create table bots(name text, config json, api_key blob, api_secret blob)"
    text = filled('{"exchange": "binance", "apiKey": "{KEY}", "secret": "{SECRET}"}' + more, one)
    blobs = [value.encode() for value in other]
    inserts: list[Statement] = [
        ("insert into bots values ('binance one', ?, null, null)", (text,)),
        ("insert into bots values ('binance two', null, ?, ?)", blobs),
    ]
    assert_found(database(tmp_path, f"pragma encoding='{encoding}'", table, *inserts), [one, other])


@pytest.mark.parametrize(("options", "shortest"), [("", 3890), (" without rowid", 840)])
def test_rows_around_the_longest_that_fit_their_page(tmp_path: Path, rng: Random, options: str, shortest: int) -> None:
    pairs = new_pairs(rng, 70)
    table = f"create table binance(account integer primary key, filler, api_secret, api_key){options}"
    inserts = [
        ("insert into binance values (?, ?, ?, ?)", (number, "x" * (shortest + number), secret, key))
        for number, (key, secret) in enumerate(pairs)
    ]
    assert_found(database(tmp_path, "pragma page_size=4096", table, *inserts), pairs)


@pytest.mark.parametrize("page_size", [512, 1024, 4096])
def test_rows_that_overflow_their_page(tmp_path: Path, rng: Random, page_size: int) -> None:
    pairs = new_pairs(rng, 3)
    table = "create table binance_keys(note text, api_key text, api_secret text)"
    inserts = [
        ("insert into binance_keys values (?, ?, ?)", ("some words " * size, *pair))
        for size, pair in zip((100, 700, 2000), pairs, strict=True)
    ]
    assert_found(database(tmp_path, f"pragma page_size={page_size}", table, *inserts), pairs)


def test_write_ahead_log(tmp_path: Path, rng: Random) -> None:
    pairs = new_pairs(rng, 2)
    data = database(tmp_path, "pragma journal_mode=wal", TABLE, *rows(pairs), before_closing="wal")
    assert data[:3] == b"\x37\x7f\x06"
    assert_found(data, pairs)


def test_a_table_behind_many_others(tmp_path: Path, rng: Random) -> None:
    pairs = new_pairs(rng, 2)
    others = [f"create table t{number}(a, b, c, d, e, {'x' * 60})" for number in range(120)]
    assert_found(database(tmp_path, *others, TABLE, *rows(pairs)), pairs)


def test_a_database_without_values_has_no_text(tmp_path: Path) -> None:
    data = database(tmp_path, TABLE, ("insert into binance_keys values (?, 'a', 'b', 'c')", ("binance",)))
    assert table_text(data) is None
    assert table_text(b"") is None
    assert table_text(b"SQLite format 3\0") is None


def row_of_many_columns(columns: int, value: bytes) -> bytes:
    """A database with one row over many pages: columns of one letter each, then a long one."""
    usable = 512
    letter, long = b"\x0f", (13 + 2 * len(value)).to_bytes(2, "big")
    long = bytes([long[1] >> 7 | long[0] << 1 | 128, long[1] & 127])
    header = columns + len(long) + 4
    record = varint(header) + letter * columns + long + b"a" * columns + value
    least = (usable - 12) * 32 // 255 - 23
    local = least + (len(record) - least) % (usable - 4)
    local = local if local <= usable - 35 else least
    cell = varint(len(record)) + b"\1" + record[:local] + (3).to_bytes(4, "big")
    first = b"SQLite format 3\0\2\0\1\1\0\x40\x20\x20".ljust(100, b"\0") + b"\x0d"
    at = (usable - len(cell)).to_bytes(2, "big")
    leaf = (b"\x0d\0\0\0\1" + at + b"\0" + at).ljust(usable - len(cell), b"\0") + cell
    rest = [record[start : start + usable - 4] for start in range(local, len(record), usable - 4)]
    after = [*range(4, 3 + len(rest)), 0]
    overflow = [number.to_bytes(4, "big") + part for number, part in zip(after, rest, strict=True)]
    return b"".join(page.ljust(usable, b"\0") for page in (first, leaf, *overflow))


def varint(number: int) -> bytes:
    """A number of SQLite in four bytes."""
    return bytes([number >> 21 & 127 | 128, number >> 14 & 127 | 128, number >> 7 & 127 | 128, number & 127])


def test_columns_of_a_long_row_take_work_in_proportion(rng: Random) -> None:
    def seconds(columns: int) -> float:
        data, taken = row_of_many_columns(columns, hmac_value(rng).encode()), []
        for _ in range(3):
            before = time.process_time()
            found = table_text(data)
            taken.append(time.process_time() - before)
        assert found is not None
        assert found.text.count("\n") > columns
        return min(taken)

    assert seconds(200_000) < 20 * seconds(25_000)


def test_work_on_a_hostile_database_is_bounded(rng: Random) -> None:
    """Every cell of a page is the same long row, over and over; trees that hold themselves."""
    size = 1 << 16
    page = bytearray(size)
    page[:16] = b"SQLite format 3\0"
    page[16:18] = b"\0\1"
    page[100:112] = b"\x05\0\0\xff\xff\0\0\0" + struct.pack(">I", 1)
    leaf = bytearray(size)
    leaf[:8] = b"\x0d\0\0\xff\xff\0\0\0"
    for cell in range(8, 30000, 2):
        leaf[cell : cell + 2] = struct.pack(">H", 30000 + cell)
    leaf[30000:] = (hmac_value(rng).encode() * 600)[: size - 30000]
    data = bytes(page + leaf * 4)
    text = table_text(data)
    assert text is not None
    assert len(text.text) <= 8 * len(data)


# Compiled code

KEY, SECRET = "{KEY}", "{SECRET}"
MODULES = {
    "constants": 'import binance\nAPI_KEY = "{KEY}"\nAPI_SECRET = "{SECRET}"\n',
    "short names": 'import binance\nsecret = "{SECRET}"\nkey = "{KEY}"\n',
    "secret first": 'import binance\nAPI_SECRET = "{SECRET}"\nAPI_KEY = "{KEY}"\n',
    "call": 'from binance.client import Client\nclient = Client("{KEY}", "{SECRET}")\n',
    "keywords": 'from binance.spot import Spot\nclient = Spot(api_secret="{SECRET}", api_key="{KEY}")\n',
    "class": 'class BinanceConfig:\n    api_key = "{KEY}"\n    api_secret = "{SECRET}"\n',
    "dict": 'import ccxt\nexchange = ccxt.binance({"apiKey": "{KEY}", "secret": "{SECRET}"})\n',
    "dict with more": 'BINANCE = {"api_key": "{KEY}", "api_secret": "{SECRET}", "testnet": False}\n',
    "local": (
        'import binance\ndef run():\n    api_key = "{KEY}"\n    secret = "{SECRET}"\n'
        "    return binance.Client(api_key, secret)\n"
    ),
    "defaults": (
        'import binance\ndef run(api_key="{KEY}", api_secret="{SECRET}"):\n'
        "    return binance.Client(api_key, api_secret)\n"
    ),
    "environment": (
        'import os\nKEY = os.getenv("BINANCE_API_KEY", "{KEY}")\nSECRET = os.getenv("BINANCE_API_SECRET", "{SECRET}")\n'
    ),
    "tuple": 'import binance\nCREDENTIALS = ("{KEY}", "{SECRET}")\n',
    "nested": (
        "import binance\nclass A:\n    class B:\n        def f(self):\n"
        '            return binance.Client("{KEY}", "{SECRET}")\n'
    ),
}


def filled(template: str, pair: Pair) -> str:
    return template.replace(KEY, pair[0]).replace(SECRET, pair[1])


def compiled(tmp_path: Path, source: str) -> bytes:
    path = tmp_path / "settings.py"
    path.write_text(source, encoding="utf-8")
    target = py_compile.compile(str(path), cfile=str(tmp_path / "settings.pyc"), doraise=True)
    assert target is not None
    return Path(target).read_bytes()


@pytest.mark.parametrize("name", MODULES)
def test_compiled_python(tmp_path: Path, rng: Random, name: str) -> None:
    (pair,) = new_pairs(rng)
    assert_found(compiled(tmp_path, filled(MODULES[name], pair)), [pair], "settings.pyc")


@pytest.mark.parametrize("version", range(5))
@pytest.mark.parametrize("name", ["constants", "call", "nested"])
def test_marshalled_code(rng: Random, name: str, version: int) -> None:
    (pair,) = new_pairs(rng)
    assert_found(marshal.dumps(compile(filled(MODULES[name], pair), "m.py", "exec"), version), [pair])


def test_two_accounts_in_compiled_python(tmp_path: Path, rng: Random) -> None:
    pairs = new_pairs(rng, 2)
    lines = [
        f'{name}_API_KEY = "{key}"\n{name}_API_SECRET = "{secret}"\n'
        for name, (key, secret) in zip(("MAIN", "ALT"), pairs, strict=True)
    ]
    assert_found(compiled(tmp_path, "import binance\n" + "".join(lines)), pairs)


def test_a_lone_secret_in_compiled_python(tmp_path: Path, rng: Random) -> None:
    _, secret = new_pairs(rng)[0]
    data = compiled(tmp_path, f'BINANCE_SECRET_KEY = "{secret}"\n')
    value = Value.of(Role.SECRET_KEY, secret.encode())
    assert found(data, "a.pyc") == [{(value.role, value.sha256)}]


def java_class(*strings: str) -> bytes:
    constants = b"".join(b"\x01" + struct.pack(">H", len(text)) + text.encode() for text in strings)
    return b"\xca\xfe\xba\xbe\0\0\0\x34" + struct.pack(">H", len(strings) + 1) + constants + b"\0\x21\0\x02"


@pytest.mark.parametrize(
    "strings",
    [
        ("org/BinanceConfig", "API_KEY", "Ljava/lang/String;", "ConstantValue", KEY, "API_SECRET", SECRET, "Code"),
        ("com/binance/api/client/BinanceApiClientFactory", "newInstance", "(Ljava/lang/String;)V", KEY, SECRET, "Code"),
        ("com/binance/api/client/BinanceApiClientFactory", KEY, SECRET, "Code", "API_KEY", "SECRET_KEY"),
        ("com/binance/api/client/BinanceApiClientFactory", SECRET, KEY, "Code", "SECRET_KEY", "API_KEY"),
    ],
)
def test_java_class(rng: Random, strings: Sequence[str]) -> None:
    (pair,) = new_pairs(rng)
    assert_found(java_class(*(filled(text, pair) for text in strings)), [pair], "Config.class")


def user_strings(*strings: str) -> bytes:
    """The heap of string literals of a .NET assembly: UTF-16 with a length in front and a flag behind."""
    parts = []
    for text in strings:
        raw = text.encode("utf-16-le") + b"\0"
        parts.append((bytes([len(raw)]) if len(raw) < 0x80 else struct.pack(">H", 0x8000 | len(raw))) + raw)
    return b"MZ\x90\0" + bytes(range(256)) + b"".join(parts) + b"\0\0"


@pytest.mark.parametrize(
    "strings",
    [
        ("https://api.binance.com", "X-MBX-APIKEY", KEY, SECRET, "other"),
        ("https://api.binance.com", "ApiKey", KEY, "ApiSecret", SECRET),
        ("https://api.binance.com/", "", "ApiKey", KEY, "ApiSecret!", SECRET),
    ],
)
def test_dotnet_strings(rng: Random, strings: Sequence[str]) -> None:
    (pair,) = new_pairs(rng)
    data = user_strings(*(filled(text, pair) for text in strings))
    assert_found(data, [pair], "Bot.dll")
    (credential,) = detect(data, path="Bot.dll")
    assert len(credential.occurrences) == 2


def test_native_program(rng: Random) -> None:
    (pair,) = new_pairs(rng)
    strings = ("https://api.binance.com/api/v3/order", "X-MBX-APIKEY", *pair, "GLIBC_2.34")
    data = b"\x7fELF\x02\x01\x01" + bytes(57) + b"".join(each.encode() + b"\0" for each in strings)
    assert_found(data, [pair], "bot")


# Serialised data


def protobuf(*fields: str) -> bytes:
    return b"".join(bytes([8 * (at + 1) + 2, len(each)]) + each.encode() for at, each in enumerate(fields))


def msgpack(settings: Mapping[str, str]) -> bytes:
    texts = [part for item in settings.items() for part in item]
    lengths = [b"\xd9" + bytes([len(text)]) if len(text) > 31 else bytes([0xA0 | len(text)]) for text in texts]
    strings = (length + text.encode() for length, text in zip(lengths, texts, strict=True))
    return bytes([0x80 | len(settings)]) + b"".join(strings)


def bson(settings: Mapping[str, str]) -> bytes:
    items = (
        b"\x02" + name.encode() + b"\0" + struct.pack("<i", len(value) + 1) + value.encode() + b"\0"
        for name, value in settings.items()
    )
    body = b"".join(items)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def property_list(settings: Mapping[str, str]) -> bytes:
    return plistlib.dumps(dict(settings), fmt=plistlib.FMT_BINARY)


def pickled(protocol: int) -> Callable[[Mapping[str, str]], bytes]:
    return lambda settings: pickle.dumps(dict(settings), protocol)


SERIALISERS: Mapping[str, Callable[[Mapping[str, str]], bytes]] = {
    **{f"pickle {protocol}": pickled(protocol) for protocol in range(6)},
    "msgpack": msgpack,
    "bson": bson,
    "property list": property_list,
}
NAMES = [
    ("binance_api_key", "binance_api_secret"),
    ("apiKey", "secret"),
    ("api_key", "api_secret"),
    ("key", "secret"),
    ("API Key", "Secret Key"),
    ("publicKey", "apiSecret"),
    ("binance_key", "binance_api_secret"),
    ("binance_public_key", "binance_api_secret"),
    ("my_key_of_binance", "account_secret"),
]


@pytest.mark.parametrize("names", NAMES, ids=str)
@pytest.mark.parametrize("kind", SERIALISERS)
def test_serialised_settings(rng: Random, kind: str, names: Pair) -> None:
    (pair,) = new_pairs(rng)
    data = SERIALISERS[kind]({"exchange": "binance", **dict(zip(names, pair, strict=True))})
    assert_found(data, [pair])


@pytest.mark.parametrize(
    "names",
    [("binance_api_key", "binance_secret_key"), ("API_KEY_BINANCE", "SECRET_KEY_BINANCE"), ("publicKey", "apiSecret")],
)
@pytest.mark.parametrize("kind", SERIALISERS)
def test_serialised_settings_secret_first(rng: Random, kind: str, names: Pair) -> None:
    """A property list has the length of a name as a letter: what is S for a name is 3 for another."""
    (pair,) = new_pairs(rng)
    assert_found(SERIALISERS[kind]({names[1]: pair[1], names[0]: pair[0], "n": "1"}), [pair])


@pytest.mark.parametrize("fields", [("binance", KEY, SECRET), ("binance", "api_key", KEY, "api_secret", SECRET)])
def test_length_delimited_fields(rng: Random, fields: Sequence[str]) -> None:
    (pair,) = new_pairs(rng)
    assert_found(protobuf(*(filled(field, pair) for field in fields)), [pair], "account.pb")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_registry_dump(rng: Random, encoding: str) -> None:
    (pair,) = new_pairs(rng)
    text = "Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Environment]\r\n"
    text += '"BINANCE_API_KEY"="{KEY}"\r\n"BINANCE_API_SECRET"="{SECRET}"\r\n'
    assert_found(filled(text, pair).encode(encoding), [pair], "environment.reg")


# Compressed and damaged


def samples(tmp_path: Path, rng: Random, pair: Pair) -> list[bytes]:
    return [
        database(tmp_path, TABLE, *rows([pair])),
        database(tmp_path, "pragma page_size=512", TABLE, *rows([pair, *new_pairs(rng, 20)])),
        database(tmp_path, "pragma journal_mode=wal", TABLE, *rows([pair]), before_closing="wal"),
        compiled(tmp_path, filled(MODULES["constants"], pair)),
        java_class("com/example/BinanceConfig", "API_KEY", pair[0], "API_SECRET", pair[1]),
        user_strings("https://api.binance.com", "ApiKey", pair[0], "ApiSecret", pair[1]),
        *(dump({"binance_api_key": pair[0], "binance_api_secret": pair[1]}) for dump in SERIALISERS.values()),
    ]


def test_compressed_binaries(tmp_path: Path, rng: Random) -> None:
    (pair,) = new_pairs(rng)
    for number, data in enumerate(samples(tmp_path, rng, pair)):
        pieces = list(read_stream("a.gz", "a.gz", io.BytesIO(gzip.compress(data))))
        assert not any(isinstance(piece, Skipped) for piece in pieces)
        got = [each for piece in pieces if not isinstance(piece, Skipped) for each in found(piece.data, piece.path)]
        assert digests(pair) in got, number


def test_damaged_binaries_are_read_as_far_as_they_go(tmp_path: Path, rng: Random) -> None:
    (pair,) = new_pairs(rng)
    for data in samples(tmp_path, rng, pair):
        for _ in range(30):
            damaged = bytearray(data[: rng.randrange(len(data) + 1)] if rng.random() < 0.4 else data)
            for _ in range(rng.choice((0, 1, 8, 64)) if damaged else 0):
                damaged[rng.randrange(min(len(damaged), rng.choice((200, len(damaged)))))] ^= 1 << rng.randrange(8)
            assert all(document.position(len(document.text)) >= (1, 0) for document in documents(bytes(damaged)))
            detect(bytes(damaged), path="binance.db")


def literal(text: str) -> bytes:
    """A string of the heap of literals in a .NET assembly."""
    return b"\x80\x81" + text.encode("utf-16-le") + b"\0"


ASSEMBLY = b"MZ\x90\0 .NETCoreApp #Strings\0 Binance.NetCore\0BinanceApiClient\0 #US\0 \0"


@pytest.mark.parametrize(
    "strings",
    [
        ("binance", "ApiKey", "{KEY}", "ApiSecret", "{SECRET}"),
        ("binance_api_key={KEY}", "binance_api_secret={SECRET}"),
    ],
    ids=["behind others", "the first"],
)
def test_a_place_in_wide_strings_is_that_of_the_byte(rng: Random, strings: Sequence[str]) -> None:
    (pair,) = new_pairs(rng)
    data = user_strings(*(filled(each, pair) for each in strings))
    (credential,) = detect(data, path="a.dll")
    places = sorted((each.location.line, each.location.column) for each in credential.occurrences)
    offsets = [data.index(value.encode("utf-16-le")) for value in pair]
    assert places == [(data.count(b"\n", 0, at) + 1, at - data.rfind(b"\n", 0, at)) for at in offsets]


@pytest.mark.parametrize("before", ["", "hello world", "data/keys.txt", "log.txt", "appsettings.json", "hash.txt"])
def test_names_of_an_assembly_belong_to_its_literals(rng: Random, before: str) -> None:
    pairs = new_pairs(rng)
    data = ASSEMBLY + (literal(before) if before else b"")
    for key, secret in pairs:
        data += literal(key) + literal(secret)
    assert_found(data, pairs, path="bin/bot.dll")


def test_an_assembly_that_reports_nothing_of_binance(rng: Random) -> None:
    ((key, secret),) = new_pairs(rng)
    data = ASSEMBLY.replace(b"Binance", b"Kitchen") + literal(key) + literal(secret)
    assert found(data, "bin/bot.dll") == []
