"""Find the files that an event of an agent names, among them what a prompt takes in as `@path`.

Agents differ in where such a path begins and ends. All that it may be is looked up, and counts where there is such a
file, so that text with many `@`, such as a style sheet, names none. The hook's clean path imports this.
"""

from __future__ import annotations

import os
import re

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from collections.abc import Callable

_MOST_FILES = 50
"""Files that are scanned for one event."""
_MOST_WORK = 200_000
"""Names of up to 128 characters that are looked up for one event, longer ones counted accordingly."""
_LONGEST_PATH, _LONGEST_NAME = 1_024, 255
"""Characters of a path, and of a name in it, which no system allows to be longer."""
_CLOSING = {'"': '"', "'": "'", "`": "`", "<": ">", "{": "}", "[": "]", "(": ")", "“": "”", "‘": "’", "«": "»"}
"""What ends a path that begins with a quotation mark or bracket: it may have blanks."""
_WORD, _ESCAPED = re.compile(r"(?:\\[^\n]|\S)+"), re.compile(r"\\(.)")
"""A path without quotation marks: up to a blank that is not escaped."""
_PATH_ENDS = re.compile(r"(?![A-Za-z0-9]|[._/\\@-][A-Za-z0-9])")
"""Where a path may end: before all but an ASCII letter or digit, or a mark within names and an ASCII one behind it."""
_MARKS, _SCHEME = re.compile(r"[^\w./~\\@-]{0,8}"), re.compile(r"[A-Za-z]{1,32}:(?://)?")
"""What may be before the path of a mention."""
_SEPARATORS = "/\\" if os.sep == "\\" else "/"


class TooManyFilesError(Exception):
    """More files than are read, or more names than are looked up; the message says which."""


class FoundFiles:
    """The files that exist among names. `resolve` makes a path of a name."""

    def __init__(self, resolve: Callable[[str], str]) -> None:
        self.paths: dict[str, None] = {}
        """Paths of the files in the order of their names."""
        self._resolve = resolve
        self._seen: set[str] = set()
        self._folders: dict[str, bool] = {}
        self._work = 0

    def add(self, name: str) -> None:
        """Look a name up. Raises TooManyFilesError."""
        if name in self._seen:
            return
        self._seen.add(name)
        self._count(name)
        path = self._resolve(name)
        if _is_there(path):
            self.paths[path] = None
        if len(self.paths) > _MOST_FILES:
            raise TooManyFilesError(f"it names more than {_MOST_FILES} files")

    def add_mentions(self, prompt: str) -> None:
        """Look up all that a prompt may take in: no other event is sent for those files. Raises TooManyFilesError."""
        words: set[str] = set()
        at = prompt.find("@")
        while at >= 0:
            rest = prompt[at + 1 : at + 1 + _LONGEST_PATH]
            if rest[:1] in _CLOSING:
                self.add(rest[1:].partition(_CLOSING[rest[0]])[0])
            word = _WORD.match(rest)
            self._count(word[0] if word else "")
            if word and word[0] not in words:
                words.add(word[0])
                for path in dict.fromkeys((word[0], word[0].replace("\\ ", " "), _ESCAPED.sub(r"\1", word[0]))):
                    for start in _path_starts(path):
                        self._add_beginnings(path, start)
            at = prompt.find("@", at + 1)

    def _add_beginnings(self, path: str, start: int) -> None:
        """Look up what begins at an offset and ends where a path may, as far as its folder exists."""
        name_at, in_folder = start, True
        for match in _PATH_ENDS.finditer(path, start + 1):
            end = match.start()
            separator = max(path.rfind(each, name_at, end) for each in _SEPARATORS)
            if separator >= 0:
                name_at = separator + 1
                in_folder = self._is_folder(path[start:name_at])
                if not in_folder and ".." not in path:
                    return
            if end - name_at > _LONGEST_NAME and not any(each in path[end:] for each in _SEPARATORS):
                return
            if path[name_at:end] == ".." or (in_folder and end - name_at <= _LONGEST_NAME):
                self.add(path[start:end])

    def _is_folder(self, name: str) -> bool:
        if name not in self._folders:
            self._count(name)
            self._folders[name] = os.path.isdir(self._resolve(name))  # noqa: PTH112
        return self._folders[name]

    def _count(self, name: str) -> None:
        self._work += 1 + len(name) // 128
        if self._work > _MOST_WORK:
            raise TooManyFilesError("it names more than can be looked up")


def _path_starts(word: str) -> list[int]:
    marks = _MARKS.match(word)
    last = marks.end() if marks else 0
    scheme = _SCHEME.match(word, last)
    return [*range(last + 1), *([scheme.end()] if scheme else [])]


def _is_there(path: str) -> bool:
    """Whether a path leads to anything but a folder, whose files are named by events of their own."""
    return os.path.lexists(path) and not os.path.isdir(path)  # noqa: PTH112
