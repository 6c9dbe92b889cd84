"""What the terminal can do: whether it obeys escape sequences, and whether it has hyperlinks (OSC 8).

No terminal can be asked without waiting for an answer that may not come, so that hyperlinks are for those that are
known by their environment to have them. Others would show them as garbage at worst.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from types import MappingProxyType
from typing import TextIO

_CI = ("CI", "TF_BUILD", "JENKINS_URL", "BUILD_NUMBER", "TEAMCITY_VERSION", "GITHUB_ACTIONS")
_AFAR = ("SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY")
_PROGRAMS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "iTerm.app": (3, 1),
        "WezTerm": (0, 0),
        "vscode": (1, 72),
        "ghostty": (0, 0),
        "Hyper": (2, 0),
        "Tabby": (0, 0),
        "rio": (0, 0),
        "tmux": (3, 4),
    }
)
"""By `TERM_PROGRAM`, the first version of `TERM_PROGRAM_VERSION` that has hyperlinks, as their release notes say."""

_TERMS = re.compile(r"xterm-kitty|xterm-ghostty|alacritty(-.*)?|foot(-.*)?|contour.*|wezterm|rio")
_DUMB = re.compile(r"dumb|linux|cons25.*|emacs|vt\d+.*|unknown|")
_LEAST_VTE = 5001  # 0.50.0 crashed at some links
_MULTIPLEXED = ("screen", "tmux")


def has_hyperlinks(environment: Mapping[str, str]) -> bool:
    """Whether a terminal with this environment shows hyperlinks to files on this machine.

    Not in a CI system's log, not in a dumb terminal, and not over ssh, where a link would open a file of another
    machine. `FORCE_HYPERLINK`, as other programs know it, decides what is not known here; 0 is never.
    """
    forced = environment.get("FORCE_HYPERLINK")
    term = environment.get("TERM", "")
    if forced in ("0", "false", "no") or any(environment.get(name) for name in (*_CI, *_AFAR)):
        return False
    if environment.get("WT_SESSION"):  # Windows sets no TERM
        return True
    if _DUMB.fullmatch(term):
        return False
    return bool(forced) or _is_known(environment, term)


def _is_known(environment: Mapping[str, str], term: str) -> bool:
    program = environment.get("TERM_PROGRAM", "")
    if term.startswith(_MULTIPLEXED) and program != "tmux":
        return False  # what the outer terminal can do was inherited
    if program in _PROGRAMS:
        return _version(environment.get("TERM_PROGRAM_VERSION", "")) >= _PROGRAMS[program]
    vte = environment.get("VTE_VERSION", "")
    if vte.isdecimal():
        return int(vte) >= _LEAST_VTE
    known = environment.get("KONSOLE_VERSION") or environment.get("DOMTERM") or _TERMS.fullmatch(term)
    return bool(known)


def _version(text: str) -> tuple[int, int]:
    found = re.match(r"(\d{1,9})(?:\.(\d{1,9}))?", text)
    return (int(found[1]), int(found[2] or 0)) if found else (0, 0)


def obeys_escapes(stream: TextIO) -> bool:
    """Whether a stream is a terminal that obeys escape sequences. A console of Windows is asked to, and may refuse."""
    if not stream.isatty():
        return False
    return sys.platform != "win32" or _console_obeys()


if sys.platform == "win32":
    import ctypes

    def _console_obeys() -> bool:
        """Switches the console to escape sequences (Windows 10 and newer); old ones cannot."""
        output, sequences = -11, 4  # STD_OUTPUT_HANDLE, ENABLE_VIRTUAL_TERMINAL_PROCESSING
        kernel = ctypes.WinDLL("kernel32")
        kernel.GetStdHandle.restype = ctypes.c_void_p
        handle = ctypes.c_void_p(kernel.GetStdHandle(output))
        mode = ctypes.c_ulong()
        if not kernel.GetConsoleMode(handle, ctypes.byref(mode)):
            return True  # a terminal that is no console, as those of Cygwin
        return bool(kernel.SetConsoleMode(handle, mode.value | sequences))
