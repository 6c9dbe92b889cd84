"""Addresses of schedulers, as the command line names them."""

from __future__ import annotations

import re

from scanner.errors import UsageError

_ADDRESS = re.compile(r"(?:(tcp|tls)://)?(\[[0-9A-Fa-f:.]+(?:%\w+)?\]|[A-Za-z0-9_.-]+):([0-9]{1,5})/?")
_HINT = "Such as tcp://192.0.2.1:8786, or tls://… with certificates in the settings of Dask."


def scheduler_address(text: str) -> str:
    """The address in full, `tcp` where nothing else is said. Raises UsageError for what is none."""
    match = _ADDRESS.fullmatch(text)
    if match is None or not 0 < int(match[3]) < 1 << 16:
        # Not shown: it may be a URL with a login.
        raise UsageError("--scheduler is no address of a scheduler", hint=_HINT)
    return f"{match[1] or 'tcp'}://{match[2]}:{match[3]}"
