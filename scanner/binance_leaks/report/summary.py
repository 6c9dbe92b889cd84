"""Says in a few words what was scanned and how it went. Needs nothing that is slow to import: the hook ends here."""

from __future__ import annotations

from binance_leaks.findings import Result, SourceKind
from binance_leaks.report import View

_COUNTED = ("commits", "files", "objects")
_MARKED = (("new", "new"), ("still_there", "still there"), ("gone", "gone"))
_FLEET = "repositories"
_NOTHING = {
    SourceKind.STAGED: "Nothing to scan: no staged files.",
    SourceKind.HISTORY: "Nothing to scan: no objects.",
    SourceKind.FLEET: "Nothing to scan: no repositories.",
}


def render_text_or_line(result: Result, view: View) -> str:
    """Render the `text` format: one line for a scan with nothing to show, else the whole report."""
    if (line := clean_line(result, view)) is not None:
        return line
    from binance_leaks.report.text import render_text  # start-up: rich costs 35 ms, and most commits are clean

    return render_text(result, view)


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
        return f"No Binance credentials found in what was read{_scope(result, ': ')}.{_besides(result)}"
    counts = _counts(result)
    if counts and not any(counts.values()):
        return _NOTHING.get(result.source, "Nothing to scan.")
    found = "" if result.source is SourceKind.FLEET else " found"
    return f"No Binance credentials{found}{_scope(result, ' in ')}.{_besides(result)}"


def scanned(result: Result) -> str:
    """A sentence on how much was scanned, empty if nobody counted."""
    scope = _scope(result, " ")
    return f"Scanned{scope}.{_besides(result)}" if scope else ""


def suppressed_count(result: Result) -> str:
    """How many findings do not count, and how to see them."""
    count = len(result.suppressed)
    return f"{count:,} suppressed, --show-suppressed lists {'it' if count == 1 else 'them'}"


def repositories_of(result: Result) -> int:
    """How many repositories a fleet has, those that could not be scanned among them; 0 if nobody counted."""
    return result.stats.repositories or 0


def not_scanned(result: Result) -> str:
    """How many repositories of a fleet could not be scanned, empty if all were: `2 could not be scanned`."""
    failed = result.stats.repositories_failed or 0
    return f"{failed:,} could not be scanned" if failed else ""


def since_before(result: Result) -> str:
    """A sentence on what became of credentials since the run before, empty if there was none or nothing is told."""
    counts = result.stats.counts()
    told = [f"{counts[key]:,} {name}" for key, name in _MARKED if counts.get(key)]
    return f"Since the run before: {', '.join(told)}." if told else ""


def plural(count: float, noun: str) -> str:
    """`1 file`, `1,234 files`, `2 repositories`: the noun takes an s, or ies for its last letter after an r."""
    if count == 1:
        return f"{count:,} {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{count:,} {noun}s"


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
    counts = " and ".join(_counted(result, name, count) for name, count in [*_counts(result).items()][:2])
    measures = []
    if result.stats.bytes is not None:
        measures.append(human_size(result.stats.bytes))
    if result.stats.seconds is not None:
        measures.append(human_time(result.stats.seconds))
    if not counts:
        return f"{lead}{', '.join(measures)}" if measures else ""
    return f"{lead}{counts} ({', '.join(measures)})" if measures else f"{lead}{counts}"


def _counted(result: Result, name: str, count: float) -> str:
    """How many of something were scanned; of a fleet how many of all, if some could not be."""
    if name != _FLEET:
        return plural(count, _noun(name, result.source))
    missing = (result.stats.repositories_failed or 0) + (result.stats.repositories_waiting or 0)
    return f"{f'{count - missing:,} of ' if missing else ''}{plural(count, 'repository')}"


def _besides(result: Result) -> str:
    """What else there is to say of how much was scanned.

    How many of the paths that a change touches were left out, as a change may bring the pattern that does it. Of a
    fleet, how many repositories were as before, and what became of credentials since.
    """
    count, unchanged = result.stats.excluded or 0, result.stats.repositories_unchanged or 0
    told = [f"{plural(count, 'path')} excluded, not read."] if count else []
    if unchanged:
        told.append(f"{plural(unchanged, 'repository')} {'was' if unchanged == 1 else 'were'} as before.")
    return "".join(f" {sentence}" for sentence in (*told, since_before(result)) if sentence)


def _counts(result: Result) -> dict[str, int | float]:
    counts = result.stats.counts()
    names: tuple[str, ...] = _COUNTED
    if result.source is SourceKind.HISTORY and "objects" in counts:
        names = ("objects",)  # blobs and commits among them
    elif result.source is SourceKind.FLEET:
        names = (_FLEET,)
    return {name: counts[name] for name in names if name in counts}


def _noun(name: str, source: SourceKind) -> str:
    staged = source is SourceKind.STAGED and name == "files"
    return ("staged " if staged else "") + name.removesuffix("s")
