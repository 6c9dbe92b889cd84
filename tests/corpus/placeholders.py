"""The placeholders of templates: what each is for, and the forms in which it can be written.

Credentials, each also numbered (`{KEY2}`, `{SECRET3}`):

- `{KEY}`, `{SECRET}`: an API key and its HMAC secret; `{HEX_KEY}`, `{HEX_SECRET}`: of the old futures testnet;
  `{PAY_KEY}`, `{PAY_SECRET}`: of Binance Pay.
- `{PEM_BODY}`: the base64 of an Ed25519 private key (PKCS#8); `{ED_SEED}`: base64 of its 32-byte seed alone, which is
  expected to be identified by the digest of the PKCS#8 that it makes.
- `{RSA_BODY}`, `{RSA1_BODY}`, `{ENC_BODY}`: the lines between the armour of an RSA key in PKCS#8, in PKCS#1, and of an
  encrypted key. A template line that holds one is repeated for each line of it.

Forms of a key or secret: `_B64` (base64), `_B64_NL` (base64 with a newline behind the value), `_B64_WRAP` (base64, cut
at 76 columns), `_FIRST32`, `_LAST32`, `_FROM16TO32` (parts, with any numbers), `_UNICODE`, `_BYTES`, `_DECIMAL` (each
character escaped, as in `\\u0041`, `\\x41` and `&#65;`). Forms of a private key: `_ESCAPED` (its lines joined by
backslash and n), `_FLAT` (joined by nothing), `_FILE_B64` (base64 of the whole PEM file).

Look-alikes are the other names in `_LOOKALIKES`. A brace behind `$` opens no placeholder.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from random import Random

from binance_leaks.model import Role

from tests.corpus import values


@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """What is behind a placeholder: its text in lines, and the bytes that identify it in a finding."""

    lines: tuple[str, ...]
    answer_of: bytes
    label: str = ""

    @property
    def digest(self) -> str:
        """As findings give it."""
        return sha256(self.answer_of).hexdigest()


@dataclass(frozen=True, kw_only=True, slots=True)
class Placeholder:
    """One placeholder, taken apart: `{KEY2_FIRST32}` is base `KEY`, name `KEY2`, form `FIRST32`."""

    base: str
    name: str
    form: str


def _text(make: Callable[[Random], str]) -> Callable[[Random], Material]:
    def material(rng: Random) -> Material:
        value = make(rng)
        return Material(lines=(value,), answer_of=value.encode("ascii"))

    return material


def _private(label: str, make: Callable[[Random], bytes]) -> Callable[[Random], Material]:
    def material(rng: Random) -> Material:
        der = make(rng)
        return Material(lines=values.body_lines(der), answer_of=der, label=label)

    return material


def _seed(rng: Random) -> Material:
    der = values.ed25519_der(rng)
    return Material(lines=(base64.b64encode(der[-32:]).decode("ascii"),), answer_of=der)


def _block(rng: Random) -> Material:
    lines = values.base64_lines(rng)
    return Material(lines=lines, answer_of="".join(lines).encode("ascii"))


_CREDENTIALS: Mapping[str, tuple[Role, Callable[[Random], Material]]] = {
    "KEY": (Role.API_KEY, _text(values.hmac_value)),
    "SECRET": (Role.SECRET_KEY, _text(values.hmac_value)),
    "HEX_KEY": (Role.API_KEY, _text(values.hex_value)),
    "HEX_SECRET": (Role.SECRET_KEY, _text(values.hex_value)),
    "PAY_KEY": (Role.API_KEY, _text(values.pay_value)),
    "PAY_SECRET": (Role.SECRET_KEY, _text(values.pay_value)),
    "PEM_BODY": (Role.PRIVATE_KEY, _private("PRIVATE KEY", values.ed25519_der)),
    "ED_SEED": (Role.PRIVATE_KEY, _seed),
    "RSA_BODY": (Role.PRIVATE_KEY, _private("PRIVATE KEY", lambda _: values.rsa_der())),
    "RSA1_BODY": (Role.PRIVATE_KEY, _private("RSA PRIVATE KEY", lambda _: values.rsa_der(pkcs1=True))),
    "ENC_BODY": (Role.PRIVATE_KEY, _private("ENCRYPTED PRIVATE KEY", values.encrypted_der)),
}

_LOOKALIKES: Mapping[str, Callable[[Random], Material]] = {
    "HEX64": _text(values.hex_value),
    "HEX32": _text(lambda rng: values.hexadecimal(rng, 32)),
    "HEX40": _text(lambda rng: values.hexadecimal(rng, 40)),
    "HEX128": _text(lambda rng: values.hexadecimal(rng, 128)),
    "EVM_KEY": _text(lambda rng: "0x" + values.hex_value(rng)),
    "CAMEL64": _text(values.camel_identifier),
    "FOREIGN64": _text(values.hmac_value),
    "LISTEN_KEY": _text(values.hmac_value),
    "LISTEN_KEY36": _text(values.pay_value),
    "ALNUM32": _text(lambda rng: values.base62(rng, 32)),
    "ALNUM40": _text(lambda rng: values.base62(rng, 40)),
    "ALNUM63": _text(lambda rng: values.base62(rng, 63)),
    "ALNUM65": _text(lambda rng: values.base62(rng, 65)),
    "ALNUM86": _text(lambda rng: values.base62(rng, 86)),
    "ALNUM128": _text(lambda rng: values.base62(rng, 128)),
    "ALPHABET64": _text(values.alphabet),
    "FILLER64": _text(lambda _: "x" * values.LENGTH),
    "B64_LINES": _block,
    "B64_SIG": _text(lambda rng: values.base64_bytes(rng, 64)),
    "B64_SHA256": _text(lambda rng: values.base64_bytes(rng, 32)),
    "B64_RSA_SIG": _text(lambda rng: values.base64_bytes(rng, 256)),
    "NPM_INTEGRITY": _text(lambda rng: "sha512-" + values.base64_bytes(rng, 64)),
    "KRAKEN_KEY": _text(lambda rng: values.base64_bytes(rng, 42)),
    "KRAKEN_SECRET": _text(lambda rng: values.base64_bytes(rng, 64)),
    "JWT": _text(values.jwt),
    "UUID": _text(values.uuid),
    "SOL_SECRET": _text(lambda rng: values.base58(rng, 88)),
    "XMR_ADDRESS": _text(lambda rng: "4" + values.base58(rng, 94)),
    "PLAIN_ED_BODY": _private("PRIVATE KEY", values.ed25519_der),
    "PLAIN_RSA_BODY": _private("RSA PRIVATE KEY", lambda _: values.rsa_der(number=2, pkcs1=True)),
}

_PATTERN = re.compile(r"(?<!\$)\{([A-Z][A-Z0-9_]*)\}")
_BASES = "|".join(sorted((*_CREDENTIALS, *_LOOKALIKES), key=len, reverse=True))
_FORMS = r"B64|B64_NL|B64_WRAP|FIRST\d+|LAST\d+|FROM\d+TO\d+|UNICODE|BYTES|DECIMAL|ESCAPED|FLAT|FILE_B64"
_NAME = re.compile(rf"(?P<name>(?P<base>{_BASES})[2-9]?)(?:_(?P<form>{_FORMS}))?")


def role_of(base: str) -> Role | None:
    """The role of a credential's placeholder, None for a look-alike's."""
    return _CREDENTIALS[base][0] if base in _CREDENTIALS else None


def parse(text: str) -> Placeholder:
    """Take the inside of a placeholder's braces apart; ValueError when it is none of those above."""
    match = _NAME.fullmatch(text)
    if match is None:
        raise ValueError(f"unknown placeholder {{{text}}}")
    return Placeholder(base=match["base"], name=match["name"], form=match["form"] or "")


