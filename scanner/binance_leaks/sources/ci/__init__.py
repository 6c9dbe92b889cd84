"""What a CI system says of the change that it runs for: which commits, and what they are compared with."""

from __future__ import annotations

from binance_leaks.sources.ci.change import CiChange, Variables
from binance_leaks.sources.ci.github import change_on_github
from binance_leaks.sources.ci.gitlab import change_on_gitlab
from binance_leaks.sources.ci.others import OTHERS

_REMEDY = "Clone with the whole history (fetch-depth: 0, GIT_DEPTH: 0), or run `binance-leaks ci --fetch`."


def announced_change(variables: Variables) -> CiChange:
    """What the environment says; elsewhere HEAD against the default branch of the remote.

    Raises ScanError where a system is known and what it says cannot be read.
    """
    for change_on in (change_on_github, change_on_gitlab, *OTHERS):
        change = change_on(variables)
        if change is not None:
            return change
    return CiChange(system="this clone", what="HEAD", remedy=_REMEDY)
