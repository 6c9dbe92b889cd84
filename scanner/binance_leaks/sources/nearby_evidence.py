"""Evidence near a file: its neighbours, manifests and repository name."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from stat import S_ISREG

from binance_leaks.detect.names import is_credential_file
from binance_leaks.detect.vocabulary import EXCHANGE_NAME, mentions, name_mentions_binance
from binance_leaks.errors import GitError
from binance_leaks.model import Evidence, Grade, container_of
from binance_leaks.path_bytes import decode_path, encode_path
from binance_leaks.sources.git import Git
from binance_leaks.sources.index import read_tracked_siblings
from binance_leaks.sources.plumbing import split

_MOST_SIBLINGS = 200
_LARGEST_SIBLING = 1 << 20
_MOST_PATHS = 20_000
_DEEPEST = 4
_MANIFESTS = (
    "requirements.txt", "pyproject.toml", "setup.py", "Pipfile", "package.json", "go.mod", "pom.xml", "build.gradle",
    "Cargo.toml", "composer.json", "Gemfile", "README.md", "docker-compose.yml",
)  # fmt: skip


def mentions_binance(data: bytes) -> bool:
    """Whether some text names the exchange.

    Parameters of its API alone, which others copied, do not count.
    """
    text = data.decode("utf-8", "replace")
    return any(EXCHANGE_NAME.match(text, start) for start, _ in mentions(text, text.encode("latin-1", "replace")))


class EvidenceNearFiles:
    """The neighbours of files on disk."""

    def __init__(self) -> None:
        self._folders: dict[str, Evidence | None] = {}

    def evidence_near(self, path: str) -> Evidence | None:
        """Evidence beside the file at `path`.

        A member of an archive has the archive's neighbours.
        """
        folder = os.path.dirname(container_of(path)) or "."  # noqa: PTH120
        if folder not in self._folders:
            self._folders[folder] = self._look(folder)
        return self._folders[folder] or _evidence_in_paths(path, lambda: _paths_below(folder))

    def _look(self, folder: str) -> Evidence | None:
        name = next((name for name, data in _files_in(folder) if mentions_binance(data)), None)
        if name is not None:
            return Evidence(grade=Grade.SIBLING, text=f"“{name}” beside it mentions Binance")
        repository = describe_repository(folder)
        return Evidence(grade=Grade.REPOSITORY, text=repository) if repository else None


class EvidenceNearStaged:
    """The neighbours of files in git's index."""

    def __init__(self, git: Git) -> None:
        self._git = git
        self._folders: dict[str, Evidence | None] = {}

    def evidence_near(self, path: str) -> Evidence | None:
        """Evidence beside the staged file at `path`."""
        folder = container_of(path).rpartition("/")[0]
        if folder not in self._folders:
            self._folders[folder] = self._look(folder)
        return self._folders[folder] or _evidence_in_paths(
            path, lambda: split(Git(self._git.root(), inherit=True).run("ls-files", "-z"))
        )

    def _look(self, folder: str) -> Evidence | None:
        siblings = read_tracked_siblings(self._git, encode_path(folder), _MOST_SIBLINGS)
        if any(mentions_binance(data) for data in siblings):
            return Evidence(grade=Grade.SIBLING, text="a file beside it mentions Binance")
        name = describe_repository(self._git.folder)
        return Evidence(grade=Grade.REPOSITORY, text=name) if name else None


