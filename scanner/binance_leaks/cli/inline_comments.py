"""Add comments that allow values to the lines of files, and make sure that they do."""

from __future__ import annotations

import codecs
import os
from collections.abc import Iterable, Sequence, Set
from pathlib import Path

from binance_leaks.cli.last_scan import KnownFinding
from binance_leaks.errors import UsageError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.model import Location, is_member
from binance_leaks.pipeline.triage import credentials_alone
from binance_leaks.reading import LARGEST_REPORT, read_file
from binance_leaks.report.allow_commands import ALLOW, ALLOW_NEXT_LINE
from binance_leaks.setup.comment_syntax import CommentSyntax, comment_syntax, why_no_comment
from binance_leaks.sources.nearby_evidence import EvidenceNearFiles
from binance_leaks.sources.path_roots import relative_path

_INSTEAD = "Leave out --inline: then the configuration allows it."
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """A file with comments added."""

    file: Path
    old: bytes
    new: bytes
    encoding: str


def with_comments(findings: Sequence[KnownFinding]) -> list[Edit]:
    """Return the edits that allow every value of the findings, wherever it is in their files.

    None where all are allowed already. Raises UsageError where a value cannot be allowed so; then nothing is edited.
    """
    wanted = {digest for finding in findings for digest in finding.sha256}
    edits: list[Edit] = []
    seen: set[str] = set()
    for name in dict.fromkeys(file for finding in findings for file in finding.files):
        if is_member(name):
            raise _refused(name, "it is in an archive")
        file = Path(name)
        try:
            data = read_file(file, LARGEST_REPORT)
        except FileNotFoundError:
            continue
        except OSError as error:
            raise UsageError(f"{name} cannot be read: {error.strerror}") from None
        held = [*_locations(name, data, wanted)]
        seen.update(digest for digest, _ in held)
        open_places = [place for _, place in held if place.allowed is None]
        if open_places:
            edits.append(_edit(file, data, open_places, wanted))
    if wanted - seen:
        where = "in no file on disk" if not seen else "not all in files on disk"
        raise UsageError(f"no comment can allow it: its values are {where}", hint=_INSTEAD)
    return edits


def _edit(file: Path, data: bytes, places: Iterable[Location], wanted: Set[str]) -> Edit:
    name = str(file)
    syntax = comment_syntax(name)
    if syntax is None:
        raise _refused(name, "no comments are known for files of its type")
    mark, encoding = next(((mark, known) for mark, known in _MARKS if data.startswith(mark)), (b"", "utf-8"))
    errors = "surrogateescape" if encoding == "utf-8" else "strict"
    try:
        lines = data[len(mark) :].decode(encoding, errors).split("\n")
    except UnicodeDecodeError:
        raise _refused(name, f"it is not {encoding.upper()}") from None
    indexes = sorted({place.line - 1 for place in places})
    plain = [line.removesuffix("\r") for line in lines]
    for index in indexes:
        why = why_no_comment(name, plain, index, syntax) if index < len(lines) else "it is not a line of text"
        if why is not None:
            raise _refused(f"{name}:{index + 1}", why)
    for index in reversed(indexes):
        lines[index : index + 1] = _commented(lines[index], syntax)
    new = mark + "\n".join(lines).encode(encoding, errors)
    if any(place.allowed is None for _, place in _locations(name, new, wanted)):
        raise _refused(name, "a comment would not be read as one")
    return Edit(file=file, old=data, new=new, encoding=encoding)


def _commented(line: str, syntax: CommentSyntax) -> list[str]:
    """A line with the comment behind it, or with a line above it."""
    text = line.rstrip()
    end = "\r" if line.endswith("\r") else ""
    if syntax.own_line:
        indentation = line[: len(line) - len(line.lstrip())]
        return [f"{indentation}{syntax.format(ALLOW_NEXT_LINE)}{end}", line]
    return [f"{text}  {syntax.format(ALLOW)}{end}"]


def _locations(name: str, data: bytes, wanted: Set[str]) -> Iterable[tuple[str, Location]]:
    """The digests and locations of wanted values in a file."""
    for credential in credentials_alone(relative_path(name), data, EvidenceNearFiles())[0]:
        for occurrence in credential.occurrences:
            if occurrence.value.sha256 in wanted:
                yield occurrence.value.sha256, occurrence.location


def _refused(where: str, why: str) -> UsageError:
    shown = relative_path(where) if os.path.isabs(where) else where  # noqa: PTH117 - it may end in a line
    return UsageError(f"no comment can be added to {shown}: {why}", hint=_INSTEAD)
