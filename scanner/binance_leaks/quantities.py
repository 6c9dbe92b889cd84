"""Counts, sizes and times as people read them. Apart, as a clean commit imports nothing else of a report."""

from __future__ import annotations


def plural(count: float, noun: str) -> str:
    """Return `1 file`, `1,234 files`, `2 repositories`: the noun gets an s, or ies in place of a y after an r."""
    if count == 1:
        return f"{count:,} {noun}"
    return f"{count:,} {noun[:-1]}ies" if noun.endswith("ry") else f"{count:,} {noun}s"


def human_size(count: float) -> str:
    """Format a number of bytes in the decimal unit that leaves one to three digits before the point."""
    if count < 1000:
        return plural(int(count), "byte")
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.5:
            return f"{size:.1f} {unit}" if size < 9.95 else f"{size:.0f} {unit}"
    return f"{size / 1000:,.1f} TB"


def human_time(seconds: float) -> str:
    """Format seconds in a readable unit and precision."""
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
