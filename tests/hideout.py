"""What a repository with hidden pairs is made of, and what is to be reported for each pair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from tests.corpus.values import hmac_value
from tests.e2e import Pair
from tests.repositories import Repository

AUTHOR = "Ann Author <ann@project.example>"
FIRST_DAY = 1_577_880_000  # 2020-01-01 12:00 UTC
DAY = 86_400

Content = str | bytes | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Stand:
    """One path at which a pair is, and what is to be reported for it.

    `refs` is None where all refs that contain `commit` are meant; `line` is that of the secret, None where lines mean
    nothing; `blob` names the first version where a path has several.
    """

    path: str
    exposure: str
    commit: str | None = None
    removed: str | None = None
    line: int | None = None
    refs: frozenset[str] | None = None
    blob: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Hidden:
    """A pair in its hiding place."""

    place: str
    pair: Pair
    stands: tuple[Stand, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Hideout:
    """The repository with all its hiding places."""

    repository: Repository
    hidden: tuple[Hidden, ...]

    def refs(self, stand: Stand) -> set[str]:
        """Short names of the refs whose history holds it, by git's own word."""
        if stand.refs is not None:
            return set(stand.refs)
        if stand.commit is None:
            return set()
        names = self.repository.git("for-each-ref", "--format=%(refname)", "--contains", stand.commit).split()
        return {short(name) for name in names}


def short(name: str) -> str:
    """A ref as it is shown: without the folder of branches, remotes and tags."""
    for folder in ("refs/heads/", "refs/remotes/", "refs/tags/"):
        if name.startswith(folder):
            return name[len(folder) :]
    return name


@dataclass(slots=True)
class Maker:
    """Commits to a repository, one a day from the first of January 2020."""

    repository: Repository
    rng: Random
    day: int = 0
    hidden: list[Hidden] = field(default_factory=list)

    def pair(self) -> Pair:
        """The next pair; the same ones for the same seed."""
        return Pair(key=hmac_value(self.rng), secret=hmac_value(self.rng))

    def git(self, *words: str) -> str:
        """Run git on the next day."""
        self.day += 1
        date = f"{FIRST_DAY + self.day * DAY} +0100"
        name, _, mail = AUTHOR.partition(" <")
        identity = {"GIT_AUTHOR_NAME": name, "GIT_AUTHOR_EMAIL": mail.rstrip(">")}
        dates = {"GIT_AUTHOR_DATE": date, "GIT_COMMITTER_DATE": date}
        return self.repository.git("-c", "advice.detachedHead=false", *words, env={**identity, **dates})

    def write(self, files: Mapping[str, Content]) -> None:
        """Write files into the work tree and the index; None takes one out."""
        for name, content in files.items():
            if content is None:
                self.repository.path(name).unlink()
            else:
                self.repository.write(name, content)
        self.repository.git("add", "--all", "--force", ".")

    def commit(self, files: Mapping[str, Content], message: str, *options: str) -> str:
        """A commit on the branch that is checked out; returns its id."""
        self.write(files)
        self.git("commit", "--quiet", "--allow-empty", "--no-verify", f"--message={message}", *options)
        return self.head()

    def head(self) -> str:
        """The commit that is checked out."""
        return self.repository.git("rev-parse", "HEAD")

    def checkout(self, *words: str) -> None:
        """Changes the branch."""
        self.repository.git("-c", "advice.detachedHead=false", "checkout", "--quiet", "--force", *words)

    def hash(self, content: str) -> str:
        """A blob that nothing names."""
        path = self.repository.write(".git/scratch", content)
        return self.repository.git("hash-object", "-w", "--no-filters", str(path))

    def hide(self, place: str, pair: Pair, *stands: Stand) -> None:
        """Notes that a pair was hidden."""
        self.hidden.append(Hidden(place=place, pair=pair, stands=stands))
