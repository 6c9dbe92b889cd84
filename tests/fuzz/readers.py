"""What each target calls with an input, and what of it is shown."""

from __future__ import annotations

import atexit
import io
import json
import re
import sys
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from functools import cache, partial
from pathlib import Path
from typing import cast
from unittest.mock import patch

from binance_leaks.agents.contracts import AGENTS
from binance_leaks.api import FORMAT_NAMES, Result, render, scan_bytes, scan_paths
from binance_leaks.baseline.file import Baseline
from binance_leaks.cli.agent_hook import answer_event
from binance_leaks.cli.file_changes import diff
from binance_leaks.config import parse_config
from binance_leaks.environments import probes_for
from binance_leaks.fleet.repository_list import read_list
from binance_leaks.fleet.worker_protocol import parse_outcomes, parse_worker
from binance_leaks.model import Environment
from binance_leaks.native import compiled
from binance_leaks.pipeline.files import credentials_in_object
from binance_leaks.pipeline.state import unpack_state
from binance_leaks.report.sanitize import printable, without_values
from binance_leaks.report.stored import read_report
from binance_leaks.setup.agent_hooks import HOOK_FILES, Place, installed, plan_agent
from binance_leaks.setup.allow_entries import with_entries, without_entries
from binance_leaks.setup.comment_syntax import comment_syntax, why_no_comment
from binance_leaks.setup.plan import Plan, Refuse, Write
from binance_leaks.setup.pre_commit import configured_hooks, plan_pre_commit
from binance_leaks.sources.ci import announced_change
from binance_leaks.sources.lfs import parse_lfs_pointer
from binance_leaks.sources.objects.codec import best_codec, plain_codec
from binance_leaks.sources.objects.database import open_packs
from binance_leaks.sources.objects.delta_forest import DeltaForest, ObjectType
from binance_leaks.sources.objects.pack import Pack, read_object
from binance_leaks.sources.objects.parse import parse_commit, parse_tree
from binance_leaks.verify.cache import CacheFile
from binance_leaks.verify.http_types import Reply
from binance_leaks.verify.responses import outcome_of, server_time

from tests.forged_packs import header
from tests.fuzz import seeds
from tests.fuzz.alike import (
    ID_SIZE,
    KnownIds,
    PackInMemory,
    Record,
    SearchingRecord,
    laid_out,
    read_messages,
    read_trees,
    walk_blobs,
)
from tests.fuzz.laws import Outcome, shape
from tests.fuzz.planted import Planted

_MOST_OBJECTS = 40
_IMAGE_FILE = re.compile(rb"oci-layout|(?:index|manifest)\.json|blobs/sha256/[0-9a-f]{64}")
_LENGTH = 4


def _choose(choices: tuple[str, ...], data: bytes) -> str:
    """One of some names, the same one for the same input."""
    return choices[zlib.crc32(data) % len(choices)]


@cache
def _folder() -> Path:
    folder = tempfile.TemporaryDirectory()
    atexit.register(folder.cleanup)
    return Path(folder.name)


def _written(name: str, data: bytes) -> Path:
    """A new file: what maps the one before into memory keeps that."""
    path = _folder() / name
    path.unlink(missing_ok=True)
    path.write_bytes(data)
    return path


def warm_up(planted: Planted) -> None:
    """Import and compile what every worker needs, before they are forked."""
    for data in (*seeds.documents(planted)[::30], *seeds.plain(planted.pair)):
        outcome = scan("bot.py")(data)
    list(outcome.rendered())


def scan(*paths: str) -> Callable[[bytes], Outcome]:
    """What scans a content by one of some names."""

    def read(data: bytes) -> Outcome:
        return _reported(scan_bytes(data, path=_choose(paths, data)), zlib.crc32(data))

    return read


def _reported(result: Result, first: int) -> Outcome:
    found = sorted(
        f"{finding.kind.value} {finding.confidence.value} {finding.suppressed is not None}"
        for finding in (*result.findings, *result.suppressed)
    )
    reasons = sorted({shape(skipped.why) for skipped in result.skipped})
    if not found and not reasons:
        return Outcome(kind="nothing")
    kind = f"{found[:8]} {reasons}"
    return Outcome(kind=kind, shown=(repr(result),), rendered=partial(_renderings, result, first))


def _renderings(result: Result, first: int) -> Iterator[str]:
    """The result in all formats; which comes first differs from input to input."""
    for number in range(len(FORMAT_NAMES)):
        yield render(result, FORMAT_NAMES[(first + number) % len(FORMAT_NAMES)], verbose=True)


@cache
def _empty_pack() -> tuple[Pack, DeltaForest]:
    pack = cast("Pack", PackInMemory([], []))
    return pack, laid_out(pack)[0]


def read_tree(data: bytes) -> Outcome:
    """Entries of a tree, by the parser and by both indexes."""
    entries = list(parse_tree(data, ID_SIZE))
    wide = sum(1 for _ in parse_tree(data, 2 * ID_SIZE - 8))
    names = [name for _, _, name in entries]
    pack, forest = _empty_pack()
    found = read_trees(pack, forest, KnownIds(names[1::2]), names[:3], {bytes(ID_SIZE): data})
    return Outcome(kind=f"{min(len(entries), 9)} {min(wide, 3)} {len(found.suspicious) > 0} {min(len(found.links), 3)}")


