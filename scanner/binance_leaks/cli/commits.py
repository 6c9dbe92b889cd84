"""`binance-leaks range` and `binance-leaks ci`: what some commits bring in."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.gate_policy import Policy, policy
from binance_leaks.cli.output import excluded, present, wanted_formats
from binance_leaks.cli.verify_option import Online, asking, online
from binance_leaks.errors import ScanError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Result, SourceKind
from binance_leaks.pipeline.commit_range import RangeOutcome, RangeRequest, brought_in, scan_range
from binance_leaks.pipeline.scan import Scan, result_of
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.sources.ci import announced_change
from binance_leaks.sources.ci.change import CiChange
from binance_leaks.sources.commit_selection import CommitSelection, select_change, select_range
from binance_leaks.sources.deepen import Fetcher
from binance_leaks.sources.git import Git


def run_range(options: Options) -> ExitStatus:
    """Scans the commits between two revisions and reports."""
    git = Git(os.getcwd())  # noqa: PTH109 - as git sees it
    return report_commits(options, git, lambda: select_range(git, options.range))


def run_ci(options: Options) -> ExitStatus:
    """Scans what the run of a CI system is about and reports. Never passes where it cannot tell what that is."""
    git = Git(os.getcwd())  # noqa: PTH109 - as git sees it
    git.top()  # says clearly where there is no repository
    change = _announced(options)
    if change.deletes:
        tell(options, f"{change.system}, {change.what}: it only deletes, so there is nothing to scan")
        return ExitStatus.CLEAN
    fetcher = Fetcher(git.folder) if options.fetch else None
    return report_commits(
        options,
        git,
        lambda: select_change(git, change, fetcher.more if fetcher else None),
        fetch=fetcher.blobs if fetcher else None,
    )


def report_commits(
    options: Options,
    git: Git,
    choose: Callable[[], CommitSelection],
    *,
    fetch: Callable[[Sequence[str]], None] | None = None,
) -> ExitStatus:
    """Scan the selected commits, print which they are, and report what they introduce."""
    with online(options) as asker:
        return _report(options, git, choose, fetch, asker)


def _report(
    options: Options,
    git: Git,
    choose: Callable[[], CommitSelection],
    fetch: Callable[[Sequence[str]], None] | None,
    asker: Online | None,
) -> ExitStatus:
    started = time.monotonic()
    formats = wanted_formats(options)
    top = git.top()
    selection = choose()
    count = len(selection.commits)
    tell(options, f"{selection.target} ({count:,} {'commit' if count == 1 else 'commits'})", *selection.notes)
    rules = policy(options, git, top, next(iter(selection.revisions.bases), None))
    if not rules.comments:
        tell(
            options, "--policy base: what these commits themselves allow, exclude or put into a baseline does not count"
        )
    config, exclude = rules.config, excluded(rules.config, options)
    request = RangeRequest(
        selection=selection, excluded=lambda path: exclude.match(config.relative(path, top)), fetch=fetch
    )
    outcome = _scanned(git, request, options)
    scan = Scan(
        source=SourceKind.RANGE,
        target=selection.target,
        credentials=rules.applied(outcome.credentials),
        skipped=tuple(outcome.skipped),
        stats=replace(outcome.stats, seconds=round(time.monotonic() - started, 3)),
        anchor=top,
    )
    return present(_judged(scan, outcome, git, rules, asker), options, formats, folder=top)


def _judged(scan: Scan, outcome: RangeOutcome, git: Git, rules: Policy, asker: Online | None) -> Result:
    """What the scan comes to; most find nothing."""
    if not scan.credentials:
        return brought_in(result_of(scan))
    from binance_leaks.pipeline.triage import conclude  # start-up: only where something was found
    from binance_leaks.sources.nearby_evidence import EvidenceNearCommits  # as above

    nearby = EvidenceNearCommits(git, outcome.commits)
    return brought_in(conclude(scan, config=rules.config, nearby=nearby, baseline=rules.baseline, verify=asking(asker)))


def tell(options: Options, *lines: str) -> None:
    """Says on standard error what is scanned, unless that is unwanted."""
    if not options.quiet:
        for line in lines:
            sys.stderr.write(f"binance-leaks: {without_values(printable(line))}\n")


def _announced(options: Options) -> CiChange:
    """What the environment says, or the command line where it says more."""
    try:
        change = announced_change(os.environ)
    except ScanError:
        if options.base is None:
            raise
        change = announced_change({})
    if options.head is not None:
        change = replace(change, head=options.head, what=options.head, head_ref=None, also=(), by_hand=True)
    if options.base is not None:
        change = replace(change, base=options.base, forced=False, whole=False, deletes=False, also=(), by_hand=True)
    return change


def _scanned(git: Git, request: RangeRequest, options: Options) -> RangeOutcome:
    if getattr(options, "no_progress", True) or options.quiet or not sys.stderr.isatty():
        return scan_range(git, request)
    from binance_leaks.cli.progress import HistoryProgress  # rich: only where somebody looks on

    with HistoryProgress() as bar:
        return scan_range(git, request, lambda done, total, size: bar.update(done, total, size, 0))
