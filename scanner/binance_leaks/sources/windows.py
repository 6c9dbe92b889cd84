"""Choose windows of large content around possible credentials.

Windows never overlap, so nothing is seen twice, and they are cut at line ends, or else between words, so that no part
of a long word looks like a credential of its own.
"""

from __future__ import annotations

import itertools
import string
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = (string.ascii_letters + string.digits + "+/=_-").encode() + b"\0" + bytes(range(0x80, 0x100))
"""What nothing is cut between: the neighbours that make it no credential, the bytes of other characters, and
NUL, because UTF-16 has one between each two letters."""
_CONTINUATION = bytes(range(0x80, 0xC0))


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowSizes:
    """Bytes: content up to `whole` is one chunk.

    Larger content is read `step` at a time, and `margin` around each hit becomes a chunk of about `window` at most.
    `step` and `window` are at least four times the margin.
    """

    whole: int = 8 << 20
    step: int = 4 << 20
    margin: int = 64 << 10
    window: int = 1 << 20


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowPlan:
    """Windows as (start, end), ascending, and the offset from which on the data is needed again.

    `opened` says that a window begins at `keep` whose end is not settled yet.
    """

    windows: tuple[tuple[int, int], ...]
    keep: int
    opened: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class WindowPlanner:
    """Plans the windows of one stretch of content.

    `offset` is where `data` begins in the file, `opened` is that of the plan before, `last` says that no more comes.
    """

    data: bytes
    offset: int
    opened: bool
    last: bool
    sizes: WindowSizes

    def plan(self, hits: Sequence[int]) -> WindowPlan:
        """The windows around `hits` (ascending) that are settled.

        A hit so near the end that the next step belongs to its margin is left to the next stretch, which begins
        at `keep`; no hit before `keep` is without its window.
        """
        margin, limit = self.sizes.margin, self.sizes.window
        settled = len(self.data) if self.last else len(self.data) - margin
        windows: list[tuple[int, int]] = []
        group: list[int] = []
        start = 0
        for hit in hits:
            if hit >= settled:
                break
            if group and hit - group[-1] > 2 * margin:
                windows.append((start, self._end(group[-1])))
                group = []
            if not group:
                start = 0 if self.opened and not windows else self._start(hit - margin)
            group.append(hit)
            if hit + margin - start > limit and len(group) > 1:
                cut = self._split(group, start)
                windows.append((start, cut))
                group = [later for later in group if later >= cut]
                start = cut
        if group and (self.last or settled - group[-1] > 2 * margin):
            windows.append((start, self._end(group[-1])))
            group = []
        keep = start if group else self._start(settled - margin)
        return WindowPlan(windows=tuple(windows), keep=keep, opened=bool(group))

    def _start(self, low: int) -> int:
        """The first good place to begin at in the half margin after `low`, else `low`: then a word fills it."""
        if low <= 0:
            return 0
        high = low + self.sizes.margin // 2
        newline = self.data.find(b"\n", low, high)
        if newline >= 0:
            return self._even(newline + 1)
        rest = self.data[low:high].lstrip(_WORD)
        return self._even(high - len(rest)) if rest else self._whole_character(low)

    def _end(self, hit: int) -> int:
        """The last good place to end at in the outer half of the margin behind `hit`, else the margin's end."""
        low, high = hit + self.sizes.margin // 2, hit + self.sizes.margin
        if high >= len(self.data):
            return len(self.data)
        newline = self.data.rfind(b"\n", low, high)
        if newline >= 0:
            return self._even(newline + 1)
        rest = self.data[low:high].rstrip(_WORD)
        return self._even(low + len(rest)) if rest else self._whole_character(high)

    def _split(self, group: Sequence[int], start: int) -> int:
        """Where to end a window that grows too long: in the widest gap of its second half that has a line end."""
        gaps = list(itertools.pairwise(group))
        late = [(low, high) for low, high in gaps if high - start > self.sizes.window // 2] or gaps[-1:]
        _, _, cut = max(self._cut(low, high) for low, high in late)
        return cut

    def _cut(self, low: int, high: int) -> tuple[int, int, int]:
        """A cut between two hits: how good it is, how wide the gap, and where."""
        middle = (low + high) // 2
        newline = self.data.find(b"\n", middle, high)
        if newline < 0:
            newline = self.data.rfind(b"\n", low, middle)
        if newline >= 0:
            return 2, high - low, min(self._even(newline + 1), high)
        rest = self.data[low:high].rstrip(_WORD)
        return (1, high - low, self._even(low + len(rest) - 1)) if len(rest) > 1 else (0, high - low, high)

    def _whole_character(self, at: int) -> int:
        """The next offset that is not inside a character of UTF-8."""
        near = self.data[at : at + 4]
        return at + len(near) - len(near.lstrip(_CONTINUATION))

    def _even(self, cut: int) -> int:
        """A cut that does not go through a letter of UTF-16, whose letters are at even offsets in the file."""
        if (self.offset + cut) % 2:
            if self.data[cut : cut + 1] == b"\0":
                return cut + 1
            if self.data[cut - 1 : cut] == b"\0":
                return cut - 1
        return cut
