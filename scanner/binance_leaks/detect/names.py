"""What the name of a value means: key or secret, of which service and account."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from itertools import pairwise

from binance_leaks.detect.armour import without_armour_markers
from binance_leaks.detect.vocabulary import (
    API_IN_NAMES,
    BINANCE_IN_NAMES,
    EXCLUDED_WORDS,
    FIX_USERNAME,
    FOREIGN_EXCHANGES,
    FOREIGN_PURPOSES,
    FOREIGN_SERVICES,
    KEY_ENDING,
    KEY_IN_NAMES,
    KEY_WORDS,
    SECRET_IN_NAMES,
    SECRET_WORDS,
    STEMLESS_WORDS,
    WEAK_KEY_WORDS,
    WEAK_SECRET_WORDS,
)
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import Role

REMEMBERED = 2048
"""How many texts around values are remembered with what they mean: values beside each other have the same."""


class Strength(IntEnum):
    """How clearly a name is that of an API credential."""

    NONE = 0
    WEAK = 1
    PLAIN = 2
    STRONG = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Name:
    """The name of a value, with what it means."""

    text: str
    words: tuple[str, ...]
    """Its words in small letters."""
    role: Role | None
    strength: Strength
    binance: bool
    """Whether it mentions Binance."""
    foreign: str | None
    """Another service, or another kind of secret, that it mentions."""
    excluded: bool
    """Whether a value with this name is no credential at all."""
    stem: tuple[str, ...]
    """Its words that mean neither a role nor Binance, which differ between accounts."""

    @property
    def of_an_api(self) -> bool:
        """Whether it mentions an API, Binance, or its futures, as the name of a hex value must."""
        return self.binance or bool(_API_WORDS.search("".join(self.words)))

    @property
    def ambiguous(self) -> bool:
        """Whether it may mean the key as well as the secret: 密钥 means no more than "key"."""
        return bool(_AMBIGUOUS.search("".join(self.words)))

    @property
    def plural(self) -> bool:
        """Whether it names several values, as `api_keys` and `KEYS_B` do."""
        if self.words[-1:] in _LISTS:
            return True
        if _PLURALS.isdisjoint(self.words):
            return False
        return next(word for word in reversed(self.words) if word in _PLURALS or _is_role_word(word)) in _PLURALS


_WORD = lazy_pattern(r"(?:[A-Z](?![a-z]))+|[A-Z]?[a-z]+|[0-9]+|[^\W\d_]+")
_KEY_ENDING = lazy_pattern(r"(?<!mon)(?<!tur)(?<!don)(?<!hot)(?<!whis)(?<!joc)key s?$", re.VERBOSE)
_API_WORDS = lazy_pattern(r"api|mbx|future|testnet|merchant|certificatesn|pay")
_HALVES = {
    "public": Role.API_KEY,
    "pub": Role.API_KEY,
    "private": Role.SECRET_KEY,
    "priv": Role.SECRET_KEY,
    "prv": Role.SECRET_KEY,
}
_INITIALS = {"k": Role.API_KEY, "s": Role.SECRET_KEY}
_PLURALS = frozenset({"keys", "secrets", "apikeys"})
_LISTS = frozenset({("accounts",), ("list",)})
_ACCOUNTS = frozenset({"acc", "acct", "account", "user", "sub", "subaccount"})
_EXCLUDED_NAMES = frozenset({"state", "oauthstate", "codechallenge", "code"})
_EXCLUDED = lazy_pattern(r"listenkey|listentoken|txhash|txid|sha256|sha512|blockhash")
_NEVER_OF_AN_API = frozenset(
    {"encryption", "encrypt", "passphrase", "jwt", "session", "salt", "cookie", "telegram", "webhook"}
)
_FOREIGN = FOREIGN_EXCHANGES | FOREIGN_PURPOSES | FOREIGN_SERVICES
_FOREIGN_INSIDE = lazy_pattern("|".join(sorted((w for w in _FOREIGN if len(w) > 4), key=len, reverse=True)))
FOREIGN_EXCHANGE = lazy_pattern(
    rf"(?<![a-z])(?:{'|'.join(sorted(FOREIGN_EXCHANGES))}|gate\.io|crypto\.com)(?![a-z])", re.IGNORECASE
)
_AMBIGUOUS = lazy_pattern(r"^(?:币安|幣安|binance|api)*密[钥鑰匙]$")
_CREDENTIAL_FILES = frozenset(
    {
        "account", "accounts", "api", "apikey", "apikeys", "apis", "auth", "cred", "credential", "credentials", "creds",
        "key", "keys", "login", "pass", "passwd", "password", "passwords", "private", "secret", "secrets", "token",
        "tokens",
    }
)  # fmt: skip
_PLAIN_ENDINGS = frozenset({"txt", "dat", "text", "key", "keys", "secret", "cred", "creds", "lst", "list", "conf"})
_STORE = lazy_pattern(r"^secrets[.\[]")


def other_exchanges(text: str, start: int, end: int) -> list[tuple[int, str]]:
    """Return where other exchanges are named in a part of a text, and their names in small letters."""
    words = _SOME_WORD.findall(text, start, end)
    if _EXCHANGE_WORDS.isdisjoint(map(str.lower, words)):
        return []
    found = []
    for match in _WHOLE_WORD.finditer(text, start, end):
        name = match.group().lower()
        if name not in _DOTTED_EXCHANGES:
            name = name.partition(".")[0]
        if name in FOREIGN_EXCHANGES or name in _DOTTED_EXCHANGES:
            found.append((match.start(), name))
    return found


_WHOLE_WORD = lazy_pattern(r"[A-Za-z]+(?:\.(?:[Ii][Oo]|[Cc][Oo][Mm])(?![A-Za-z]))?")
_SOME_WORD = lazy_pattern(r"[A-Za-z]+")
_DOTTED_EXCHANGES = frozenset({"gate.io", "crypto.com"})
_EXCHANGE_WORDS = FOREIGN_EXCHANGES | {name.partition(".")[0] for name in _DOTTED_EXCHANGES}


def words_of(text: str) -> tuple[str, ...]:
    """Split an identifier or phrase into words in small letters: snake, kebab, dotted and camel case."""
    return tuple(word.lower() for word in _WORD.findall(text))


def is_credential_file(path: str) -> bool:
    """Whether a file is by its name one of credentials and nothing else, as `credentials.txt` or `.secrets`."""
    base = path.rpartition("/")[2]
    stem, dot, ending = base.rpartition(".")
    words = words_of(stem if dot and stem else base)
    plain = "." not in base.lstrip(".") or ending.lower() in _PLAIN_ENDINGS
    return plain and not _CREDENTIAL_FILES.isdisjoint(words)


@lru_cache(maxsize=REMEMBERED)
def read_name(text: str) -> Name:
    """Read an identifier or a short phrase as the name of a value."""
    words = words_of(_STORE.sub("", without_armour_markers(text)))
    squashed = "".join(words)
    role, strength = _role(words, squashed)
    binance = bool(BINANCE_IN_NAMES.search(squashed))
    return Name(
        text=text,
        words=words,
        role=role,
        strength=strength,
        binance=binance,
        foreign=_foreign_name(words, squashed, binance=binance),
        excluded=_is_excluded(words, squashed, role),
        stem=tuple(word for word in words if not _is_role_word(word)),
    )


def _role(words: tuple[str, ...], squashed: str) -> tuple[Role | None, Strength]:
    if not EXCLUDED_WORDS.isdisjoint(words) and not {"secret", "apikey"} & set(words):
        return None, Strength.NONE
    joined = "_".join(words)
    if ("s", "key") in pairwise(words):
        return Role.SECRET_KEY, Strength.STRONG if API_IN_NAMES.search(squashed) else Strength.PLAIN
    if KEY_ENDING.search(joined) and "secret" not in squashed:
        return Role.API_KEY, Strength.PLAIN
    if SECRET_IN_NAMES.search(squashed) or SECRET_IN_NAMES.search(joined) or not SECRET_WORDS.isdisjoint(words):
        clear = API_IN_NAMES.search(squashed) or "secretkey" in squashed or squashed.endswith("key")
        clear = clear or "private" in squashed
        return Role.SECRET_KEY, Strength.STRONG if clear else Strength.PLAIN
    if KEY_IN_NAMES.search(squashed):
        return Role.API_KEY, Strength.STRONG
    if not KEY_WORDS.isdisjoint(words) or any(_KEY_ENDING.search(word) for word in words):
        return Role.API_KEY, Strength.STRONG if API_IN_NAMES.search(squashed) else Strength.PLAIN
    if words == (FIX_USERNAME,):
        return Role.API_KEY, Strength.STRONG
    last = _last_word(words)
    if last in _HALVES:
        return _HALVES[last], Strength.PLAIN
    if last in _INITIALS:
        return _INITIALS[last], Strength.WEAK
    if not WEAK_SECRET_WORDS.isdisjoint(words):
        return Role.SECRET_KEY, Strength.WEAK
    if not WEAK_KEY_WORDS.isdisjoint(words):
        return Role.API_KEY, Strength.WEAK
    return None, Strength.NONE


def _last_word(words: tuple[str, ...]) -> str:
    """The last word of a name, without the account at its end: of `PUB_acct100` it is `pub`."""
    last = len(words) - 1
    while last > 0 and words[last].isdigit():
        last -= 1
    named = last > 0 and words[last] in _ACCOUNTS
    return words[last - 1] if named else words[-1] if words else ""


def _is_excluded(words: tuple[str, ...], squashed: str, role: Role | None) -> bool:
    if _EXCLUDED.search(squashed) or (words and words[-1] in EXCLUDED_WORDS):
        return True
    return role is None and (squashed in _EXCLUDED_NAMES or not EXCLUDED_WORDS.isdisjoint(words))


def _is_role_word(word: str) -> bool:
    return (
        word in STEMLESS_WORDS or word in KEY_WORDS or bool(SECRET_IN_NAMES.search(word) or KEY_IN_NAMES.search(word))
    )


def _foreign_name(words: tuple[str, ...], squashed: str, *, binance: bool) -> str | None:
    never = next((word for word in words if word in _NEVER_OF_AN_API), None)
    return never if never or binance else _foreign(words, squashed)


def _foreign(words: tuple[str, ...], squashed: str) -> str | None:
    for word in words:
        if word in _FOREIGN:
            return word
    if "token" in words and "api" not in words:
        return "token"
    inside = _FOREIGN_INSIDE.search(squashed)
    if inside:
        return inside.group()
    return "gate.io" if "gate" in words and ("io" in words or len(words) > 1) else None
