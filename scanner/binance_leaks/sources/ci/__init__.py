"""The change that a CI system runs for.

To add a system: a function and a line in `_SYSTEMS`.
"""

from __future__ import annotations

from collections.abc import Callable

from binance_leaks.sources.ci.environment_variables import (
    CiChange,
    Variables,
    change_on_azure,
    change_on_bitbucket,
    change_on_buildkite,
    change_on_circleci,
    change_on_gitlab,
    change_on_jenkins,
)
from binance_leaks.sources.ci.github_event import change_on_github

_REMEDY = "Clone with the whole history (fetch-depth: 0, GIT_DEPTH: 0), or run `binance-leaks ci --fetch`."
_SYSTEMS: tuple[Callable[[Variables], CiChange | None], ...] = (
    change_on_github,
    change_on_gitlab,
    change_on_bitbucket,
    change_on_azure,
    change_on_circleci,
    change_on_jenkins,
    change_on_buildkite,
)
"""The systems, in the order in which they are tried: each function gives None where another system runs."""


def announced_change(variables: Variables) -> CiChange:
    """The change that the environment announces.

    Elsewhere HEAD against the default branch of the remote. Raises ScanError where a system is known and its data
    cannot be read.
    """
    for change_on in _SYSTEMS:
        change = change_on(variables)
        if change is not None:
            return change
    return CiChange(system="this clone", what="HEAD", remedy=_REMEDY)
