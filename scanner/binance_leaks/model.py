"""The data model of detection: values, occurrences, credentials, risk.

A *value* is one string with the shape of a credential, an *occurrence* is a value at its location, and a *credential*
is a key with its secret, or what there is of it. Everything here is immutable. What is reported about a judged
credential is in `binance_leaks.findings`.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from hashlib import sha1, sha256
from typing import TypeVar

from binance_leaks.environments import Environment as Environment
from binance_leaks.lazy_dataclasses import dataclass, field, replace
from binance_leaks.masking import Secret, mask_api_key, mask_private_key, mask_secret_key

COMMIT_MESSAGE = "commit message"
TAG_MESSAGE = "tag message"
"""In place of a path, for a value in a message."""
UNDECIDED = "nothing says whether it is the API key or the secret"
"""Evidence of a lone value that neither a name nor a call gives a role; its role and kind are then those of a key."""

_O = TypeVar("_O", bound="Ordered")


class Ordered(Enum):
    """An enumeration whose members compare in definition order, lowest first."""

    __hash__ = object.__hash__  # members are singletons; that of Enum is slower

    def __init__(self, _: object) -> None:
        self._rank = len(type(self).__members__)

    @property
    def rank(self) -> int:
        """Position in the definition, from 0."""
        return self._rank

    def __lt__(self: _O, other: _O) -> bool:
        return self.rank < other.rank

    def __le__(self: _O, other: _O) -> bool:
        return self.rank <= other.rank

    def __gt__(self: _O, other: _O) -> bool:
        return self.rank > other.rank

    def __ge__(self: _O, other: _O) -> bool:
        return self.rank >= other.rank


class Role(Enum):
    """What a value is for."""

    __hash__ = object.__hash__  # as above

    API_KEY = "api-key"
    SECRET_KEY = "secret-key"
    PRIVATE_KEY = "private-key"


class Kind(Enum):
    """What of a credential was found: both halves, or which one."""

    KEY_PAIR = "key-pair"
    API_KEY = "api-key"
    SECRET_KEY = "secret-key"
    PRIVATE_KEY = "private-key"


class Confidence(Ordered):
    """Confidence that a credential belongs to Binance."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


class Reading(Ordered):
    """How a value was read, the least certain way first."""

    PART = "part"
    """A part of it was recognized in a picture; the rest is covered."""
    RECOGNIZED = "recognized"
    """Its characters were recognized in a picture, where similar ones may be mistaken."""
    EXACT = "exact"


class Exposure(Ordered):
    """Where a value can be seen, the most hidden place first."""

    UNREACHABLE = "unreachable"
    MESSAGE = "message"
    HISTORY = "history"
    STAGED = "staged"
    PRESENT = "present"


class RiskLevel(Ordered):
    """The harm that a credential can do in a stranger's hands."""

    INFO = "info"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    CRITICAL = "critical"


class Grade(Ordered):
    """How far from a value the evidence for Binance is, the farthest first."""

    REPOSITORY = "repository"
    SIBLING = "sibling"
    PATH = "path"
    FILE = "file"
    BLOCK = "block"
    STATEMENT = "statement"


@dataclass(frozen=True, kw_only=True, slots=True)
class Value:
    """A string with the shape of a credential, identified by digest, shown by mask.

    `sha256` is of the value's ASCII bytes, of the DER bytes for a private key. It is safe to print: 64 random base62
    characters hold 381 bits. So is `sha1`, by which a baseline of detect-secrets identifies it: of the same bytes,
    for a private key of the base64 of its DER. `secret` is None once the value has left the process that read it.
    """

    role: Role
    sha256: str
    masked: str
    sha1: str = ""
    secret: Secret | None = field(default=None, compare=False)

    @classmethod
    def of(cls, role: Role, value: bytes) -> Value:
        """The value of these bytes in this role."""
        text = b64encode(value) if role is Role.PRIVATE_KEY else value
        return cls(
            role=role,
            sha256=sha256(value).hexdigest(),
            masked=_masked(role, value),
            sha1=sha1(text, usedforsecurity=False).hexdigest(),
            secret=Secret(value),
        )

    def in_role(self, role: Role) -> Value:
        """The same value, known to be in another role.

        Its mask shows no more than before if the value has left.
        """
        if self.secret is not None:
            return Value.of(role, self.secret.reveal())
        return replace(self, role=role)

    def with_secret(self, secrets: Mapping[str, Secret]) -> Value:
        """The same value with its bytes, found by digest among those given, if it lacks them."""
        return replace(self, secret=secrets.get(self.sha256)) if self.secret is None else self

    def without_secret(self) -> Value:
        """The same value, fit to be sent to another process."""
        return replace(self, secret=None)


