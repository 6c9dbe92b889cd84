"""The credentials in the seeds of a run, and how they are found again in what is shown."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from random import Random

from tests.corpus.values import hmac_value
from tests.e2e import Pair

_PIECE = 56
"""Letters of a value that are masked wherever they are; a mutant may hold fewer by themselves."""
_LAYOUT = re.compile(r"\s|<wbr>|[\u00ad\u200b]")
"""What a format may put between two letters."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Planted:
    """A pair, and every form in which it must not be shown."""

    pair: Pair
    forms: tuple[tuple[str, str], ...]
    """The name of each form, and its text."""

    @classmethod
    def of(cls, seed: int) -> Planted:
        """The pair of a run, the same one for the same seed."""
        rng = Random(seed)
        pair = Pair(key=hmac_value(rng), secret=hmac_value(rng))
        forms = [(name, form) for value in (pair.key, pair.secret) for name, form in _forms(value)]
        return cls(pair=pair, forms=tuple(forms))

    def shown_in(self, text: str, data: bytes) -> str | None:
        """The form in which a text shows a value, None where it does not.

        A large piece of a value counts, too, unless the input has that piece without the rest.
        """
        values = (self.pair.key, self.pair.secret)
        if any(value.encode() in data for value in values):  # else it may have one with blanks in it, which is none
            text = _LAYOUT.sub("", text)
        for name, form in self.forms:
            if form in text:
                return name
        for value in values:
            pieces = (value[at : at + _PIECE] for at in range(0, len(value) - _PIECE + 1, 8))
            shown = [piece for piece in pieces if piece in text]
            if shown and value.encode() in data:
                rest = data.replace(value.encode(), b"").replace(b"\0", b"")
                if not any(piece.encode() in rest for piece in shown):
                    return "a piece of it"
        return None


def _forms(value: str) -> list[tuple[str, str]]:
    """A value as it is and as it may be encoded. Of base64, what is the same whatever is around the value."""
    data = value.encode()
    return [
        ("as it is", value),
        ("reversed", value[::-1]),
        ("in hex", data.hex()),
        ("as numbers", ",".join(map(str, data))),
        ("in escapes", "".join(f"\\u{letter:04x}" for letter in data)),
        *(("in base64", base64.b64encode(bytes(shift) + data).decode()[4:-4]) for shift in range(3)),
    ]