class EvidenceNearCommits:
    """The neighbours of files in the commits that introduced them.

    `commits` has the id of one for a path.
    """

    def __init__(self, git: Git, commits: Mapping[str, str]) -> None:
        self._git = git
        self._commits = commits
        self._folders: dict[tuple[str, str], Evidence | None] = {}
        self._repository: list[Evidence | None] = []

    def evidence_near(self, path: str) -> Evidence | None:
        """Evidence beside the file at `path` when it was introduced, else that of the repository."""
        outer = container_of(path)
        commit = self._commits.get(outer)
        folder = outer.rpartition("/")[0]
        if commit is not None:
            if (commit, folder) not in self._folders:
                self._folders[commit, folder] = self._look(commit, folder)
            if (found := self._folders[commit, folder]) is not None:
                return found
        if not self._repository:
            name = describe_repository(self._git.folder) or self._manifest()
            self._repository.append(Evidence(grade=Grade.REPOSITORY, text=name) if name else None)
        return self._repository[0] or _evidence_in_paths(path, lambda: self._paths(commit or "HEAD"))

    def _paths(self, commit: str) -> list[bytes]:
        try:
            return split(self._git.run_bounded("", "ls-tree", "-r", "-z", "--name-only", "--full-tree", commit))
        except GitError:  # no such commit, a tree that is missing or has no end
            return []

    def _look(self, commit: str, folder: str) -> Evidence | None:
        for name, data in self._files(f"{commit}:{folder}"):
            if mentions_binance(data):
                return Evidence(grade=Grade.SIBLING, text=f"“{name}” beside it mentioned Binance")
        return None

    def _manifest(self) -> str | None:
        for name, data in self._files("HEAD:"):
            if name in _MANIFESTS and mentions_binance(data):
                return f"“{name}” of the repository mentions Binance"
        return None

    def _files(self, tree: str) -> Iterator[tuple[str, bytes]]:
        listed = self._git.run("ls-tree", "-z", "--full-tree", tree, accept=(0, 128))
        names = []
        for entry in listed.split(b"\0")[:-1]:
            head, _, path = entry.partition(b"\t")
            mode, kind, blob = head.decode("ascii").split(" ")
            if kind == "blob" and mode != "120000":
                names.append((blob, decode_path(path)))
        with self._git.blobs((blob for blob, _ in names[:_MOST_SIBLINGS]), []) as blobs:
            for (_, name), (_, stream) in zip(names, blobs, strict=False):
                if stream is not None and stream.size <= _LARGEST_SIBLING:
                    yield name, stream.read()


def _evidence_in_paths(path: str, list_paths: Callable[[], Iterable[bytes]]) -> Evidence | None:
    """Evidence in the names of other files, for a file that holds nothing but credentials: in it there is none."""
    if not is_credential_file(container_of(path)):
        return None
    if any(name_mentions_binance(decode_path(other)) for other in list_paths()):
        return Evidence(grade=Grade.REPOSITORY, text="a path of the repository mentions Binance")
    return None


def _paths_below(folder: str) -> Iterator[bytes]:
    """Paths in a folder and in the folders in it, to a depth and number."""
    left = _MOST_PATHS
    for parent, folders, files in os.walk(folder):
        relative = os.path.relpath(parent, folder)
        if relative.count(os.sep) >= _DEEPEST:
            folders.clear()
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in (*folders, *files):
            yield encode_path(os.path.join(relative, name))  # noqa: PTH118
        left -= len(files) + len(folders)
        if left <= 0:
            return


def describe_repository(folder: str) -> str | None:
    """What mentions Binance in the repository of a folder: its name, remotes, manifests."""
    git = Git(folder)
    try:
        top = os.path.abspath(git.top())  # noqa: PTH100
        listed = git.run("config", "--get-regexp", "-z", r"^remote\..*\.url$", accept=(0, 1))
    except GitError:
        return None
    remotes = [decode_path(entry).partition("\n")[2] for entry in split(listed)]
    names = [os.path.basename(top), *(re.sub(r"^[a-z+]+://[^/]*/|^[^/]*:", "", url) for url in remotes)]  # noqa: PTH119
    if any(name_mentions_binance(name) for name in names):
        return "the repository's name mentions Binance"
    for manifest in _MANIFESTS:
        data = _content(Path(top) / manifest)
        if data is not None and mentions_binance(data):
            return f"“{manifest}” of the repository mentions Binance"
    return None


def _files_in(folder: str) -> Iterator[tuple[str, bytes]]:
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False))
    except OSError:
        return
    for name in names[:_MOST_SIBLINGS]:
        data = _content(Path(folder) / name)
        if data is not None:
            yield name, data


def _content(path: Path) -> bytes | None:
    """A small regular file; a pipe, device or link is no neighbour."""
    try:
        status = path.lstat()
        return path.read_bytes() if S_ISREG(status.st_mode) and status.st_size <= _LARGEST_SIBLING else None
    except OSError:
        return None