def read_commit(data: bytes) -> Outcome:
    """A commit or tag: its place in the graph by both implementations, its headers, what its message holds."""
    commit = parse_commit("0" * 40, data)
    found = credentials_in_object(data)
    pack = PackInMemory([header(ObjectType.COMMIT.value, len(data)) + zlib.compress(data, 1)], [bytes(ID_SIZE)])
    forest, _ = laid_out(cast("Pack", pack))
    search = SearchingRecord.search if compiled is not None and len(data) % 2 else None
    record = read_messages(cast("Pack", pack), forest, None, search)
    parents = len(record.nodes[0][1].parents) if record.nodes else -1
    kind = f"{len(found)} {parents} {bool(commit.author)} {bool(commit.date)} {len(record.messages)}"
    return Outcome(kind=kind, shown=tuple(map(repr, found)))


def read_pack(data: bytes) -> Outcome:
    """A pack and its index, in files."""
    size = int.from_bytes(data[:_LENGTH], "big")
    _written("fuzz.idx", data[_LENGTH + size :])
    opened = open_packs([_written("fuzz.pack", data[_LENGTH : _LENGTH + size])], ID_SIZE)
    if not opened.packs:
        why = [shape(skipped.why) for skipped in opened.skipped]
        return Outcome(kind=f"{why} {len(opened.by_git)}", shown=[str(skipped) for skipped in opened.skipped])
    (pack,) = opened.packs
    names = [name for first in range(256) for name in pack.ids(first)]
    if len(pack.id_starts()) != pack.count:
        raise AssertionError("not as many beginnings as objects")
    read = [read_object([pack], name, plain_codec()) for name in names[:_MOST_OBJECTS]]
    if read != [read_object([pack], name, best_codec()) for name in names[:_MOST_OBJECTS]]:
        raise AssertionError("the codecs differ")
    forest, _ = laid_out(pack)
    walked = walk_blobs(pack, forest, lambda: Record(None))
    trees = read_trees(pack, forest, KnownIds(names[::2]), names[:3], {})
    messages = read_messages(pack, forest, None, None)
    counts = min(len(names), 5), sum(each is not None for each in read), len(walked.forged), len(walked.left)
    return Outcome(kind=f"{counts} {len(trees.links)} {len(messages.nodes)} {len(messages.messages)}")


def read_pointer(data: bytes) -> Outcome:
    """A pointer of Git LFS."""
    return Outcome(kind="nothing" if parse_lfs_pointer(data) is None else "pointer")


def read_configuration(data: bytes) -> Outcome:
    """A configuration: read, with an entry more, with one less."""
    file = Path(_choose((".binance-leaks.toml", "pyproject.toml"), data))
    config = parse_config(data, file)
    ignored = config.exclusion()("a/bot.py")
    more = parse_config(with_entries(data, file, [["ab" * 32]], "a reason"), file)
    if len(more.allow) != len(config.allow) + 1:
        raise AssertionError(f"{len(more.allow)} entries of {len(config.allow)} and one more")
    if config.allow and len(parse_config(without_entries(data, file, [0]), file).allow) != len(config.allow) - 1:
        raise AssertionError("an entry remains")
    return Outcome(kind=f"{len(config.allow)} {ignored} {config.confidence} {config.baseline is not None}")


def read_baseline(data: bytes) -> Outcome:
    """A baseline: read, and written again."""
    baseline = Baseline.parse(Path(".secrets.baseline"), data)
    known = baseline.known("/project")
    again = Baseline.parse(Path(".secrets.baseline"), baseline.text().encode("utf-8", "surrogatepass"))
    if again.content != baseline.content:
        raise AssertionError("it is not written as it was read")
    labels = sorted({label.name for label in known.labels.values()})
    return Outcome(
        kind=f"{len(known.labels)} {labels} {baseline.with_history}", shown=[path for path, _ in known.labels]
    )


def read_stored_report(data: bytes) -> Outcome:
    """A report that `report` renders again."""
    outcome = _reported(read_report(data, "report.json"), zlib.crc32(data))
    return replace(outcome, shown=())  # only what is rendered is without values


def read_ci_event(data: bytes) -> Outcome:
    """The event file of a run of GitHub Actions."""
    variables = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": _choose(("push", "pull_request", "pull_request_target", "merge_group", "schedule"), data),
        "GITHUB_EVENT_PATH": str(_written("event.json", data)),
        "GITHUB_SHA": "ab" * 20,
    }
    change = announced_change(variables)
    return Outcome(kind=f"{change.base is None} {change.head is None} {change.target is None} {change.deletes}")