def parts(line: str) -> tuple[Placeholder, ...]:
    """The placeholders of one line, in order."""
    return tuple(parse(match[1]) for match in _PATTERN.finditer(line))


def make(base: str, rng: Random) -> Material:
    """Fresh material for a placeholder."""
    return _CREDENTIALS[base][1](rng) if base in _CREDENTIALS else _LOOKALIKES[base](rng)


def _wrapped(text: str, columns: int) -> tuple[str, ...]:
    return tuple(text[start : start + columns] for start in range(0, len(text), columns))


def write(material: Material, form: str) -> tuple[str, ...]:
    """The lines that a material gives in a form."""
    first = material.lines[0]
    if part := re.fullmatch(r"(FIRST|LAST|FROM)(\d+)(?:TO(\d+))?", form):
        start = {"FIRST": 0, "LAST": len(first) - int(part[2]), "FROM": int(part[2])}[part[1]]
        stop = {"FIRST": int(part[2]), "LAST": len(first), "FROM": int(part[3] or 0)}[part[1]]
        return (first[start:stop],)
    match form:
        case "":
            return material.lines
        case "B64":
            return (base64.b64encode(first.encode()).decode("ascii"),)
        case "B64_NL":
            return (base64.b64encode(f"{first}\n".encode()).decode("ascii"),)
        case "B64_WRAP":
            return _wrapped(base64.b64encode(first.encode()).decode("ascii"), 76)
        case "UNICODE" | "BYTES" | "DECIMAL":
            template = {"UNICODE": "\\u{:04x}", "BYTES": "\\x{:02x}", "DECIMAL": "&#{};"}[form]
            return ("".join(template.format(ord(char)) for char in first),)
        case "ESCAPED":
            return ("\\n".join(material.lines),)
        case "FLAT":
            return ("".join(material.lines),)
        case "FILE_B64":
            return (base64.b64encode(values.pem(material.label, material.answer_of).encode()).decode("ascii"),)
        case _:
            raise ValueError(f"unknown form {form}")


def fill_line(line: str, materials: Mapping[str, Material]) -> tuple[str, ...]:
    """A template line with its placeholders filled, repeated for each line of the longest of them."""
    found = [(match, parse(match[1])) for match in _PATTERN.finditer(line)]
    columns = [write(materials[placeholder.name], placeholder.form) for _, placeholder in found]
    filled = []
    for number in range(max(map(len, columns), default=1)):
        text, at = "", 0
        for (match, _), lines in zip(found, columns, strict=True):
            text += line[at : match.start()] + (lines[number] if number < len(lines) else "")
            at = match.end()
        filled.append(text + line[at:])
    return tuple(filled)
