"""The work that the detector does for one file before it stops: steps, not seconds, so that every run ends alike."""

from __future__ import annotations

LIMIT = 10_000_000
"""Steps for one file: a million values that are reported, or two million digests, which take a few minutes.

8 MB of nothing but keys and secrets are 110,000 values, and a hundredth of the steps are more than any file of source
code needs. A file of any size ends, whatever was written to keep the detector busy.
"""
EXHAUSTED = (
    "only its beginning was searched, since it holds too many strings that look like keys; exclude it if they are none"
)
"""Why a file was not searched to its end."""
LOOK = 1
"""Steps for a string that is looked at, such as a run of letters and digits, or the head of a private key."""
DIGEST = 3
"""Steps for one in hexadecimal, which is nearly always dropped by its name."""
VALUE = 10
"""Steps for one whose surroundings are read."""


class Work:
    """The work that was done for one file, which may be read in parts."""

    def __init__(self) -> None:
        self._left = LIMIT

    def is_exhausted(self) -> bool:
        """Whether something was not searched for lack of steps."""
        return self._left < 0

    def spend(self, steps: int) -> bool:
        """Count steps; return whether they may be done. Once they may not, nothing may."""
        if self._left >= 0:
            self._left -= steps
        return self._left >= 0
