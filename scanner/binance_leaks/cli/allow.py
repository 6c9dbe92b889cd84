"""`binance-leaks allow`: allow findings, list what is allowed, and prune it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.file_changes import diff, print_lines
from binance_leaks.cli.inline_comments import with_comments
from binance_leaks.cli.last_scan import KnownFinding, LastScan, known_findings, project_of, recall
from binance_leaks.cli.settings import Settings
from binance_leaks.config import Allow, AllowList, Config, find_config, parse_config
from binance_leaks.errors import ConfigError, UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.quantities import plural
from binance_leaks.reading import LARGEST_CONFIGURATION, LARGEST_REPORT, read_file
from binance_leaks.report.sanitize import Quoted, Redactor
from binance_leaks.report.stored import read_report
from binance_leaks.setup.allow_entries import allowed_everywhere, format_entry, with_entries, without_entries
from binance_leaks.sources.path_roots import PathRoots, relative_path
from binance_leaks.writing import edit_file

_NEW_FILE = ".binance-leaks.toml"
_DIGEST = lazy_pattern(r"[0-9a-fA-F]{64}")
_PREFIX = lazy_pattern(r"[0-9a-fA-F]{4,32}")
_SHORT = 12
_QUOTED = Quoted(Redactor(MappingProxyType({})))


@dataclass(frozen=True, kw_only=True, slots=True)
class AllowSettings(Settings):
    """`allow`."""

    what: Sequence[str]
    last: bool
    list: bool
    prune: bool
    reason: str | None
    inline: bool
    report: str | None
    config: str | None
    dry_run: bool


def run(options: Options) -> ExitStatus:
    """Allow, list or prune."""
    settings = AllowSettings.of(options)
    _refuse_combinations(settings)
    last = _from_report(settings.report) if settings.report is not None else recall()
    project = last.project if last is not None else project_of(os.curdir)
    if settings.list:
        return _list(_configuration(settings, last, project))
    if settings.prune:
        return _prune(settings, _configuration(settings, last, project), project)
    chosen = _chosen(settings, last)
    if settings.inline:
        return _allow_inline(settings, chosen)
    return _allow_in_configuration(settings, _configuration(settings, last, project), chosen)


def _refuse_combinations(settings: AllowSettings) -> None:
    chosen = bool(settings.what) or settings.last
    if settings.what and settings.last:
        raise UsageError("--last means everything that the last scan found", hint="Give ids, or --last.")
    if chosen and (settings.list or settings.prune):
        raise UsageError("--list and --prune are about the whole configuration", hint="Leave out what is named.")
    if not (chosen or settings.list or settings.prune):
        raise UsageError("nothing to allow", hint="Give ids or digests, or --last. See binance-leaks allow --help.")
    if settings.inline and settings.reason:
        raise UsageError("--reason is for entries in the configuration", hint="Leave out --inline or --reason.")


def _from_report(name: str) -> LastScan:
    try:
        data = read_file(name, LARGEST_REPORT)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not a valid file name"
        raise UsageError(f"report {name} cannot be read: {why}") from None
    found = known_findings(read_report(data, name), os.curdir)
    return LastScan(project=project_of(os.curdir), config=None, findings=found)


def _chosen(settings: AllowSettings, last: LastScan | None) -> list[KnownFinding]:
    """The findings and values that are named. Raises UsageError for what is not known, and for a value itself."""
    known = last.findings if last is not None else ()
    if settings.last:
        if not known:
            raise UsageError("no scan of this project is remembered", hint="Scan again, or give digests of values.")
        return [*known]
    digests = [word.lower() for word in settings.what if _DIGEST.fullmatch(word)]
    held = {digest for each in known for digest in each.sha256}
    if any(sha256(word.encode()).hexdigest() in held for word in settings.what):
        raise UsageError("that is a value, not its digest", hint="Give the id that the report shows, or --last.")
    chosen = [_named(word, known) for word in settings.what if not _DIGEST.fullmatch(word)]
    if digests:
        files = dict.fromkeys(file for each in known if {*each.sha256} & {*digests} for file in each.files)
        named = ", ".join(f"{digest[:_SHORT]}…" for digest in digests)
        chosen.append(
            KnownFinding(
                id="", title=f"the {plural(len(digests), 'value')} {named}", sha256=tuple(digests), files=tuple(files)
            )
        )
    return chosen


def _named(word: str, known: Sequence[KnownFinding]) -> KnownFinding:
    """The finding whose id begins with a word."""
    if not _PREFIX.fullmatch(word):
        raise UsageError(f"not an id or a digest: {word}", hint="An id has at least 4 hexadecimal digits, a digest 64.")
    found = [each for each in known if each.id.startswith(word.lower())]
    if not found:
        hint = "Scan again: ids are those of the last scan with findings." if known else "Scan first, or give digests."
        raise UsageError(f"the last scan has no finding {word}", hint=hint)
    if len(found) > 1:
        raise UsageError(f"{word} is the beginning of {len(found)} ids", hint="Give more digits.")
    return found[0]


def _configuration(settings: AllowSettings, last: LastScan | None, project: str) -> Path:
    """The file to edit: the named one, that of the scan, that of the project, else the usual one for it."""
    if settings.config is not None:
        return Path(settings.config)
    if last is not None and last.config is not None and os.path.isfile(last.config):  # noqa: PTH113 - any bytes
        return Path(last.config)
    found = find_config(Path(project))
    if found is not None:
        return found
    usual = Path(project) / "pyproject.toml"
    return usual if usual.is_file() else Path(project) / _NEW_FILE


def _read(file: Path) -> bytes | None:
    try:
        return read_file(file, LARGEST_CONFIGURATION)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"configuration {file} cannot be read: {error.strerror}") from None


def _allow_in_configuration(settings: AllowSettings, file: Path, chosen: Sequence[KnownFinding]) -> ExitStatus:
    old = _read(file)
    known = allowed_everywhere(parse_config(old or b"", file))
    lines = []
    added: list[KnownFinding] = []
    for finding in chosen:
        if {*finding.sha256} <= known:
            lines.append(f"Allowed already: {_QUOTED.path(finding.title)}.\n")
        else:
            added.append(finding)
    if added:
        digests = [[digest for digest in finding.sha256 if digest not in known] for finding in added]
        try:
            new = with_entries(old or b"", file, digests, settings.reason)
        except ConfigError as error:
            entry = "".join(format_entry(file, each, settings.reason) for each in digests)
            print_lines(["Add this by hand:\n", *(f"  {line}\n" for line in entry.rstrip().splitlines())])
            raise error from None
        lines += _change(file, old, new, settings)
        lines += [f"Allowed: {_QUOTED.path(finding.title)}.\n" for finding in added if not settings.dry_run]
    print_lines(lines)
    return ExitStatus.CLEAN


def _allow_inline(settings: AllowSettings, chosen: Sequence[KnownFinding]) -> ExitStatus:
    edits = with_comments(chosen)
    lines = [f"Allowed already: {_QUOTED.path(finding.title)}.\n" for finding in chosen] if not edits else []
    for edit in edits:
        lines += _change(edit.file, edit.old, edit.new, settings, encoding=edit.encoding)
    print_lines(lines)
    return ExitStatus.CLEAN


def _change(
    file: Path, old: bytes | None, new: bytes, settings: AllowSettings, *, encoding: str = "utf-8"
) -> list[str]:
    """Write a file unless this is a dry run; return the lines that show the change."""
    name = _shown(file)
    lines = [*diff(name, old, new, encoding=encoding)]
    if settings.dry_run:
        return [*lines, f"{_QUOTED.path(name)} was not written, because of --dry-run.\n"]
    target = Path(os.path.realpath(file))
    try:
        edit_file(target, old, new)
    except OSError as error:
        raise UsageError(f"{file} cannot be written: {error.strerror}") from None
    tracked = PathRoots().top(str(target.parent)) is not None
    return [*lines, f"Wrote {_QUOTED.path(name)}.{' Commit it with your change.' if tracked else ''}\n"]


def _shown(file: Path) -> str:
    """The path from the current folder if it is below, else the whole."""
    shown = relative_path(str(file))
    return str(file) if shown.startswith(os.pardir) else shown


def _list(file: Path) -> ExitStatus:
    config = parse_config(_read(file) or b"", file)
    count = len(config.allow)
    name = _QUOTED.path(_shown(file))
    if not count:
        print_lines([f"{name} allows nothing.\n"])
        return ExitStatus.CLEAN
    entries = [f"  {number}. {_describe(entry)}\n" for number, entry in enumerate(config.allow, start=1)]
    note = "binance-leaks allow --prune removes entries that match nothing any more.\n"
    print_lines([f"{name}: {plural(count, 'allow entry')}\n", *entries, note])
    return ExitStatus.CLEAN


def _describe(entry: Allow) -> str:
    parts = [f"sha256 {', '.join(f'{digest[:_SHORT]}…' for digest in entry.sha256)}"] if entry.sha256 else []
    if entry.path is not None:
        parts.append(f"path {_QUOTED.path(entry.path)}")
    return f"{'; '.join(parts)}: {_QUOTED.prose(entry.reason)}"


def _prune(settings: AllowSettings, file: Path, project: str) -> ExitStatus:
    old = _read(file) or b""
    config = parse_config(old, file)
    if not config.allow:
        return _list(file)
    used = _entries_in_use(config, project)
    if used is None:
        return ExitStatus.INTERRUPTED
    dropped = [index for index in range(len(config.allow)) if index not in used]
    if not dropped:
        print_lines([f"{_QUOTED.path(_shown(file))}: every allow entry still matches something.\n"])
        return ExitStatus.CLEAN
    lines = [f"Matches nothing any more: {_describe(config.allow[index])}\n" for index in dropped]
    print_lines([*lines, *_change(file, old, without_entries(old, file, dropped), settings)])
    return ExitStatus.CLEAN


def _entries_in_use(config: Config, project: str) -> set[int] | None:
    """The indexes of the entries that match a value in the files or in the object database.

    None if the user interrupted this. Raises ScanError where something could not be read.
    """
    from binance_leaks.cli.allowed_values import find_values  # only --prune scans

    values = find_values(project)
    if values is None:
        return None
    placed = [(digest, config.relative(path, project)) for digest, path in values]
    allowed = AllowList(config.allow)
    return {index for each in placed for index in allowed.matching(*each)}
