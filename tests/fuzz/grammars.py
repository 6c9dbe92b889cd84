"""Grammars of the formats, for hypothesis: what a mutation of bytes hardly ever reaches, because packing hides it."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests import mailboxes
from tests.container_images import Layer, configuration, docker_archive, oci_layout, tarred
from tests.exports import EXPORTS, Sent
from tests.forged_packs import OFS_DELTA, REF_DELTA, back, header
from tests.fuzz import seeds
from tests.fuzz.planted import Planted
from tests.sources.test_archives import zipped
from tests.sources.test_pdf import pdf

Inputs = SearchStrategy[bytes]
_HOSTILE = (
    "",
    "\0",
    "\n",
    "\r",
    '"',
    "'",
    "\\",
    "../",
    "\u202e",
    "\ud800",
    "{{",
    "$(x)",
    "::error::",
    "<script>",
    "ü" * 9,
)
_NUMBERS = (
    0,
    1,
    -1,
    255,
    1 << 31,
    1 << 32,
    1 << 63,
    -(1 << 63),
    10**25,
    10**400,
    1e308,
    float("nan"),
    float("inf"),
    0.5,
)


def inputs_of(strategy: Inputs) -> Callable[[bytes], bytes | None]:
    """What makes an input of a strategy from random bytes; None where those do not suffice."""
    made: list[bytes] = []

    @settings(database=None, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.generate])
    @given(strategy)
    def take(data: bytes) -> None:
        made.append(data)

    fuzz = cast("Callable[[bytes], object]", take.hypothesis.fuzz_one_input)  # type: ignore[attr-defined]

    def make(choices: bytes) -> bytes | None:
        made.clear()
        fuzz(choices)
        return made[-1] if made else None

    return make


def _words(planted: Planted) -> SearchStrategy[str]:
    """Pieces of texts: values, halves of them, names, what joins and ends them."""
    key, secret = planted.pair.key, planted.pair.secret
    names = ("binance", "api_key", "apiKey", "secret", "API_SECRET", "testnet", "X-MBX-APIKEY", "kraken", "Client(")
    signs = (*"=:,;()[]{}<>#\"'`+-./\\\n\t ", "\r\n", " = ", '": "', "\\n", "%3D", "&quot;", "\\u0022", "-----BEGIN ")
    marks = ("binance-leaks: allow", "pragma: allowlist secret", "allow next line", "-----END ", "PRIVATE KEY-----")
    values = (
        key,
        secret,
        key,
        secret,
        key[:32],
        key[32:],
        secret[:20],
        key.lower(),
        "ab" * 32,
        key + "=",
        secret[::-1],
    )
    return st.sampled_from((*names, *signs, *marks, *values, *_HOSTILE)) | st.text(max_size=6)


def texts(planted: Planted) -> SearchStrategy[str]:
    """Texts of such pieces."""
    return st.lists(_words(planted), max_size=40).map("".join)


def _utf8(planted: Planted) -> SearchStrategy[str]:
    """Texts that can be encoded."""
    return texts(planted).map(lambda text: text.encode("utf-8", "replace").decode())


def documents(planted: Planted) -> Inputs:
    """Texts in several encodings."""
    encodings = st.sampled_from(("utf-8", "utf-8", "utf-8-sig", "utf-16", "utf-16-be", "latin-1", "utf-32"))
    return st.builds(lambda text, name: text.encode(name, "replace"), texts(planted), encodings)


def json_like(planted: Planted, samples: Sequence[bytes]) -> Inputs:
    """Sound JSON of a format in which a few parts have become others, are gone, twice, or elsewhere."""
    parsed = [json.loads(sample) for sample in samples]
    atoms: SearchStrategy[object] = st.sampled_from((None, True, False, [], {}, *_NUMBERS)) | _words(planted)
    values = st.recursive(
        atoms, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words(planted), inner, max_size=3)
    )

    @st.composite
    def edited(draw: st.DrawFn) -> bytes:
        whole: object = draw(st.sampled_from(parsed))
        for _ in range(draw(st.integers(1, 3))):
            whole = _edit(draw, whole, values, draw(st.integers(0, 6)))
        return json.dumps(whole, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")

    return edited()


def _edit(draw: st.DrawFn, part: object, values: SearchStrategy[object], depth: int) -> object:
    if depth == 0 or not part or not isinstance(part, (dict, list)):
        return draw(values)
    keys: list[str | int] = list(part) if isinstance(part, dict) else list(range(len(part)))
    key = draw(st.sampled_from(keys))
    copy: dict[str | int, object] = dict(part) if isinstance(part, dict) else dict(enumerate(part))
    match draw(st.sampled_from(("into", "into", "into", "into", "drop", "swap", "add"))):
        case "drop":
            del copy[key]
        case "swap":
            other = draw(st.sampled_from(keys))
            copy[key], copy[other] = copy[other], copy[key]
        case "add":
            copy[f"{key}x" if isinstance(part, dict) else len(copy)] = copy[key]
        case _:
            copy[key] = _edit(draw, copy[key], values, depth - 1)
    return copy if isinstance(part, dict) else list(copy.values())


def json_of(make: Callable[[Planted], Sequence[bytes]]) -> Callable[[Planted], Inputs]:
    """Such JSON of the seeds of a format that are JSON."""

    def grammar(planted: Planted) -> Inputs:
        return json_like(planted, [sample for sample in make(planted) if _is_json(sample)])

    return grammar


def _is_json(sample: bytes) -> bool:
    try:
        json.loads(sample)
    except ValueError:
        return False
    return True


def _files(planted: Planted) -> SearchStrategy[Mapping[str, bytes]]:
    names = _utf8(planted).map(lambda text: text.replace("\0", "_")[:200] or "a")
    return st.dictionaries(names, documents(planted), min_size=1, max_size=4)


def archives(planted: Planted) -> Inputs:
    """Archives in archives."""
    leaves = _files(planted).map(zipped) | _files(planted).map(tarred)

    def wrapped(inner: Inputs) -> Inputs:
        return st.one_of(
            inner.map(lambda data: zipped({"a.zip": data, "b.gz": gzip.compress(data, mtime=0)})),
            inner.map(lambda data: tarred({"a.tar": data})),
            inner.map(lambda data: gzip.compress(data, mtime=0)),
            inner.map(lambda data: zlib.compress(b"blob %d\0" % len(data) + data)),
        )

    return st.recursive(leaves, wrapped, max_leaves=3)


def images(planted: Planted) -> Inputs:
    """Images of containers."""
    layer = st.builds(lambda command, files: Layer(command=command, files=files), _utf8(planted), _files(planted))
    layers = st.lists(layer,
                      min_size=1, max_size=3)  # fmt: skip
    config = st.dictionaries(
        st.sampled_from(("Env", "Cmd", "Labels", "Entrypoint")), st.lists(texts(planted), max_size=3)
    )

    def made(stack: Sequence[Layer], settings: Mapping[str, object], is_layout: bool) -> bytes:
        whole = configuration(stack, settings, "ENV A=b")
        if is_layout:
            return tarred(oci_layout(stack, whole, lambda data: gzip.compress(data, mtime=0)))
        return docker_archive(stack, whole)

    return st.builds(made, layers, config, st.booleans())


def _chats(planted: Planted) -> SearchStrategy[Sequence[Sent]]:
    lines = _utf8(planted)
    authors = lines.map(lambda text: "".join(text.split())[:30] or "Ann")
    sent = st.builds(lambda author, minute, text: Sent(author=author, minute=minute, text=text),
                     authors, st.integers(0, 59), lines)  # fmt: skip
    return st.lists(sent, min_size=2, max_size=5)


def exports(planted: Planted) -> Inputs:
    """Exports of chats."""
    writers = st.sampled_from([write for _, write in EXPORTS.values()])
    return st.builds(lambda chat, write: write(chat), _chats(planted), writers)


def mails(planted: Planted) -> Inputs:
    """Messages with headers and parts of any text."""
    names = ("From", "To", "Subject", "Date", "Content-Type", "Content-Transfer-Encoding", "Content-Disposition",
             "MIME-Version", "Message-ID", "Content-Location")  # fmt: skip
    words = ("multipart/mixed; boundary=B", "text/html; charset=utf-7", "message/rfc822", "base64", "quoted-printable",
             "attachment; filename*=utf-8''x%00", "=?utf-8?q?=41?=", "Tue, 05 Mar 2024 11:00:00 +9999")  # fmt: skip
    value = st.sampled_from(words) | _utf8(planted).map(lambda text: text.replace("\n", "\n ")[:300])
    header_lines = st.lists(st.tuples(st.sampled_from(names), value), min_size=3, max_size=8)

    def part(headers: Sequence[tuple[str, str]], body: str) -> str:
        return "".join(f"{name}: {text}\n" for name, text in headers) + f"\n{body}\n"

    leaf = st.builds(part, header_lines, _utf8(planted))
    nested = st.builds(lambda whole, parts: "--B\n".join([whole, *parts]) + "--B--\n", leaf, st.lists(leaf, max_size=4))
    return nested.map(str.encode)


def outlook_files(planted: Planted) -> Inputs:
    """Messages of Outlook."""
    attached = st.lists(st.tuples(_utf8(planted).map(lambda text: text[:60]),
                                  documents(planted)), max_size=3)  # fmt: skip
    return st.builds(
        lambda chat, files, scattered: mailboxes.outlook(chat[0], files, scattered=scattered),
        _chats(planted), attached, st.booleans(),
    )  # fmt: skip


def pdfs(planted: Planted) -> Inputs:
    """PDF files whose content streams and objects are of random tokens."""
    tokens = ("BT ", "ET ", "Tj ", "TJ ", "Td ", "Tf ", "'", "/F1 9 ", "/F2 ", "[", "]", "<<", ">>", "(", ")", "<0022>",
              "1 0 R ", "-900 ", "99999999999999999999 ", "BI ", "ID ", "stream\n", "endstream ",
              "/Length ", "Do ")  # fmt: skip
    content = st.lists(st.sampled_from(tokens) | _words(planted), max_size=40).map(
        lambda parts: "".join(parts).encode("utf-8", "replace")
    )
    filters = st.sampled_from(("", "Flate", "Flate85", "FlateHex", "Hex"))
    objects = st.dictionaries(st.integers(1, 9), content, max_size=3)
    return st.builds(lambda text, more, packing: pdf(text, more, filters=packing), content, objects, filters)


def notebooks(planted: Planted) -> Inputs:
    """Edited notebooks."""
    return json_like(planted, seeds.notebooks(planted))


def trees(planted: Planted) -> Inputs:
    """Entries of trees."""
    modes = st.sampled_from((b"100644", b"40000", b"120000", b"160000", b"7", b"", b"040000", b"9" * 30))
    names = _words(planted).map(lambda word: word.encode("utf-8", "surrogatepass").replace(b"\0", b"")) | st.just(
        b"x" * 64
    )
    ids = st.binary(min_size=20, max_size=20) | st.just(bytes(20))
    entry = st.builds(lambda mode, name, digest: mode + b" " + name + b"\0" + digest, modes, names, ids)
    return st.lists(entry, max_size=8).map(b"".join)


def commits(planted: Planted) -> Inputs:
    """Commits and tags with headers of any text."""
    names = st.sampled_from(
        ("tree", "parent", "author", "committer", "tagger", "encoding", "gpgsig", "mergetag", "object", "")
    )
    value = st.sampled_from(
        ("ab" * 20, "A <a@b.c> 1700000000 +0100", "x <> -1 -9999", "utf-16", "rot13", "idna")
    ) | _words(planted)
    lines = st.lists(st.builds(lambda name, text: f"{name} {text}", names, value), max_size=8).map("\n".join)
    return st.builds(lambda head, text: f"{head}\n\n{text}".encode("utf-8", "surrogatepass"), lines, texts(planted))


def packs(planted: Planted) -> Inputs:
    """Packs of random objects with the index that fits them."""
    kinds = st.sampled_from((1, 2, 3, 4, 5, OFS_DELTA, REF_DELTA, 0))
    sizes = st.none() | st.sampled_from((0, 1, 1 << 20, 1 << 34, 1 << 62))
    contents = documents(planted) | trees(planted) | commits(planted) | st.binary(max_size=40)

    def entry(kind: int, size: int | None, content: bytes, distance: int) -> bytes:
        lead = header(kind, len(content) if size is None else size)
        base = back(distance) if kind == OFS_DELTA else bytes(20) if kind == REF_DELTA else b""
        return lead + base + zlib.compress(content, 1)

    entries = st.builds(entry, kinds, sizes, contents, st.integers(0, 300))
    return st.lists(entries, max_size=6).map(seeds.packed_entries)


def configurations(planted: Planted) -> Inputs:
    """Lines of TOML in any order."""
    keys = ("exclude", "confidence", "baseline", "fail-on", "allow", "sha256", "reason", "path",
            "tool.binance-leaks.exclude", "default", "mainnet", "tool", '""', "a.b.c", "expires")  # fmt: skip
    values = ('"low"', "'high'", '["a/**", "!b"]', "[]", "{}", "true", "1", "-0.0", "nan", "1979-05-27", '"""\n"""',
              "{a = 1}", f'["{"ab" * 32}"]', f'"{"CD" * 32}"', '"[z-a]"', '"\\u0000"', '"never"')  # fmt: skip
    tables = (
        "[tool.binance-leaks]",
        "[[allow]]",
        "[[tool.binance-leaks.allow]]",
        "[fail-on]",
        "[tool]",
        "[a.b]",
        "# x",
        "",
    )
    quoted = _words(planted).map(lambda word: json.dumps(word, ensure_ascii=False))
    line = st.builds(
        lambda key, value: f"{key} = {value}", st.sampled_from(keys) | quoted, st.sampled_from(values) | quoted
    )
    lines = st.lists(line | st.sampled_from(tables), max_size=10)
    return lines.map(lambda each: "\n".join(each).encode("utf-8", "replace"))


def lines_of(*known: str) -> Callable[[Planted], Inputs]:
    """Lines of known pieces and of texts, as in YAML and lists."""

    def grammar(planted: Planted) -> Inputs:
        piece = st.sampled_from(known) | _words(planted)
        line = st.lists(piece, max_size=5).map("".join)
        return st.lists(line, max_size=10).map(lambda each: "\n".join(each).encode("utf-8", "replace"))

    return grammar


def answers(planted: Planted) -> Inputs:
    """Answers of Binance: a status and edited JSON."""
    bodies = json_like(planted, [sample[2:] for sample in seeds.answers(planted)])
    statuses = st.sampled_from((200, 200, 400, 401, 418, 451, 503, 302, 0))
    return st.builds(lambda status, body: status.to_bytes(2, "big") + body, statuses, bodies)
