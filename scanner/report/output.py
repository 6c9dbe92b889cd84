"""Writes a rendered report to a stream, whatever that stream can encode."""

from __future__ import annotations

from typing import TextIO


def write_report(text: str, stream: TextIO) -> None:
    """Write and flush a report. What the stream's encoding lacks is written in ASCII; nothing is lost over it.

    Raises OSError as the stream does, BrokenPipeError for one that was closed.
    """
    encoding = stream.encoding or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.replace("…", "...").encode(encoding, "backslashreplace").decode(encoding)
    stream.write(text)
    stream.flush()
