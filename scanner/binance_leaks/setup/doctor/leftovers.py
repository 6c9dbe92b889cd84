"""Remove what runs that were killed have left: temporary folders, and drafts beside the files that they wrote."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from binance_leaks.agents.contracts import AGENTS
from binance_leaks.errors import UsageError
from binance_leaks.quantities import plural
from binance_leaks.setup.agent_hooks import Place, plan_agent
from binance_leaks.setup.doctor.check import Check, State
from binance_leaks.temporary_folders import remove_left_folders
from binance_leaks.writing import DRAFTS, remove_left_drafts


def check_leftovers(top: Path, folders: Iterable[Path]) -> Iterator[Check]:
    """Yield what was removed, if there was anything: drafts in the work tree, of agents' settings, and in `folders`.

    A draft of a report that is written elsewhere is removed by the next run that writes one there.
    """
    counts = {
        "folder": remove_left_folders(),
        "draft": sum(map(remove_left_drafts, {*_of_work_tree(top), *_of_agents(), *folders})),
    }
    removed = " and ".join(plural(count, what) for what, count in counts.items() if count)
    if removed:
        yield Check(name="leftovers", state=State.OK, found=f"{removed} of runs that were killed: removed")


def _of_work_tree(top: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from (draft.parent for draft in top.rglob(DRAFTS))


def _of_agents() -> Iterator[Path]:
    for agent in AGENTS:
        with suppress(UsageError):
            place = Place.of_user(agent)
            yield from ((place.tree.top / plan.path).resolve().parent for plan in plan_agent(agent, place))
