"""Whether pictures are read: as the user wants it, and what is installed.

The choice is in the environment, so that every process that scans has it: those of a pool, of a fleet, of a hook.
"""

from __future__ import annotations

import os
from functools import cache

VARIABLE = "BINANCE_LEAKS_PICTURES"
AUTO, ON, OFF = "auto", "on", "off"
MODES = (AUTO, ON, OFF)
QUICK = "quick"
"""As `auto`, with a second for each picture: in the hook."""
INSTALL = 'python -m pip install "rapidocr>=3.10,<4" onnxruntime pillow pillow-heif zxing-cpp'
"""What the extra `images` installs, by the names of the packages: this one is on no index."""
_CODES = ("PIL", "zxingcpp")
_TEXT = (*_CODES, "rapidocr", "onnxruntime", "cv2")


def mode() -> str:
    """What the environment wants; `auto` where it says nothing that is known."""
    wanted = os.environ.get(VARIABLE, AUTO)
    return wanted if wanted in (*MODES, QUICK) else AUTO


def are_read() -> bool:
    """Whether pictures are read: codes and metadata at least."""
    return mode() != OFF and can_read_codes()


def why_unread() -> str | None:
    """What of pictures is not read for lack of a package; None where nothing is, or where they are to be left out."""
    if mode() == OFF or can_read_text():
        return None
    if can_read_codes():
        return f"only their codes and metadata were read; `{INSTALL}` installs what recognizes text"
    return f"they were not read; `{INSTALL}` installs what reads pictures"


def can_read_codes() -> bool:
    """Whether what reads codes and metadata is installed."""
    return _are_installed(_CODES)


def can_read_text() -> bool:
    """Whether what recognizes text is installed, too."""
    return _are_installed(_TEXT)


@cache
def _are_installed(modules: tuple[str, ...]) -> bool:
    from importlib.util import find_spec  # start-up: only where there is a picture

    return all(find_spec(module) is not None for module in modules)
