"""The forge of a repository: its kind, and links to commits and lines there.

An address of a remote is untrusted. A link is made anew of checked parts: `https`, a host of the list below, names of
plain characters, a commit id, a percent-encoded path. Logins in the address are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from binance_leaks.findings import Forge, Repository, Result, SourceKind
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import COMMIT_MESSAGE, Location
from binance_leaks.report.locations import file_to_open, is_absolute, is_in_archive, path_uri
from binance_leaks.report.sanitize import Redactor

_PATH = r"/?([A-Za-z0-9._-]+(?:/[A-Za-z0-9._-]+)+)/?"
_URL = lazy_pattern(rf"(?:https|ssh)://(?:[^/?#@\s]*@)?([A-Za-z0-9.-]+)(?::(?:443|22))?/{_PATH}", re.ASCII)
_SCP = lazy_pattern(rf"(?:[A-Za-z0-9._-]+@)?([A-Za-z0-9.-]+):{_PATH}", re.ASCII)
_HOST = lazy_pattern(
    r"[a-z+]{1,10}://(?:[^/?#@\s]*@)?([A-Za-z0-9.-]{1,253})[:/]|(?:[A-Za-z0-9._-]+@)?([A-Za-z0-9.-]{1,253}):(?!//)",
    re.ASCII,
)
_COMMIT_ID = lazy_pattern(r"[0-9a-f]{40}|[0-9a-f]{64}")


_MAX_LINK = 300


@dataclass(frozen=True, kw_only=True, slots=True)
class _Pages:
    """The addresses of a kind of forge; `depth` is how many names the path of a repository has at most."""

    kind: Forge
    commit: str
    file: str
    line: str = "#L"
    depth: int = 2


_GITHUB = _Pages(kind=Forge.GITHUB, commit="/commit/", file="/blob/")
_GITLAB = _Pages(kind=Forge.GITLAB, commit="/-/commit/", file="/-/blob/", depth=20)
_GITEA = _Pages(kind=Forge.GITEA, commit="/commit/", file="/src/commit/")
_BITBUCKET = _Pages(kind=Forge.BITBUCKET, commit="/commits/", file="/src/", line="#lines-")
_FORGES: Mapping[str, _Pages] = MappingProxyType(
    {
        "github.com": _GITHUB,
        "gitlab.com": _GITLAB,
        "framagit.org": _GITLAB,
        "gitlab.freedesktop.org": _GITLAB,
        "gitlab.gnome.org": _GITLAB,
        "invent.kde.org": _GITLAB,
        "salsa.debian.org": _GITLAB,
        "codeberg.org": _GITEA,
        "gitea.com": _GITEA,
        "bitbucket.org": _BITBUCKET,
    }
)


def forge_page(remote: str) -> str:
    """Return the page of a repository on a known forge by the address of a remote, empty for any other address.

    >>> forge_page("git@github.com:org/bot.git")
    'https://github.com/org/bot'
    """
    found = _URL.fullmatch(remote) or _SCP.fullmatch(remote)
    if found is None:
        return ""
    host, path = found[1].lower(), found[2].removesuffix(".git")
    names = path.split("/")
    if host not in _FORGES or len(names) > _FORGES[host].depth or not all(name.strip(".") for name in names):
        return ""
    return f"https://{host}/{path}"


_KINDS: Mapping[str, Forge] = MappingProxyType({**{kind.value: kind for kind in Forge}, "forgejo": Forge.GITEA})
"""Kinds by the word that names of hosts have, as in `gitlab.example.org`."""


def forge_kind(remote: str) -> Forge | None:
    """Return the kind of forge by the name of the host in the address of a remote, None where it does not say it.

    >>> forge_kind("git@gitlab.example.org:team/bot.git")
    <Forge.GITLAB: 'gitlab'>
    """
    found = _HOST.match(remote)
    if found is None:
        return None
    host = (found[1] or found[2]).lower()
    if host in _FORGES:
        return _FORGES[host].kind
    return next((_KINDS[word] for word in host.replace("-", ".").split(".") if word in _KINDS), None)


def describe_repository(folder: str, remote: str) -> Repository:
    """Return what is known of a repository: `folder` is its path or URL, `remote` the address of its origin.

    Logins in addresses are dropped.
    """
    page = forge_page(remote)
    name = (page or folder).rstrip("/").rpartition("/")[2]
    return Repository(name=name.removesuffix(".git"), page=page, forge=forge_kind(remote))


@dataclass(frozen=True, kw_only=True, slots=True)
class ForgeLinks:
    """Makes the links of one report; they are empty where the forge is unknown or does not have the commit."""

    page: str
    """The page of the repository, as `forge_page` returns it."""
    redactor: Redactor
    published: bool = False
    """Whether the forge has the commits of locations that are not known to be pushed, too."""

    @classmethod
    def of(cls, result: Result) -> ForgeLinks:
        """Return the links of a result; the forge has the commits of a range, unless they are about to be pushed."""
        redactor = Redactor.of(result)
        page = forge_page(result.repository.page) if result.repository is not None else ""
        published = result.source is SourceKind.RANGE and result.rebase is None
        return cls(page=page if redactor.path(page) == page else "", redactor=redactor, published=published)

    def commit(self, commit_id: str, *, pushed: bool) -> str:
        """Return the link to a commit."""
        if not self.page or not (pushed or self.published) or not _COMMIT_ID.fullmatch(commit_id):
            return ""
        return f"{self.page}{self._forge.commit}{commit_id}"

    def line(self, location: Location) -> str:
        """Return the link to a location in the commit that introduced it.

        It leads to its line, or to the commit for a message or where the link would be long.
        """
        if location.commit is None or not (commit := self.commit(location.commit.id, pushed=location.pushed)):
            return ""
        if location.path == COMMIT_MESSAGE:
            return commit
        file = file_to_open(location)
        if file is None or is_absolute(file) or self.redactor.path(file) != file:
            return ""
        if any(name in ("", ".", "..") for name in file.split("/")):
            return ""
        line = "" if is_in_archive(location) else f"{self._forge.line}{location.line}"
        link = f"{self.page}{self._forge.file}{location.commit.id}/{path_uri(file)}{line}"
        return link if len(link) <= _MAX_LINK else commit

    @property
    def _forge(self) -> _Pages:
        return _FORGES[self.page.split("/")[2]]
