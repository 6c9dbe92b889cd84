"""Credentials of their owner: from the environment, text, prompt or a key file."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Mapping, Sequence

from binance_leaks.detect.credentials import credential_of, mark_encrypted_beside
from binance_leaks.detect.document import Document
from binance_leaks.detect.names import Strength, read_name
from binance_leaks.detect.pairing_across_files import pair_across_files
from binance_leaks.detect.private_keys import KeyType, packed_keys
from binance_leaks.errors import UsageError
from binance_leaks.lazy_dataclasses import replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Confidence, Credential, Environment, Kind, Location, Occurrence, Role, Value
from binance_leaks.pipeline.files import credentials_in
from binance_leaks.sources.read_content import Chunk, read_stream

ENVIRONMENT = "environment"
"""In place of a path, for what variables of the environment hold."""
_GIVEN = "given"
_BARE = lazy_pattern(rb"[A-Za-z0-9]{40,128}")
_LONGEST_VARIABLE = 16_384
_WHOLE = lazy_pattern(r"[A-Za-z0-9]{64}")
_PRIVATE_KEY = lazy_pattern(r"PRIVATE KEY-----|MC4CAQAwBQYDK2Vw|MII[A-Za-z0-9+/]{60}|[A-Za-z0-9+/]{43}=")
_DESCRIBES = frozenset({"file", "path", "type", "url", "use", "enabled", "name", "format", "dir", "folder", "host"})
"""Words that make a variable one about a key, and not the key itself."""


def from_environment(variables: Mapping[str, str]) -> tuple[Credential, ...]:
    """The credentials among variables, as the detector finds them in such a file.

    Only variables count whose names mention Binance or a key, and mere guesses do not. Blanks and line ends around a
    value, and a pair of quotes, are no part of it: containers hand them on. Raises UsageError for a variable of
    Binance's whose value cannot be what its name says.
    """
    cleaned = {name: clean_value(text) for name, text in sorted(variables.items())}
    for name, text in cleaned.items():
        _refuse_malformed(name, text)
    lines = [f"{name}={_quoted(text)}\n" for name, text in cleaned.items() if _speaks(name, text)]
    data = "".join(lines).encode("utf-8", "surrogateescape")
    found = credentials_in(Chunk(path=ENVIRONMENT, evidence_path="", data=data))
    return _owned(mark_encrypted_beside(pair_across_files(found)), Confidence.MEDIUM)


def quoted_variables(variables: Mapping[str, str]) -> tuple[str, ...]:
    """The names of the variables that count and have quotes around their values."""
    return tuple(
        name
        for name, text in sorted(variables.items())
        if _speaks(name, text.strip()) and len(clean_value(text)) < len(text.strip())
    )


def clean_value(text: str) -> str:
    """Remove what containers and shells leave around a value: blanks, line ends, one pair of quotes."""
    stripped = text.strip()
    if len(stripped) > 1 and stripped[0] == stripped[-1] and stripped[0] in "\"'`":
        return stripped[1:-1].strip()
    return stripped


def from_text(data: bytes, path: str, *, key_only: bool = False) -> tuple[Credential, ...]:
    """The credentials in text: `.env` lines, JSON, or just a key and its secret.

    Key and secret are on two lines then. The owner declares that they are Binance's: where no pair is found without
    that, it counts as evidence in the text. Raises UsageError for a value that is there alone, without a name, as it
    may be the secret, which is never sent; with `key_only` it is the API key.
    """
    words = [clean_value(word.decode("latin-1")).encode("latin-1") for word in _decoded(data).split()]
    if len(words) in (1, 2) and all(map(_BARE.fullmatch, words)):
        if len(words) == 1 and not key_only:
            raise _alone(path)
        return (typed(words[0], words[1] if len(words) == 2 else None, path=path),)
    chunks = [chunk for chunk in read_stream(path, path, io.BytesIO(data)) if isinstance(chunk, Chunk)]
    found = _of(chunks)
    if not any(credential.kind is Kind.KEY_PAIR for credential in found):
        said = _of([replace(chunk, mentions_binance=True) for chunk in chunks])
        found = said if any(credential.has_key for credential in said) else found
    if not key_only and any(map(_may_be_secret, found)):
        raise _alone(path)
    return tuple(_named(each) if _may_be_secret(each) else each for each in found)


def _may_be_secret(credential: Credential) -> bool:
    """Whether a value was found alone, and nothing names it as the API key."""
    return credential.is_undecided


def _named(credential: Credential) -> Credential:
    named = credential_of([replace(each, named=True) for each in credential.occurrences])
    return replace(named, environment=credential.environment, confidence=credential.confidence)


def _alone(path: str) -> UsageError:
    return UsageError(
        f"{path} holds one value alone, which may be the key or the secret; a secret is never sent",
        hint="If it is the API key, add --key-only. Else give both: the key and its secret on two lines.",
    )


def _refuse_malformed(name: str, text: str) -> None:
    """Raise UsageError for a variable that says it is a key or secret of Binance's, and cannot be one."""
    read = read_name(name)
    if not text or not read.binance or read.role is None or read.strength <= Strength.WEAK or read.foreign:
        return
    if _DESCRIBES.intersection(read.words) or _WHOLE.fullmatch(text) or _PRIVATE_KEY.search(text):
        return
    raise UsageError(
        f"{name} is set, but its value is malformed: {len(text):,} characters that are no key or secret of Binance",
        hint="They have 64 letters and digits. Was it copied whole, and without anything around it?",
    )


