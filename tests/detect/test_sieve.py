"""Laws of the sieve: it suspects whatever the detector finds something in, seen whole or as a version of another."""

from __future__ import annotations

import base64
import gzip
import time
from collections.abc import Callable, Iterator, Mapping
from random import Random
from types import MappingProxyType

import pytest
from binance_leaks.detect.engine import detect
from binance_leaks.detect.first_test import must_look
from binance_leaks.detect.sieve import NO_TRAITS, CompiledSieve, PlainSieve, Sieve, Trait
from binance_leaks.native import compiled
from binance_leaks.sources.objects.codec import apply_delta, delta_sizes
from binance_leaks.sources.objects.walk import ContextSizes, changed_parts

from tests.corpus import fill, load
from tests.corpus.values import hex_value, hmac_value, rsa_pem
from tests.deltas import Part, delta_of
from tests.detect.test_encoded_texts import COLUMNS, FOLDED, folded
from tests.detect.test_laws import BEGINNINGS, FORMS, PLAIN, share
from tests.versions import CHANGES, Version

CASES = tuple(load())
TEXT = b"".join(
    b"line %d of some text that says nothing, x = compute(%d)\n" % (number, 7 * number) for number in range(60)
)
WIDE = "".join(f"line {number} of some wide text, x = compute({number})\n" for number in range(60))
NOISE: Mapping[str, tuple[bytes, bytes]] = MappingProxyType(
    {
        "text": (TEXT, TEXT),
        "beginning": (b"", TEXT * 2),
        "end": (TEXT * 2, b""),
        "binary": (Random(1).randbytes(3000), Random(2).randbytes(3000)),
        "zeros": (bytes(5000), bytes(5000)),
        "far zero": (TEXT, TEXT + b"\0"),
        "Latin-1": ("é ü ß\n".encode("latin-1") * 500,) * 2,
        "controls": (b"\xd9\x07abc def\n" * 300,) * 2,
        "wide": (WIDE.encode("utf-16-le"),) * 2,
        "wide beginning": (b"", WIDE.encode("utf-16-be") * 2),
    }
)
ESCAPES: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {
        "escapes of Unicode": lambda char: f"\\u{ord(char):04x}",
        "escapes of Unicode inside a string": lambda char: f"\\\\u{ord(char):04X}",
        "escapes of bytes": lambda char: f"\\x{ord(char):02x}",
        "character references": lambda char: f"&#{ord(char)};",
        "hexadecimal character references": lambda char: f"&#x{ord(char):X};",
    }
)
AROUND = ContextSizes(256, 256)


@pytest.fixture(scope="module")
def fast() -> CompiledSieve:
    if compiled is None:
        pytest.skip("the compiled module is not installed")
    return CompiledSieve()


def suspects(sieve: Sieve, content: bytes) -> bool:
    """Whether a sieve that sees the whole of some content wants the detector to see it."""
    return sieve.suspects(content, sieve.traits(content, content, NO_TRAITS))


def assert_suspects(fast: CompiledSieve, contents: Mapping[str, bytes]) -> None:
    plain = PlainSieve()
    found = {name: content for name, content in contents.items() if detect(content)}
    assert {name for name, content in found.items() if not suspects(fast, content)} == set()
    assert {name for name, content in found.items() if not suspects(plain, content)} == set()


@pytest.mark.parametrize("packed", [False, True])
def test_what_is_packed(packed: bool) -> None:
    text = b"nothing but words, and no value at all\n" * 9
    content = base64.b64encode(gzip.compress(text)) if packed else text
    assert (Trait.PACKED in PlainSieve().traits(content, content, NO_TRAITS)) is packed


def test_pieces_of_no_value_are_no_chain(fast: CompiledSieve) -> None:
    content = b'binance = "ab" + "cd" + "ef"\n'
    assert not fast.holds_chain(content)
    assert not PlainSieve().holds_chain(content)


def test_corpus(fast: CompiledSieve) -> None:
    assert_suspects(fast, {case.id: fill(case, 1).data for case in CASES})


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str, fast: CompiledSieve) -> None:
    some = share(PLAIN, [*FORMS].index(form), len(FORMS))
    texts = {case.id: fill(case, 1).data.decode().replace("\r\n", "\n") for case in some}
    assert_suspects(fast, {name: FORMS[form](text) for name, text in texts.items()})


def test_no_value_is_half_wide_half_narrow(fast: CompiledSieve) -> None:
    value = hmac_value(Random("halves"))
    for at in range(1, 64):
        text = "BinanceApiKey=" * 5 + value[:at]
        assert_suspects(fast, {str(at): text.encode("utf-16-le") + f"{value[at:]} {'-' * 60}".encode()})


