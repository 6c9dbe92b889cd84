"""The source of this program for hooks and CI: a repository, or the package index."""

from __future__ import annotations

import json
from importlib.metadata import PackageNotFoundError, distribution

import yaml

from binance_leaks import __version__
from binance_leaks.errors import UsageError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern

PACKAGE = f"binance-leaks=={__version__}"
"""What pip installs from the package index: the version that is running."""

_CHECKOUT = "/tmp/binance-leaks-source"  # noqa: S108  # in a job's container

_REVISION = lazy_pattern(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")
_GITHUB = lazy_pattern(r"(?:https://|ssh://git@|git@)github\.com[/:]([A-Za-z0-9-]+/[A-Za-z0-9._-]+?)(?:\.git)?/?")
_FETCHED = lazy_pattern(r"https://[A-Za-z0-9][A-Za-z0-9._~/:%-]*")
_USER = lazy_pattern(r"https?://[^/]*@")
_PLAIN = lazy_pattern(r"[A-Za-z0-9._~/@:+-]+")


@dataclass(frozen=True, kw_only=True, slots=True)
class PackageSource:
    """A repository of this project: a URL for pre-commit, and a commit or tag."""

    url: str
    rev: str

    @classmethod
    def of(cls, url: str | None, rev: str | None) -> PackageSource | None:
        """Return the source that the command line names, or None.

        Raises UsageError for an incomplete or wrong one.
        """
        if url is None and rev is None:
            return None
        if url is None or rev is None:
            hint = "Give both: --repo URL --rev COMMIT; a commit id cannot be moved, a tag can."
            raise UsageError("--repo and --rev belong together", hint=hint)
        if not url or url.startswith("-") or not url.isprintable():
            raise UsageError("--repo is not an address")
        if _USER.match(url):
            raise UsageError("--repo holds a user name or a token", hint="It would be committed. Leave it out.")
        if not _REVISION.fullmatch(rev):
            raise UsageError("--rev is not a commit id or tag")
        return cls(url=url, rev=rev)

    @property
    def action(self) -> str | None:
        """How a GitHub workflow names our action; None where the source is not on GitHub."""
        found = _GITHUB.fullmatch(self.url)
        return f"{found[1]}@{self.rev}" if found else None

    @property
    def fetched_url(self) -> str:
        """The address that CI fetches the program from.

        Raises UsageError where CI would need credentials for it.
        """
        found = _GITHUB.fullmatch(self.url)
        url = f"https://github.com/{found[1]}" if found else self.url
        if not _FETCHED.fullmatch(url):
            raise UsageError("CI cannot fetch from that --repo", hint="Give an https:// address.")
        return url


def install_commands(source: PackageSource | None, python: str) -> tuple[str, ...]:
    """Return the shell commands with which CI installs the program for a Python.

    From a repository, dependencies are installed by the hashes of its lock; from the package index, by version.
    """
    pip = f"{python} -I -m pip install --quiet"
    if source is None:
        return (f'{pip} "{PACKAGE}"',)
    return (
        f'rm -rf {_CHECKOUT} && git clone --quiet "{source.fetched_url}" {_CHECKOUT}',
        f'git -C {_CHECKOUT} checkout --quiet "{source.rev}"',
        f"{pip} --require-hashes -r {_CHECKOUT}/requirements.lock",
        f"{pip} --no-index --no-deps --no-build-isolation {_CHECKOUT}",
    )


def installed_source() -> PackageSource | None:
    """Return the repository and commit that pip installed this program from, if others can fetch it."""
    try:
        text = distribution("binance-leaks").read_text("direct_url.json")
        direct = json.loads(text or "null")
        source = PackageSource.of(direct["url"], direct["vcs_info"]["commit_id"])
    except (PackageNotFoundError, ValueError, KeyError, TypeError, UsageError):
        return None
    return source if source is not None and _FETCHED.fullmatch(source.url) else None


def quoted(text: str) -> str:
    """Return text as a YAML scalar, without quotes where it reads as the same text."""
    bare = _PLAIN.fullmatch(text) and yaml.safe_load(text) == text
    return text if bare else json.dumps(text, ensure_ascii=False)
