"""`binance-leaks fleet scan`: scan the history of many repositories."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.fleet.inputs import FleetConfig, describe_target, load_fleet_config, read_entries
from binance_leaks.cli.fleet.progress import FleetLog, print_status
from binance_leaks.cli.fleet.report import ALLOWS_INCOMPLETE, store_file
from binance_leaks.cli.output import present, wanted_formats
from binance_leaks.cli.run import clean_up_on_signals
from binance_leaks.cli.settings import OnlineSettings, OutputSettings
from binance_leaks.cli.verify_option import OnlineVerifier, online_verifier
from binance_leaks.errors import ScanError, ScannerError, UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import Finding, Result, Skipped
from binance_leaks.fleet.coordinator import Coordinator, Pool, RunListener, Settings
from binance_leaks.fleet.models import Entry, Repository, RunStatus, ScanFailure, Unit
from binance_leaks.fleet.process_pool import LocalPool
from binance_leaks.fleet.report import fleet_result
from binance_leaks.fleet.reread_secrets import SecretReader
from binance_leaks.fleet.store import Store
from binance_leaks.fleet.unit_scan import settings_digest
from binance_leaks.fleet.units import Units, plan_units
from binance_leaks.fleet.worker_protocol import StepListener
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.pipeline.workers import usable_cores
from binance_leaks.sources.urls import has_login
from binance_leaks.temporary_folders import temporary_folder
from binance_leaks.verification import Verification

_ENTRY_HINT = "Give the folder of the repository, or the whole URL of one that a host has."
_ADDRESS = lazy_pattern(r"(?:(tcp|tls)://)?(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[A-Za-z0-9_.-]+):([0-9]{1,5})/?")
_ADDRESS_HINT = "Such as tcp://192.0.2.1:8786, or tls://… with certificates in the settings of Dask."


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadableEntry:
    """A listed entry that is no repository, and why."""

    repository: Repository
    failed: ScanFailure


def unreadable_entries(
    skipped: Iterable[Skipped], repositories: Sequence[Repository], store: Store
) -> list[UnreadableEntry]:
    """Return those skipped entries that could hold something.

    One that an earlier run has scanned keeps its identity, so that its findings are kept.
    """
    runs = store.runs()
    known = {scan.repository.key: scan.repository for scan in store.scans(runs[-1].id)} if runs else {}
    taken = {repository.label for repository in repositories}
    found = []
    for each in skipped:
        if not each.lost:
            continue
        before = known.get(f"{each.what}/.git") or known.get(each.what)
        label = before.label if before is not None else each.what
        repository = Repository(
            key=before.key if before is not None else each.what,
            label=label if label not in taken else f"{each.what} (not read)",
            address=each.what,
        )
        taken.add(repository.label)
        found.append(
            UnreadableEntry(
                repository=repository, failed=ScanFailure(key=repository.key, reason=each.why, hint=_ENTRY_HINT)
            )
        )
    return found


def verify_findings(
    findings: Sequence[Finding], repositories: Iterable[Repository], verifier: OnlineVerifier, options: Options
) -> Mapping[str, Verification]:
    """Check findings with Binance; return the verifications by id.

    Values are read again from the repositories.
    """
    recall = SecretReader(repositories, lambda label: print_status(options, f"re-reading secrets in {label}"))
    return verifier.check(recall.credentials(findings))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """What to scan, and skipped entries; `run` is set if that run is resumed."""

    units: Units
    skipped: tuple[Skipped, ...]
    run: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _RunEnd:
    """How a run ended: interrupted, or with an error of the pool."""

    run: int
    interrupted: bool = False
    error: ScannerError | None = None


def run(options: Options) -> ExitStatus:
    """Scan the fleet and report."""
    output = OutputSettings.of(options)
    formats = wanted_formats(output)
    _refuse_unusable(options)
    config = load_fleet_config(options)
    clean_up_on_signals()
    with online_verifier(OnlineSettings.of(options), output) as verifier, _store(options) as store:
        plan = _plan(options, store)
        end = _scan(options, store, plan, config)
        asked = None if end.interrupted or end.error is not None else verifier
        result = _make_result(options, store, end.run, plan, config, asked)
        if asked is not None and asked.interrupted:
            end, result = replace(end, interrupted=True), replace(result, interrupted=True)
        status = present(
            result, output, formats, allow_incomplete=options.allow_incomplete, interrupted=end.interrupted
        )
    if end.error is not None:
        raise end.error
    if end.interrupted and options.store:
        print_status(options, f"run {end.run} was interrupted; continue it with --store {options.store} --resume")
    return status


def _refuse_unusable(options: Options) -> None:
    if options.resume and not options.store:
        raise UsageError("--resume needs the --store of the run", hint="Name the store that the run wrote.")
    if not options.lists and not options.resume:
        raise UsageError(
            "no repositories are named", hint="Give a list, a folder that holds them, URLs, or - for standard input."
        )
    if options.store is not None:
        store_file(options)
    if options.scheduler is not None:
        options.scheduler = scheduler_address(options.scheduler)


@contextmanager
def _store(options: Options) -> Iterator[Store]:
    """Open the named store, or a temporary one."""

    def now() -> datetime:
        return datetime.now(timezone.utc)

    if options.store:
        with Store.open(Path(options.store), now=now) as store:
            yield store
        return
    with (
        temporary_folder("store") as folder,
        Store.open(folder / "fleet.db", now=now) as store,
    ):
        yield store


def _plan(options: Options, store: Store) -> _Plan:
    """Plan a new run, or the rest of the run to resume."""
    entries, skipped = read_entries(options.lists, ssh=options.ssh)
    if options.scheduler:
        _refuse_logins(entries, options.scheduler)
    if options.resume:
        return _plan_resumed(entries, skipped, store, options)
    units = plan_units(entries)
    skipped += units.skipped
    if not units.repositories:
        raise UsageError(
            f"nothing to scan: {skipped[0].what}: {skipped[0].why}" if skipped else "nothing to scan",
            hint="Give a list of repositories, or a folder that holds some.",
        )
    unfinished = store.unfinished()
    if unfinished is not None and unfinished.status is not RunStatus.FINISHED:
        print_status(
            options, f"run {unfinished.id} of the store is unfinished and is abandoned; --resume would continue it"
        )
    return _Plan(units=units, skipped=tuple(skipped))


def _begin(options: Options, store: Store, plan: _Plan) -> int:
    """Begin or resume the run; return its number."""
    repositories = plan.units.repositories
    missing = unreadable_entries(plan.skipped, repositories, store)
    run = plan.run
    if run is None:
        listed = [*repositories, *(each.repository for each in missing)]
        run = store.begin(describe_target(options.lists, len(listed)), listed)
    known = {scan.repository.key for scan in store.scans(run)}
    for each in missing:
        if each.repository.key in known:
            store.record_failure(run, each.failed, last=True)
    return run


def _plan_resumed(entries: Sequence[Entry], skipped: Sequence[Skipped], store: Store, options: Options) -> _Plan:
    """Plan the rest of the last run. A list that is given again supplies logins, which no store keeps."""
    unfinished = store.unfinished()
    if unfinished is None:
        runs = store.runs()
        if not runs:
            raise UsageError("there is no run to resume", hint="Start one: leave out --resume, and give a list.")
        print_status(options, f"run {runs[-1].id} is finished; there is nothing left to do")
        return _Plan(run=runs[-1].id, units=Units(repositories=(), units=()), skipped=())
    given = {repository.key: repository for repository in plan_units(entries).repositories}
    left = [
        Entry(address=given[each.key].address if each.key in given else each.address, origin=each.label,
              label=each.label, size=each.size)
        for each in store.resume(unfinished.id)
    ]  # fmt: skip
    units = plan_units(left)
    print_status(options, f"resuming run {unfinished.id}: {len(units.repositories):,} left to scan")
    return _Plan(run=unfinished.id, units=units, skipped=(*skipped, *units.skipped))


def _refuse_logins(entries: Sequence[Entry], scheduler: str) -> None:
    """Refuse a login in a URL, which would go over plain TCP to scheduler and workers."""
    if scheduler.startswith("tls://"):
        return
    first = next((entry for entry in entries if has_login(entry.address)), None)
    if first is not None:
        raise UsageError(
            f"{first.origin}: the URL has a login, which would go over the network unencrypted",
            hint="Leave it out and give the workers a credential helper of git, or use a tls:// scheduler.",
        )


def _scan(options: Options, store: Store, plan: _Plan, config: FleetConfig) -> _RunEnd:
    """Scan what is left, and store how it ended."""
    if not plan.units.units:
        run = _begin(options, store, plan)
        if store.run(run).status is not RunStatus.FINISHED:
            store.finish(run, RunStatus.FINISHED, _facts(options, 0.0))
        return _RunEnd(run=run)
    with _listener(options, plan.units.units) as (watcher, watch), _pool(options, watch, plan.units) as pool:
        run = _begin(options, store, plan)
        started, status, end = time.monotonic(), RunStatus.INTERRUPTED, _RunEnd(run=run)
        try:
            Coordinator(pool, store, run, _settings(options, config, plan.units), watcher).scan(plan.units.units)
            status = RunStatus.FINISHED
        except KeyboardInterrupt:
            end = replace(end, interrupted=True)
        except ScanError as error:
            end = replace(end, error=error)
        finally:
            store.finish(run, status, _facts(options, round(time.monotonic() - started, 3)))
    return end


def _facts(options: Options, seconds: float) -> dict[str, float]:
    """What the store keeps of the whole run; its reports allow the run to be incomplete if the run did."""
    return {"seconds": seconds, **({ALLOWS_INCOMPLETE: 1} if options.allow_incomplete else {})}


def _settings(options: Options, config: FleetConfig, units: Units) -> Settings:
    exclude = tuple(options.exclude)
    local = options.jobs or usable_cores()
    return Settings(
        settings_digest=settings_digest(config.text, exclude, reachable=options.reachable),
        config=config.text,
        exclude=exclude,
        reachable=options.reachable,
        keep=options.store is not None,
        again=options.rescan,
        retries=options.retries,
        time_limit=options.repository_time_limit,
        clone_limit=options.clone_limit,
        inner_jobs=1 if options.scheduler else max(1, local // len(units.units)),
    )


@contextmanager
def _pool(options: Options, watch: StepListener, units: Units) -> Iterator[Pool]:
    pool: Pool
    if options.scheduler:
        try:
            from binance_leaks.fleet.cluster import DaskPool  # an extra, and slow to import
        except ImportError:
            raise UsageError(
                "--scheduler needs Dask, which is not installed",
                hint='Install it beside binance-leaks: pip install "dask[distributed]".',
            ) from None
        pool = DaskPool(options.scheduler, watch)
    else:
        pool = LocalPool(min(options.jobs or usable_cores(), len(units.units)), watch)
    try:
        yield pool
    finally:
        pool.close()


@contextmanager
def _listener(options: Options, units: Sequence[Unit]) -> Iterator[tuple[RunListener, StepListener]]:
    if options.no_progress or options.quiet or not sys.stderr.isatty():
        every = float("inf") if options.no_progress else 60.0
        total = sum(len(unit.repositories) for unit in units)
        yield FleetLog(total, lambda text: print_status(options, text), every=every), lambda *_: None
        return
    from binance_leaks.cli.fleet.progress import FleetProgress  # rich: only on a terminal

    with FleetProgress(units, scheduler=options.scheduler) as progress:
        yield progress, progress.step


def _make_result(
    options: Options, store: Store, run: int, plan: _Plan, config: FleetConfig, verifier: OnlineVerifier | None
) -> Result:
    places = config.places
    result = fleet_result(store, run, config=config.config, places=places)
    if verifier is not None and result.findings:
        store.record_verifications(
            run, verify_findings(result.findings, _with_addresses(store, run, plan), verifier, options)
        )
        result = fleet_result(store, run, config=config.config, places=places)
    harmless = (each for each in plan.skipped if not each.lost)  # the others are in the store
    return replace(result, skipped=(*result.skipped, *harmless))


def _with_addresses(store: Store, run: int, plan: _Plan) -> list[Repository]:
    """The repositories of a run, with the given addresses."""
    given = {repository.key: repository for repository in plan.units.repositories}
    stored = (scan.repository for scan in store.scans(run))
    return [given.get(repository.key, repository) for repository in stored]


def scheduler_address(text: str) -> str:
    """Return the full address, with `tcp` as default scheme.

    Raises UsageError for an invalid one.
    """
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[3]) < 1 << 16:
        # Not shown: it may be a URL with a login.
        raise UsageError("--scheduler is not a scheduler address", hint=_ADDRESS_HINT)
    return f"{match[1] or 'tcp'}://{match[2]}:{match[3]}"