def _masked(role: Role, value: bytes) -> str:
    match role:
        case Role.API_KEY:
            return mask_api_key(value)
        case Role.SECRET_KEY:
            return mask_secret_key(value)
        case Role.PRIVATE_KEY:
            return mask_private_key(value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """One piece of evidence for Binance: its location, and a description in plain English.

    The name of a value that speaks for its role only has `for_binance` false.
    """

    grade: Grade
    text: str
    for_binance: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Commit:
    """A commit that introduced or removed a value.

    `date` is the author's, ISO 8601 with offset.
    """

    id: str
    author: str
    date: str
    subject: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Origin:
    """Where a value comes from, as the export, mail or image around it states; all of it is untrusted text."""

    author: str = ""
    """Who wrote the message or document."""
    date: str = ""
    """When, as it is written there; seconds and milliseconds since 1970 as ISO 8601."""
    layer: str = ""
    """The digest of the layer of a container image, or `IMAGE_CONFIGURATION`."""
    command: str = ""
    """The command of the build that made the layer."""
    deleted: bool = False
    """Whether a later layer deletes or replaces the file, which is still in the image."""


IMAGE_CONFIGURATION = "configuration"
"""In place of a layer, for a value in the environment, labels or history of an image."""


class Readers(Ordered):
    """Who can read a file, by its permissions; narrowest first."""

    OWNER = "owner"
    GROUP = "group"
    EVERYONE = "everyone"


_MEMBER = "!/"
"""What separates an archive from its member in a path: `archive.zip!/inner/path`."""


def member_path(archive: str, member: str) -> str:
    """The path of a member of an archive."""
    return f"{archive}{_MEMBER}{member}"


def is_member(path: str) -> bool:
    """Whether a path is one of a member of an archive."""
    return _MEMBER in path


def split_member(path: str) -> tuple[str, str]:
    """Split the path of an archive member: file on disk, and the rest with its separator."""
    file, separator, member = path.partition(_MEMBER)
    return file, separator + member


def is_in(path: str, outer: str) -> bool:
    """Whether a path is that of a file, folder or archive, or of something in it."""
    return path == outer or path.startswith((f"{outer}/", f"{outer}{_MEMBER}"))


def innermost_member(path: str) -> str:
    """The path of a member in the archive that holds it; of another file its own."""
    return path.rpartition(_MEMBER)[2]


def member_of_file(path: str) -> str:
    """The path of a member in the file on disk, without those inside that member; empty for the file itself."""
    return path.partition(_MEMBER)[2].partition(_MEMBER)[0]


def container_of(path: str) -> str:
    """The file on disk: the outermost archive of a member, else the path itself."""
    return path.partition(_MEMBER)[0]


class CellPart(Enum):
    """The part of a notebook's cell that holds a value."""

    SOURCE = "source"
    OUTPUT = "output"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cell:
    """A cell of a notebook."""

    number: int
    """From 1, in the order of the notebook, cells of text among them."""
    part: CellPart | None = None
    """None for metadata and attachments."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Location:
    """The location of a value.

    Lines and columns count from 1, columns in characters; `path` has `/` on every system. A member of an archive is
    `archive.zip!/inner/path`.

    `allowed` is the inline comment that allows the value, if any. `preexisting` is True if the value was there before
    the change that is scanned: it is shown and does not block. In a history `commit` introduced the value at this path,
    `removed` removed it, `refs` are the branches and tags whose history contains it, those that people know first, and
    `pushed` is True if a remote had one of them. `repository` is the one of a fleet that has it.

    `near_miss` is a comment that looks as if it should allow the value and does not, `near_miss_above` says that it is
    on the line above. `permit` is what allows the value here, if its finding counts: inline, config or baseline.
    """

    role: Role
    path: str
    line: int
    column: int
    exposure: Exposure = Exposure.PRESENT
    commit: Commit | None = None
    blob: str | None = None
    refs: tuple[str, ...] = ()
    allowed: str | None = None
    preexisting: bool = False
    removed: Commit | None = None
    pushed: bool = False
    repository: str | None = None
    near_miss: str | None = None
    near_miss_above: bool = False
    permit: str | None = None
    unlisted_refs: int = 0
    """Refs beyond `refs`, in a report that was read again."""
    cell: Cell | None = None
    """The cell, if the file is a notebook."""
    replaceable: bool = True
    """Whether git-filter-repo can replace the value in the versions of the file that were read."""
    origin: Origin | None = None
    """Author and date, or the layer of an image, where the format of its file has them."""
    readers: Readers | None = None
    """Who can read the file on this machine; None where that was not looked at."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Occurrence:
    """A value at a location, with what its surroundings indicate.

    `stem` is its name without role words (`binance`, `live`, `1`), which distinguishes halves of several accounts.
    `named` is True if a name or a call gave the role, not position alone. `last_line` is the last line of a value that
    spans several. `foreign` names another service that its surroundings point to; `encrypted` marks a private key that
    is of no use without its passphrase.
    """

    value: Value
    location: Location
    rule: str
    last_line: int
    stem: tuple[str, ...] = ()
    named: bool = False
    environment: Environment = Environment.UNKNOWN
    evidence: tuple[Evidence, ...] = ()
    foreign: str | None = None
    encrypted: bool = False
    in_path: bool = False
    """Whether it is in the name of its file or folder, and not in a file."""
    certain: bool = False
    """Whether its environment is beyond doubt: code in its file states a host of it and nothing names another system
    with real money, or the owner of the value said so."""
    reading: Reading = Reading.EXACT
    encrypted_beside: bool = False
    """Whether an encrypted private key is beside this API key, which was found without another secret."""

    def in_role(self, role: Role) -> Occurrence:
        """The same occurrence with its value in another role."""
        if self.value.role is role:
            return self
        return replace(self, value=self.value.in_role(role), location=replace(self.location, role=role))

    def without_secret(self) -> Occurrence:
        """The same occurrence, fit to be sent to another process."""
        return replace(self, value=self.value.without_secret())


def is_undecided(kind: Kind, evidence: Iterable[str]) -> bool:
    """Whether a credential is one value that may be the API key as well as the secret, by its evidence."""
    return kind is Kind.API_KEY and UNDECIDED in evidence


@dataclass(frozen=True, kw_only=True, slots=True)
class Credential:
    """A key with its secret, or what there is of it, with every place where it occurs."""

    values: tuple[Value, ...]
    occurrences: tuple[Occurrence, ...]
    environment: Environment
    confidence: Confidence
    evidence: tuple[str, ...]
    known_example: bool = False

    @property
    def kind(self) -> Kind:
        """Pair, or which half."""
        roles = {value.role for value in self.values}
        if Role.API_KEY in roles:
            return Kind.API_KEY if len(roles) == 1 else Kind.KEY_PAIR
        return Kind.SECRET_KEY if Role.SECRET_KEY in roles else Kind.PRIVATE_KEY

    @property
    def is_undecided(self) -> bool:
        """Whether it is one value that may be the API key as well as the secret."""
        return is_undecided(self.kind, self.evidence)

    @property
    def id(self) -> str:
        """Stable identity: of the API key where there is one, else of the secret half.

        Of the API key alone, so that a key found by itself and the same key found with its secret are one credential
        in every repository, run and machine.
        """
        values = sorted(self.values, key=lambda value: (value.role is not Role.API_KEY, value.sha256))
        return sha256(f"binance-leaks/1:{values[0].sha256}".encode()).hexdigest()[:32]

    def moved(self, move: Callable[[Location], Location]) -> Credential:
        """The same credential with its places moved."""
        occurrences = (replace(occurrence, location=move(occurrence.location)) for occurrence in self.occurrences)
        return replace(self, occurrences=tuple(occurrences))

    @property
    def has_key(self) -> bool:
        """Whether its API key was found."""
        return any(value.role is Role.API_KEY for value in self.values)

    def with_secrets(self, secrets: Mapping[str, Secret]) -> Credential:
        """The same credential in the process that has its values, by their digests."""
        return replace(
            self,
            values=tuple(value.with_secret(secrets) for value in self.values),
            occurrences=tuple(
                replace(occurrence, value=occurrence.value.with_secret(secrets)) for occurrence in self.occurrences
            ),
        )

    def without_secrets(self) -> Credential:
        """The same credential, fit to be sent to another process."""
        return replace(
            self,
            values=tuple(value.without_secret() for value in self.values),
            occurrences=tuple(occurrence.without_secret() for occurrence in self.occurrences),
        )
