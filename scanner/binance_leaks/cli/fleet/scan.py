"""`binance-leaks fleet scan`: everything that many repositories ever held."""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.fleet.inputs import FleetConfig, describe_target, load_fleet_config, read_entries
from binance_leaks.cli.fleet.progress import FleetLog, tell
from binance_leaks.cli.fleet.report import store_file
from binance_leaks.cli.output import present, wanted_formats
from binance_leaks.cli.signals import end_in_order
from binance_leaks.cli.verify_option import Online, online
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
from binance_leaks.fleet.worker_protocol import Watch
from binance_leaks.pipeline.files import usable_cores
from binance_leaks.sources.urls import has_login
from binance_leaks.verification import Verification

_HINT = "Give the folder of the repository, or the whole URL of one that a host has."

_ADDRESS = re.compile(r"(?:(tcp|tls)://)?(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[A-Za-z0-9_.-]+):([0-9]{1,5})/?")
_HINT = "Such as tcp://192.0.2.1:8786, or tls://… with certificates in the settings of Dask."


@dataclass(frozen=True, kw_only=True, slots=True)
class UnreadableEntry:
    """Something that is listed as a repository, and why it is none."""

    repository: Repository
    failed: ScanFailure


def unreadable_entries(
    skipped: Iterable[Skipped], repositories: Sequence[Repository], store: Store
) -> list[UnreadableEntry]:
    """Those of the things that were passed over which could hold something.

    One that an earlier run has scanned keeps its place in the store, so that what was found there is not forgotten.
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
            UnreadableEntry(repository=repository, failed=ScanFailure(key=repository.key, reason=each.why, hint=_HINT))
        )
    return found


def verify_findings(
    findings: Sequence[Finding], repositories: Iterable[Repository], asker: Online, options: Options
) -> Mapping[str, Verification]:
    """What Binance answers about some findings, by their ids. Their values are read again where they stand."""
    recall = SecretReader(repositories, lambda label: tell(options, f"reading values again in {label}"))
    return asker.found_out(recall.credentials(findings))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Plan:
    """What is to be scanned, and what of the input is no repository; `run` is set if it goes on with that one."""

    units: Units
    skipped: tuple[Skipped, ...]
    run: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class _RunEnd:
    """How the scanning of a run ended: by an interrupt, or with an error of the pool."""

    run: int
    interrupted: bool = False
    error: ScannerError | None = None


def run(options: Options) -> ExitStatus:
    """Scans the fleet and reports."""
    formats = wanted_formats(options)
    _refuse_unusable(options)
    config = load_fleet_config(options)
    end_in_order()
    with online(options) as asker, _store(options) as store:
        plan = _planned(options, store)
        end = _scanned(options, store, plan, config)
        asked = None if end.interrupted or end.error is not None else asker
        result = _result(options, store, end.run, plan, config, asked)
        status = present(result, options, formats, interrupted=end.interrupted)
    if end.error is not None:
        raise end.error
    if end.interrupted and options.store:
        tell(options, f"run {end.run} was interrupted; go on with it: --store {options.store} --resume")
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
    """The store that is named, else one that is gone afterwards."""

    def now() -> datetime:
        return datetime.now(timezone.utc)

    if options.store:
        with Store.open(Path(options.store), now=now) as store:
            yield store
        return
    with (
        tempfile.TemporaryDirectory(prefix="store-", ignore_cleanup_errors=True) as folder,
        Store.open(Path(folder) / "fleet.db", now=now) as store,
    ):
        yield store


def _planned(options: Options, store: Store) -> _Plan:
    """What a new run scans, or what is left of the one to go on with."""
    entries, skipped = read_entries(options.lists, ssh=options.ssh)
    if options.scheduler:
        _refuse_logins(entries, options.scheduler)
    if options.resume:
        return _resumed(entries, skipped, store, options)
    units = plan_units(entries)
    skipped += units.skipped
    if not units.repositories:
        raise UsageError(
            f"nothing to scan: {skipped[0].what}: {skipped[0].why}" if skipped else "nothing to scan",
            hint="Give a list of repositories, or a folder that holds some.",
        )
    unfinished = store.unfinished()
    if unfinished is not None and unfinished.status is not RunStatus.FINISHED:
        tell(options, f"run {unfinished.id} of the store ended early and is left so; --resume would go on with it")
    return _Plan(units=units, skipped=tuple(skipped))


def _begun(options: Options, store: Store, plan: _Plan) -> int:
    """The number of the run."""
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


def _resumed(entries: Sequence[Entry], skipped: Sequence[Skipped], store: Store, options: Options) -> _Plan:
    """What is left of the last run. A list that is given again tells logins, which no store keeps."""
    unfinished = store.unfinished()
    if unfinished is None:
        runs = store.runs()
        if not runs:
            raise UsageError("there is no run to go on with", hint="Start one: leave out --resume, and give a list.")
        tell(options, f"run {runs[-1].id} is finished; there is nothing left to do")
        return _Plan(run=runs[-1].id, units=Units(repositories=(), units=()), skipped=())
    given = {repository.key: repository for repository in plan_units(entries).repositories}
    left = [
        Entry(address=given[each.key].address if each.key in given else each.address, origin=each.label,
              label=each.label, size=each.size)
        for each in store.resume(unfinished.id)
    ]  # fmt: skip
    units = plan_units(left)
    tell(options, f"going on with run {unfinished.id}: {len(units.repositories):,} left to scan")
    return _Plan(run=unfinished.id, units=units, skipped=(*skipped, *units.skipped))


def _refuse_logins(entries: Sequence[Entry], scheduler: str) -> None:
    """A login in a URL would go to scheduler and workers, over plain TCP for all to read."""
    if scheduler.startswith("tls://"):
        return
    first = next((entry for entry in entries if has_login(entry.address)), None)
    if first is not None:
        raise UsageError(
            f"{first.origin}: the URL has a login, which would go over the network unencrypted",
            hint="Leave it out and give the workers a credential helper of git, or use a tls:// scheduler.",
        )


def _scanned(options: Options, store: Store, plan: _Plan, config: FleetConfig) -> _RunEnd:
    """Scans what is left; however that ends, the store knows how it stands."""
    if not plan.units.units:
        run = _begun(options, store, plan)
        if store.run(run).status is not RunStatus.FINISHED:
            store.finish(run, RunStatus.FINISHED, {"seconds": 0.0})
        return _RunEnd(run=run)
    with _watched(options, plan.units.units) as (watcher, watch), _pool(options, watch, plan.units) as pool:
        run = _begun(options, store, plan)
        started, status, end = time.monotonic(), RunStatus.INTERRUPTED, _RunEnd(run=run)
        try:
            Coordinator(pool, store, run, _settings(options, config, plan.units), watcher).scan(plan.units.units)
            status = RunStatus.FINISHED
        except KeyboardInterrupt:
            end = replace(end, interrupted=True)
        except ScanError as error:
            end = replace(end, error=error)
        finally:
            store.finish(run, status, {"seconds": round(time.monotonic() - started, 3)})
    return end


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
        time_limit=options.time_limit,
        clone_limit=options.clone_limit,
        inner_jobs=1 if options.scheduler else max(1, local // len(units.units)),
    )


@contextmanager
def _pool(options: Options, watch: Watch, units: Units) -> Iterator[Pool]:
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
def _watched(options: Options, units: Sequence[Unit]) -> Iterator[tuple[RunListener, Watch]]:
    if options.no_progress or options.quiet or not sys.stderr.isatty():
        every = float("inf") if options.no_progress else 60.0
        total = sum(len(unit.repositories) for unit in units)
        yield FleetLog(total, lambda text: tell(options, text), every=every), lambda *_: None
        return
    from binance_leaks.cli.fleet.progress import FleetProgress  # rich: only where somebody looks on

    with FleetProgress(units, scheduler=options.scheduler) as progress:
        yield progress, progress.step


def _result(options: Options, store: Store, run: int, plan: _Plan, config: FleetConfig, asker: Online | None) -> Result:
    places = config.places
    result = fleet_result(store, run, config=config.config, places=places)
    if asker is not None and result.findings:
        store.record_verifications(run, verify_findings(result.findings, _reachable(store, run, plan), asker, options))
        result = fleet_result(store, run, config=config.config, places=places)
    harmless = (each for each in plan.skipped if not each.lost)  # the others are in the store
    return replace(result, skipped=(*result.skipped, *harmless))


def _reachable(store: Store, run: int, plan: _Plan) -> list[Repository]:
    """The repositories of a run, with the addresses that were given for them."""
    given = {repository.key: repository for repository in plan.units.repositories}
    stored = (scan.repository for scan in store.scans(run))
    return [given.get(repository.key, repository) for repository in stored]


def scheduler_address(text: str) -> str:
    """The address in full, `tcp` where nothing else is said. Raises UsageError for what is none."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[3]) < 1 << 16:
        # Not shown: it may be a URL with a login.
        raise UsageError("--scheduler is no address of a scheduler", hint=_HINT)
    return f"{match[1] or 'tcp'}://{match[2]}:{match[3]}"
