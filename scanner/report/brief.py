"""Says in a few words what was scanned and how it went. Needs nothing that is slow to import: the hook ends here."""

from __future__ import annotations

from scanner.findings import Result, SourceKind
from scanner.report.format import View

_COUNTED = ("commits", "files", "objects")
_NOTHING = {
    SourceKind.STAGED: "Nothing to scan: no staged files.",
    SourceKind.HISTORY: "Nothing to scan: no objects.",
}


def clean_line(result: Result, view: View) -> str | None:
    """The one line for a scan with nothing to show, or None if there is more to say."""
    shown = result.findings or result.skipped or result.interrupted or (view.show_suppressed and result.suppressed)
    if shown:
        return None
    line = nothing_found(result)
    if result.suppressed:
        line += f" {suppressed_count(result)}."
    return line + "\n"


def nothing_found(result: Result) -> str:
    """A sentence for a scan without findings. A scan of nothing says so, lest it pass for a clean one."""
    if not result.complete:
        return f"No Binance credentials found in what was read{_scope(result, ': ')}.{_excluded(result)}"
    counts = _counts(result)
    if counts and not any(result.stats[name] for name in counts):
        return _NOTHING.get(result.source, "Nothing to scan.")
    return f"No Binance credentials found{_scope(result, ' in ')}.{_excluded(result)}"


def scanned(result: Result) -> str:
    """A sentence on how much was scanned, empty if nobody counted."""
    scope = _scope(result, " ")
    return f"Scanned{scope}.{_excluded(result)}" if scope else ""


def suppressed_count(result: Result) -> str:
    """How many findings do not count, and how to see them."""
    count = len(result.suppressed)
    return f"{count:,} suppressed, --show-suppressed lists {'it' if count == 1 else 'them'}"


def plural(count: float, noun: str) -> str:
    """`1 file`, `1,234 files`; the noun takes an s."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def human_size(count: float) -> str:
    """Bytes in the decimal unit that leaves one to three digits before the point."""
    if count < 1000:
        return plural(int(count), "byte")
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"
    return f"{size / 1000:,.1f} TB"


def human_time(seconds: float) -> str:
    """Seconds in the unit and precision that a reader cares for."""
    if seconds < 0.095:
        return f"{max(seconds, 0.01):.2f} s"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def _scope(result: Result, lead: str) -> str:
    counts = " and ".join(plural(result.stats[name], _noun(name, result.source)) for name in _counts(result)[:2])
    measures = []
    if "bytes" in result.stats:
        measures.append(human_size(result.stats["bytes"]))
    if "seconds" in result.stats:
        measures.append(human_time(result.stats["seconds"]))
    if not counts:
        return f"{lead}{', '.join(measures)}" if measures else ""
    return f"{lead}{counts} ({', '.join(measures)})" if measures else f"{lead}{counts}"


def _excluded(result: Result) -> str:
    """How many of the paths that a change touches were left out, as a change may bring the pattern that does it."""
    count = int(result.stats.get("excluded", 0))
    return f" {plural(count, 'path')} excluded, not read." if count else ""


def _counts(result: Result) -> list[str]:
    if result.source is SourceKind.HISTORY and "objects" in result.stats:
        return ["objects"]  # blobs and commits among them
    return [name for name in _COUNTED if name in result.stats]


def _noun(name: str, source: SourceKind) -> str:
    staged = source is SourceKind.STAGED and name == "files"
    return ("staged " if staged else "") + name.removesuffix("s")