@pytest.mark.parametrize("noise", NOISE)
def test_in_the_middle_of_something_else(noise: str, fast: CompiledSieve) -> None:
    before, behind = NOISE[noise]
    some = share(CASES, [*NOISE].index(noise), len(NOISE))
    assert_suspects(fast, {case.id: before + fill(case, 2).data + behind for case in some})


def odd_shapes(rng: Random) -> Iterator[tuple[str, bytes]]:
    """Contents in which the sieve must look at the text as the detector does, not at the bytes."""
    value, other = hmac_value(rng), hmac_value(rng)
    names = {"utf-8": "币安", "gb18030": "币安", "big5": "幣安密鑰", "shift_jis": "バイナンス", "cp1251": "Бинанс ключ"}
    for encoding, name in {**names, "utf-16": "币安", "utf-16-le": "币安"}.items():
        hexes = f"# {name}\napi_key = {hex_value(rng)}\nsecret_key = {hex_value(rng)}\n"
        yield f"hex with a foreign name in {encoding}", hexes.encode(encoding)
    for name, escape in ESCAPES.items():
        secret = "".join(map(escape, value))
        yield f"a value in {name}", f'# é binance\napi_secret = "{secret}"\n'.encode()
        yield f"a name, too, in {name}", f'"{"".join(map(escape, "binance_secret"))}": "{secret}"\n'.encode()
    for length in (1, 3, 4, 8):
        short = ", ".join(f'"{value[at : at + length]}"' for at in range(0, len(value), length))
        yield f"a joined list of pieces of {length}", f'# binance\nsecret = "".join([{short}])\n'.encode()
        yield f"the same in JavaScript, {length}", f'// binance\nconst secret = [{short}].join("")\n'.encode()
    pieces = value[:20], value[20:40], value[40:]
    yield "a joint with a no-break space", 'secret = "{}" + "{}" +\u00a0"{}"\n'.format(*pieces).encode()
    yield "the same, wide", 'secret = "{}" + "{}" +\u00a0"{}"\n'.format(*pieces).encode("utf-16")
    yield "a wide list", 'secret = "".join(["{}", "{}", "{}"])\n'.format(*pieces).encode("utf-16")
    for name, beginning in BEGINNINGS.items():
        yield f"a value behind {name}", beginning + f'secret = "{value}"\n'.encode()
    chain = " + ".join(f'"{value[at : at + 8]}"' for at in range(0, 64, 8))
    for encoding in ("utf-16", "utf-32"):
        head = "# binance and some words\r\n".encode(encoding)
        yield (
            f"hex behind a name in {encoding}",
            head + f"api_key = {hex_value(rng)}\nsecret = {hex_value(rng)}\n".encode(),
        )
        yield f"short pieces behind a name in {encoding}", head + f"secret = {chain}\n".encode()
    message = b"\x82\xa7api_key\xd9@" + value.encode() + b"\xa6secret\xd9@" + other.encode()
    yield "MessagePack without a zero", message + b"\x01\x02"
    yield "the same, glued to a letter", message + b"A\x01\x02"
    yield "strings between controls, glued", b"\x02\x03key " + value.encode() + b"_x\x04"
    encoded = base64.b64encode(value.encode())
    yield "folded base64 in a binary", b"\0\0secret " + encoded[:76] + b"\0" + encoded[76:] + b"\0\0"
    text = base64.b64encode(f"BINANCE_KEY={value}\nBINANCE_SECRET={other}\n".encode())
    yield "folded base64 of a text in a binary", b"\0\1" + text[:76] + b"\0" + text[76:152] + b"\0" + text[152:]
    key = rsa_pem()
    bare = "".join(key.splitlines()[1:-1])
    for encoding in ("utf-8", "utf-16", "utf-16-be"):
        yield f"PEM in {encoding}", f"binance\n{key}".encode(encoding)
        yield f"bare DER in {encoding}", f"binance private_key = {bare}\n".encode(encoding)
    yield "PEM with zeros for ends of lines", b"\0binance\0" + key.encode().replace(b"\n", b"\0")
    packed = base64.b64encode(key.encode())
    yield "base64 of PEM, folded with zeros in a binary", b"\0binance " + packed[:1600] + b"\0" + packed[1600:]
    seed = base64.b64encode(rng.randbytes(32)).decode()
    yield "a seed", f"BINANCE_Private_Key = {seed}\n".encode()
    yield "a wide seed", f"binance\nprivate_key = {seed}\n".encode("utf-16")
    yield "a seed far from its kind", (f"# binance Ed25519 keys\n{TEXT.decode()}secret_key = {seed}\n").encode()
    yield "a seed without private in its name", f"# binance ed25519\nsecret_key = {seed}\n".encode()


@pytest.mark.parametrize("name", [name for name, _ in odd_shapes(Random(0))])
def test_odd_shapes(name: str, fast: CompiledSieve) -> None:
    content = dict(odd_shapes(Random(1)))[name]
    found = bool(detect(content))
    assert found, "nothing is found: the shape is of no use here"
    assert_suspects(fast, {name: content})


