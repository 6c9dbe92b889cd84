"""Chart of when credentials were introduced, by risk: the geometry of its bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from binance_leaks.findings import Finding
from binance_leaks.model import RiskLevel
from binance_leaks.report.html.timeline import introduced_on
from binance_leaks.report.locations import LEVELS_BY_SEVERITY
from binance_leaks.report.summary import plural

WIDTH, HEIGHT = 1000, 100
"""Units of the drawing; the page stretches it to the available space."""

_MAX_BARS = 36
_MAX_BAR_WIDTH = 60.0
_BAR_SHARE = 0.72
_STEPS = (1, 3, 12, 24, 60, 120, 300, 600, 1200, 3000, 6000, 12000)  # months


@dataclass(frozen=True, kw_only=True, slots=True)
class Part:
    """A part of a bar: one level of risk, with its position in the drawing."""

    level: str
    count: int
    y: float
    height: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Bar:
    """One span of time: credentials of each level of the chart, and the parts to draw."""

    name: str
    x: float
    width: float
    counts: tuple[int, ...]
    parts: tuple[Part, ...]

    @property
    def total(self) -> int:
        """Credentials of all levels."""
        return sum(self.counts)

    @property
    def description(self) -> str:
        """The span in words: `2024-03: 2 critical, 1 low`."""
        return f"{self.name}: {', '.join(f'{part.count:,} {part.level}' for part in reversed(self.parts))}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """A grid line of the chart for a count."""

    count: int
    y: float


@dataclass(frozen=True, kw_only=True, slots=True)
class Chart:
    """The whole drawing. `levels` are those that occur, `undated` counts credentials without a known date."""

    bars: tuple[Bar, ...]
    lines: tuple[Line, ...]
    levels: tuple[str, ...]
    summary: str
    undated: int
    width: int = WIDTH
    height: int = HEIGHT

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the first, the middle and the last span, as far as they exist."""
        middle = self.bars[len(self.bars) // 2 : len(self.bars) // 2 + 1] if len(self.bars) % 2 else ()
        return tuple(dict.fromkeys(bar.name for bar in (self.bars[0], *middle, self.bars[-1])))


def chart_of(findings: Sequence[Finding]) -> Chart | None:
    """Return the chart of these findings, None if no date is known."""
    dated = [(day, finding.risk.level) for finding in findings if (day := introduced_on(finding)) is not None]
    if not dated:
        return None
    months = [_month(day) for day, _ in dated]
    step = next(step for step in _STEPS if max(months) // step - min(months) // step < _MAX_BARS)
    first, last = min(months) // step, max(months) // step
    counts = {span: [0] * len(LEVELS_BY_SEVERITY) for span in range(first, last + 1)}
    for day, level in dated:
        counts[_month(day) // step][level.rank] += 1
    lines = _lines(max(map(sum, counts.values())))
    levels = [level for level in LEVELS_BY_SEVERITY if any(row[level.rank] for row in counts.values())]
    return Chart(
        bars=tuple(_bars(counts, levels, step=step, top=lines[-1].count)),
        lines=lines,
        levels=tuple(level.value for level in levels),
        summary=_summary([day for day, _ in dated]),
        undated=len(findings) - len(dated),
    )


def _bars(counts: dict[int, list[int]], levels: Sequence[RiskLevel], *, step: int, top: int) -> list[Bar]:
    pitch = WIDTH / len(counts)
    width = min(pitch * _BAR_SHARE, _MAX_BAR_WIDTH)
    return [
        Bar(
            name=_name(span * step, step),
            x=round(pitch * (place + 0.5) - width / 2, 1),
            width=round(width, 1),
            counts=tuple(row[level.rank] for level in levels),
            parts=tuple(_parts(row, top)),
        )
        for place, (span, row) in enumerate(counts.items())
    ]


def _parts(row: Sequence[int], top: int) -> list[Part]:
    """Return the parts in drawing order, the most severe at the bottom, where bars compare best."""
    parts, below = [], 0
    for level in LEVELS_BY_SEVERITY:
        if count := row[level.rank]:
            y = HEIGHT * (1 - (below + count) / top)
            height = HEIGHT * count / top
            parts.append(Part(level=level.value, count=count, y=round(y, 2), height=round(height, 2)))
            below += count
    return list(reversed(parts))


def _lines(most: int) -> tuple[Line, ...]:
    """Return lines at round counts, up to one that no bar exceeds."""
    scale = 1
    while most > 5 * scale:
        scale = scale * 10 if most > 25 * scale else scale * 5 if most > 10 * scale else scale * 2
    steps = -(-most // scale)
    return tuple(Line(count=scale * n, y=round(HEIGHT * (1 - n / steps), 2)) for n in range(steps + 1))


def _summary(days: Sequence[date]) -> str:
    first, last = min(days).isoformat(), max(days).isoformat()
    when = f"on {first}" if first == last else f"between {first} and {last}"
    return f"{plural(len(days), 'credential')} first introduced {when}."


def _month(day: date) -> int:
    return day.year * 12 + day.month - 1


def _name(month: int, step: int) -> str:
    year, of_year = divmod(month, 12)
    if step == 1:
        return f"{year:04}-{of_year + 1:02}"
    if step == 3:
        return f"{year:04} Q{of_year // 3 + 1}"
    return f"{year:04}" if step == 12 else f"{year:04}–{year + step // 12 - 1:04}"