def typed(key: bytes, secret: bytes | None, *, path: str) -> Credential:
    """The credential of a key and a secret that were handed over as such.

    Raises UsageError for what cannot be one, as it may be another password, which must not be shown even in part.
    """
    if not all(_BARE.fullmatch(value) for value in (key, secret) if value is not None):
        raise UsageError("that is no key of Binance's: they have 64 letters and digits", hint="Was it copied whole?")
    values = [(Role.API_KEY, key), *([(Role.SECRET_KEY, secret)] if secret is not None else [])]
    return credential_of(
        [_occurrence(Value.of(role, value), path, line) for line, (role, value) in enumerate(values, start=1)]
    )


def private_key_in(data: bytes, path: str) -> Occurrence:
    """The private key in a file, PEM or base64.

    Raises UsageError where there is none, or it needs a passphrase.
    """
    document = Document(text=data.decode("latin-1"), path=path)
    key = next(packed_keys(document), None)
    if key is None:
        raise UsageError(f"{path} holds no Ed25519 or RSA private key", hint="It must be PEM, or base64 of PKCS#8.")
    if key.type is KeyType.ENCRYPTED:
        raise UsageError(
            f"the private key in {path} is encrypted", hint="It signs only without passphrase: name a decrypted copy."
        )
    return _occurrence(Value.of(Role.PRIVATE_KEY, key.der), path, 1)


def with_private_key(credentials: Sequence[Credential], key: Occurrence) -> tuple[Credential, ...]:
    """The one credential with an API key, with this private key as its secret half.

    Raises UsageError where it is not clear which API key that is.
    """
    keys = [credential for credential in credentials if credential.has_key]
    if len(keys) != 1:
        raise UsageError(
            f"--private-key goes with one API key, and {len(keys) or 'none'} {'was' if not keys else 'were'} given",
            hint="Give that key alone: in BINANCE_API_KEY, --env-file or --stdin.",
        )
    halves = [occurrence for occurrence in keys[0].occurrences if occurrence.value.role is Role.API_KEY]
    return (replace(credential_of([*halves, key]), environment=keys[0].environment),)


def in_environment(credentials: Iterable[Credential], environment: Environment | None) -> tuple[Credential, ...]:
    """Set the environment that the owner gives, whatever is named near the credentials."""
    if environment is None:
        return tuple(credentials)
    return tuple(
        replace(
            credential,
            environment=environment,
            occurrences=tuple(replace(each, environment=environment, certain=True) for each in credential.occurrences),
        )
        for credential in credentials
    )


def _decoded(data: bytes) -> bytes:
    """Text of a program that marks its encoding, as PowerShell does, in UTF-8."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace").encode("utf-8", "replace")
    return data.removeprefix(codecs.BOM_UTF8)


def _of(chunks: Iterable[Chunk]) -> tuple[Credential, ...]:
    found = [credential for chunk in chunks for credential in credentials_in(chunk)]
    return _owned(mark_encrypted_beside(pair_across_files(found)), Confidence.LOW)


def _owned(credentials: Iterable[Credential], least: Confidence) -> tuple[Credential, ...]:
    """Those that may be meant: nothing points to another service, and a secret alone is more than a guess."""
    return tuple(
        credential
        for credential in credentials
        if credential.confidence >= (least if credential.has_key else Confidence.MEDIUM)
        and not any(occurrence.foreign for occurrence in credential.occurrences)
    )


def _speaks(name: str, text: str) -> bool:
    read = read_name(name)
    if read.foreign or read.excluded or len(text) > _LONGEST_VARIABLE:
        return False
    return (read.binance or read.role is not None) and ("\n" not in text or "PRIVATE KEY-----" in text)


def _quoted(text: str) -> str:
    return f'"{text}"' if "\n" in text else text


def _occurrence(value: Value, path: str, line: int) -> Occurrence:
    location = Location(role=value.role, path=path, line=line, column=1)
    return Occurrence(value=value, location=location, rule=_GIVEN, last_line=line, named=True)