@pytest.mark.parametrize("form", FOLDED)
def test_folded_base64(form: str, fast: CompiledSieve) -> None:
    pair = hmac_value(Random(6)), hmac_value(Random(7))
    texts = {f"{columns}": FOLDED[form](*(folded(value, columns) for value in pair)) for columns in COLUMNS}
    assert_suspects(fast, {columns: text.encode() for columns, text in texts.items()})


def missed(fast: CompiledSieve, version: Version, *, short: bool) -> bool:
    """Whether the detector finds something in a version that the sieve passes over."""
    base, parts = version
    delta = delta_of(base, parts, short=short)
    child = apply_delta(base, delta)
    if not detect(child):
        return False
    fresh = changed_parts(len(base), delta, delta_sizes(delta)[2], child, AROUND)
    return not fast.suspects(child, fast.traits(child, fresh, fast.traits(base, base, NO_TRAITS)))


@pytest.mark.parametrize("change", CHANGES)
def test_versions(change: str, fast: CompiledSieve) -> None:
    rng = Random(change)
    noises = [noise for name, noise in NOISE.items() if "zeros" not in name]
    bad = set()
    for case in (*rng.sample(CASES, 80), *(case for case in CASES if case.family in {"private_keys", "encodings"})):
        entry = fill(case, rng.randrange(1000)).data
        before, behind = rng.choice(noises)
        if missed(fast, CHANGES[change](rng, entry, before, behind), short=rng.random() < 0.5):
            bad.add(case.id)
    assert bad == set()


@pytest.mark.parametrize("start", (0, 1, 64, 255, 256, 257, 400))
def test_a_line_near_the_beginning(start: int, fast: CompiledSieve) -> None:
    value = hmac_value(Random(start)).encode()
    base = TEXT[:start] + b"\n" + TEXT * 2
    parts: list[Part] = [(0, start), b"\nbinance_secret_key = " + value + b"\n", (start + 1, len(base) - start - 1)]
    lost = missed(fast, (base, parts), short=True)
    assert not lost


@pytest.mark.parametrize("value", [b"key %s/x\n", b"\x05@%sA\n", b"key %s\n"])
def test_a_value_in_a_binary_with_no_zero_near(value: bytes, fast: CompiledSieve) -> None:
    head = bytes(range(256)) + TEXT
    added = value % hmac_value(Random(1)).encode()
    version: Version = head + TEXT, [(0, len(head)), added, (len(head), len(TEXT))]
    found = bool(detect(head + added + TEXT))
    assert found, "nothing is found: the shape is of no use here"
    lost = missed(fast, version, short=True)
    assert not lost


def test_versions_of_versions(fast: CompiledSieve) -> None:
    """A file that grows and shrinks by whole entries; what was seen of it is passed on from version to version."""
    rng = Random(4)
    bad = []
    for number in range(40):
        entries = [fill(case, 1).data for case in rng.sample(CASES, 4)]
        base = TEXT + TEXT
        traits = fast.traits(base, base, NO_TRAITS)
        for entry in (*entries, b""):
            at = rng.randint(0, len(base))
            gone = rng.randint(0, min(80, len(base) - at))
            parts: list[Part] = [(0, at), entry, (at + gone, len(base) - at - gone)]
            delta = delta_of(base, parts)
            child = apply_delta(base, delta)
            fresh = changed_parts(len(base), delta, delta_sizes(delta)[2], child, AROUND)
            traits = fast.traits(child, fresh, traits)
            if detect(child) and not fast.suspects(child, traits):
                bad.append(number)
            base = child
    assert bad == []


def test_must_look_is_the_same_compiled() -> None:
    module = pytest.importorskip("binance_leaks._native")
    rng = Random(5)
    every = int(~NO_TRAITS)
    for _ in range(20_000):
        inherited, seen = (rng.getrandbits(16) & rng.getrandbits(16) & every for _ in range(2))
        assert module.must_look(inherited, seen) == must_look(inherited, seen), (Trait(inherited), Trait(seen))


@pytest.mark.parametrize(
    "unit", ['"', "\\", "&#65;", '" ', "join(", "a" * 15 + '"', "0x" + "a" * 64, '"ab" + ', "\0a", "[", '".push(']
)
def test_the_first_test_is_linear(unit: str, fast: CompiledSieve) -> None:
    """Four times the text takes no more than some ten times as long."""
    text = unit.encode() * (200_000 // len(unit))

    def seconds(data: bytes) -> float:
        times = []
        for _ in range(3):
            start = time.process_time()
            fast.search.traits(data)
            fast.search.chains(data)
            times.append(time.process_time() - start)
        return min(times)

    assert seconds(text * 4) < 10 * seconds(text) + 0.05
