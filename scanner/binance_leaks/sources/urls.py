"""Parse, normalize and redact the URLs of repositories."""

from __future__ import annotations

import os
import re
from pathlib import Path

from binance_leaks.errors import UsageError
from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.lazy_patterns import lazy_pattern

_SCHEME = lazy_pattern(r"([A-Za-z][A-Za-z0-9+.-]+)://([^/?#]*)(.*)", re.DOTALL)
_HELPER = lazy_pattern(r"[A-Za-z0-9+.-]*::")
_SCP = lazy_pattern(r"(?:[^/:\s\[\]]{2,}|(?:[^/:\s\[\]]+@)?\[[^\[\]/\s]+\]):")
_HOST = lazy_pattern(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\[\]:@\s\\-][^\[\]:@\s\\]*)(?::[0-9]*)?")
ALLOWED = ("https", "ssh", "file")
_PROTOCOLS = "Use https://, ssh:// or file://: other ways can be read, changed, or run a program."


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteAddress:
    """A URL taken apart.

    `plain` is for git and has no password, `scope` is what the login is for.
    """

    plain: str
    shown: str
    scope: str = ""
    user: str = field(default="", repr=False)
    password: str | None = field(default=None, repr=False)


def is_url(text: str) -> bool:
    """Whether a text is to be cloned and is no path here.

    Also for URLs that `clone_mirror` then refuses.
    """
    if _SCHEME.match(text):
        return True
    if text.startswith((".", "/", "\\", "~")) or os.path.exists(text):  # noqa: PTH110 - long texts make Path raise
        return False
    return bool(_HELPER.match(text) or _SCP.match(text))


def redact_url(url: str) -> str:
    """A URL for reports: without password and token, and printable.

    The user name of ssh is kept; it is no secret.
    """
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in url)
    match = _SCHEME.match(text)
    if match is None:
        return text if not is_url(text) else re.sub(r"^[^/@:]*:[^/@]*@|(?<=//)[^/\s]*@", "", text)
    scheme, authority, rest = match[1].lower(), match[2], match[3]
    if scheme == "file":
        return f"{scheme}://…" if "@" in authority else f"{scheme}://{authority}{rest}"
    login, _, host = authority.rpartition("@")
    if not _HOST.fullmatch(host) or (not login and ":" in host and "@" in rest):
        return f"{scheme}://…"  # a password with a slash in it looks so
    if scheme == "ssh":
        user = login.partition(":")[0]
        return f"{scheme}://{user}@{host}{rest}" if user else f"{scheme}://{host}{rest}"
    return f"{scheme}://{host}{re.split('[?#]', rest, maxsplit=1)[0]}"


def normalize_url(url: str) -> str:
    """Normalize a URL, to recognise the same repository: `ssh://git@host/org/name`.

    Without password, and for https without the user; without what may be left out (port, `.git`, slash at the end).
    How it is reached makes a difference: https and ssh are two. Raises UsageError as a clone would.
    """
    plain = parse_address(url).plain
    match = _SCHEME.match(plain)
    if match is None:
        login, host, path = _of_scp(plain)
        return f"ssh://{login}{host.lower()}/{_canonical_path(path)}"
    scheme, authority, path = match[1].lower(), match[2], match[3]
    login, at, host = authority.rpartition("@")
    host = host.lower().removesuffix(":").removesuffix({"https": ":443", "ssh": ":22"}.get(scheme, ":"))
    return f"{scheme}://{login}{at}{host}/{_canonical_path(path)}"


def _of_scp(url: str) -> tuple[str, str, str]:
    """Login with its `@`, host and path of an address as scp has it.

    Its path counts from the home of the user: of `git` that is where the forges and gitolite have all repositories.
    """
    match = _SCP.match(url)
    end = match.end() if match else 0
    login, at, host = url[: end - 1].rpartition("@")
    path = url[end:]
    at_the_top = path.startswith(("/", "~")) or login == "git"
    return f"{login}{at}", host, path if at_the_top else f"~/{path}"


def _canonical_path(path: str) -> str:
    path = re.sub(r"%[0-9A-Fa-f]{2}", lambda found: _needless(found[0]), re.sub(r"/{2,}", "/", path)).strip("/")
    shorter = path.removesuffix(".git").rstrip("/")
    return path if not shorter or path.endswith("/.git") else shorter


def _needless(escape: str) -> str:
    """The letter that an escape means, if none was needed for it; else the escape in capitals."""
    letter = chr(int(escape[1:], 16))
    return letter if letter.isascii() and (letter.isalnum() or letter in "-._~") else escape.upper()


def parse_address(url: str) -> RemoteAddress:
    """A URL, or a path that is there, taken apart.

    Raises UsageError where it is not allowed or not valid.
    """
    shown = redact_url(url)
    if url.startswith("-") or not url:
        raise UsageError(f"not a URL: {shown}")
    if not is_url(url):
        if not os.path.exists(url):  # noqa: PTH110 - as in is_url
            raise UsageError(f"no such repository: {shown}")
        return RemoteAddress(plain=str(Path(url).absolute()), shown=shown)
    match = _SCHEME.match(url)
    scheme = match[1].lower() if match else url.partition("::")[0] if _HELPER.match(url) else "ssh"
    if scheme not in ALLOWED or (match is None and _HELPER.match(url)):
        raise UsageError(f"a repository at {scheme}{'://' if match else '::'} is not cloned", hint=_PROTOCOLS)
    if match is None:
        host, _, path = url.partition(":")
        if not url.isprintable() or host.rpartition("@")[2].startswith("-") or "@" in path.partition("/")[0]:
            raise UsageError(f"not a valid URL: {shown}")
        return RemoteAddress(plain=url, shown=shown)
    login, _, host = match[2].rpartition("@")
    wrong = "@" in match[2] if scheme == "file" else _HOST.fullmatch(host) is None
    if not url.isprintable() or wrong or login.startswith("-"):
        raise UsageError(f"not a valid URL: {shown}")
    if scheme != "https":
        user = f"{login.partition(':')[0]}@" if login and scheme == "ssh" else ""
        return RemoteAddress(plain=f"{scheme}://{user}{host if scheme == 'ssh' else match[2]}{match[3]}", shown=shown)
    if "?" in match[3] or "#" in match[3]:
        raise UsageError(f"more than an address: {shown}", hint="Leave out what comes after “?” or “#”.")
    user, colon, password = (_decoded(part) for part in login.partition(":"))
    plain = f"https://{host}{match[3]}"
    return RemoteAddress(
        plain=plain, shown=shown, scope=f"https://{host}", user=user, password=password if colon else None
    )


def has_login(address: str) -> bool:
    """Whether a URL, if it is one, has a password or token in it.

    The user of ssh is no secret.
    """
    if not is_url(address):
        return False
    parsed = parse_address(address)
    return bool(parsed.user) or parsed.password is not None


def percent_decode(text: str) -> str:
    """A part of a URL with its escapes decoded.

    Bytes that are no UTF-8 as paths have them.
    """
    octets = text.encode("utf-8", "surrogateescape")
    plain = re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes.fromhex(match[1].decode()), octets)
    return plain.decode("utf-8", "surrogateescape")


def _decoded(text: str) -> str:
    decoded = percent_decode(text)
    if not decoded.isprintable():
        raise UsageError("the login in the URL is not valid")
    return decoded