def read_agent_event(data: bytes) -> Outcome:
    """An event of an agent: the answer of the hook."""
    options = _choose(("", *(f"--agent={name}" for name in AGENTS), "--fail-closed"), data)
    out, errors = io.StringIO(), io.StringIO()
    stdin = io.TextIOWrapper(io.BytesIO(data))
    with patch.object(sys, "stdin", stdin), redirect_stdout(out), redirect_stderr(errors):
        status = answer_event([options] if options else [])
    if "internal error" in errors.getvalue() + out.getvalue():
        raise AssertionError(errors.getvalue())
    if out.getvalue().strip():
        json.loads(out.getvalue())
    return Outcome(kind=f"{status} {shape(errors.getvalue())[:80]}", shown=(out.getvalue(), errors.getvalue()))


def read_agent_settings(data: bytes) -> Outcome:
    """The settings of an agent, to which a hook is added."""
    agent = _choose(tuple(HOOK_FILES), data)
    place = Place.of_project(agent, _folder())
    path = _folder() / place.folder / HOOK_FILES[agent].name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    plans = plan_agent(agent, place)
    found = installed(agent, place)
    path.unlink()
    return _planned(plans, printable(without_values(str(found))))  # as `doctor` prints it


def read_pre_commit(data: bytes) -> Outcome:
    """A configuration of pre-commit, to which the hooks are added."""
    plan = plan_pre_commit(data, None)
    hooks = configured_hooks(data)
    return _planned([plan], f"{sorted(hooks.ours)} {min(len(hooks.others), 3)}")


def _planned(plans: Sequence[Plan], found: str) -> Outcome:
    """What is planned for files, as `init` shows it, and what is there."""
    whys = [plan.why for plan in plans if isinstance(plan, Refuse)]
    changes = (diff(plan.path, plan.old, plan.new) for plan in plans if isinstance(plan, Write))
    kind = f"{[type(plan).__name__ for plan in plans]} {[shape(why) for why in whys]} {shape(found)}"
    return Outcome(kind=kind, shown=[*whys, found], rendered=lambda: map("".join, changes))


def read_repository_list(data: bytes) -> Outcome:
    """A list of repositories."""
    entries = read_list(data, "repos.txt", base=Path("/project"), ssh=len(data) % 2 == 0)
    return Outcome(kind=f"{min(len(entries), 5)} {sum(entry.size > 0 for entry in entries) > 0}")


def read_reply(data: bytes) -> Outcome:
    """The reply of a worker of a fleet, with a report in it."""
    try:
        reply = json.loads(data)
    except (ValueError, RecursionError):
        return Outcome(kind="no JSON")
    outcomes = parse_outcomes(reply, ["a", "b"])
    worker = parse_worker(reply)
    shown = [worker, *(text for each in outcomes.values() for text in (each["reason"], each["hint"]))]
    return Outcome(kind=f"{sorted(outcomes)} {bool(worker)}", shown=shown)


def read_state(data: bytes) -> Outcome:
    """The state that a history scan leaves for the next one."""
    state = unpack_state(data, "these")
    return Outcome(kind="nothing" if state is None else f"{min(len(state.starts), 5)} {len(state.hits)}")


def read_verdict_cache(data: bytes) -> Outcome:
    """A cache of verdicts: read, and written again."""
    file = _written("verified.json", data)
    file.chmod(0o600)
    cache = CacheFile(file)
    cache.save(seeds.NOW)
    held = [digest for digest in json.loads(file.read_bytes())["entries"] if cache.get(digest, seeds.NOW) is None]
    if held:
        raise AssertionError(f"{held} is written, and not there")
    return Outcome(kind=str(file.stat().st_size))


def read_image_folder(data: bytes) -> Outcome:
    """A folder with the layout of an image: its files one behind the other."""
    with tempfile.TemporaryDirectory(dir=_folder()) as name:  # a new one: what is read of a folder is remembered
        for part in data.split(seeds.FILE)[1:]:
            inside, _, content = part.partition(b"\n")
            if _IMAGE_FILE.fullmatch(inside):
                path = Path(name, inside.decode())
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        return _reported(scan_paths(name, all_files=True), zlib.crc32(data))


def read_answer(data: bytes) -> Outcome:
    """An answer of Binance, or of what is between: the status in its first two bytes, then the body."""
    reply = Reply(status=int.from_bytes(data[:2], "big") % 600, body=data[2:])
    probes = [probe for environment in Environment for probe in probes_for(environment, b"")]
    outcomes = [outcome_of(reply, probe) for probe in probes]
    kinds = sorted({f"{each.verdict.value} {each.cause} {shape(each.detail)}" for each in outcomes})
    return Outcome(kind=f"{kinds} {server_time(reply) is None}", shown=[repr(each) for each in outcomes])


def read_comment(data: bytes) -> Outcome:
    """A text with comments that allow values: what is allowed, and where one could be added."""
    path = _choose(("bot.py", "bot.js", "a.yaml", "run.sh", "a.html", "a.sql", "main.tf", "a.ipynb", ".env"), data)
    outcome = scan(path)(data)
    syntax = comment_syntax(path)
    if syntax is None:
        return outcome
    lines = data.decode("utf-8", "replace").split("\n")
    whys = {why_no_comment(path, lines, at, syntax) for at in {0, len(lines) // 2, len(lines) - 1}}
    return Outcome(kind=f"{outcome.kind} {sorted(map(str, whys))}", shown=outcome.shown, rendered=outcome.rendered)
