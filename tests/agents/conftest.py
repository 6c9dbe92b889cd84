"""The hook's time limit, which must not decide on a busy machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from binance_leaks.cli import agent_hook


@pytest.fixture(scope="module", autouse=True)
def _much_time() -> Iterator[None]:
    """Ten times the limit: what an answer says must not depend on other processes. Tests of the limit set their own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent_hook, "TIME_LIMIT", 10 * agent_hook.TIME_LIMIT)
        yield
