"""Patterns of places as paths of this machine: its system, home folder and environment."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import MappingProxyType

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.machine.places import VSCODE_NAMES, Place, System

_ROAMING, _LOCAL = "AppData/Roaming", "AppData/Local"
_SUPPORT, _CACHES = "Library/Application Support", "Library/Caches"
_FOLDERS: Mapping[System, Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        System.LINUX: {
            "config": ("XDG_CONFIG_HOME", ".config"),
            "cache": ("XDG_CACHE_HOME", ".cache"),
        },
        System.MACOS: {
            "config": ("", _SUPPORT),
            "cache": ("", _CACHES),
        },
        System.WINDOWS: {
            "config": ("APPDATA", _ROAMING),
            "cache": ("LOCALAPPDATA", _LOCAL),
        },
    }
)
"""By system and name in braces the environment variable that has a folder, and its default below the home folder.

The base directory specification of freedesktop.org, the file system guide of Apple, the known folders of Windows.
"""
_EVERYWHERE = MappingProxyType(
    {
        "xdg-config": ("XDG_CONFIG_HOME", ".config"),
        "data": ("XDG_DATA_HOME", ".local/share"),
        "state": ("XDG_STATE_HOME", ".local/state"),
        "local": ("LOCALAPPDATA", _LOCAL),
    }
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Machine:
    """A user's account on a machine. `home` and what is made from it have `/` on every system."""

    system: System
    home: str
    environment: Mapping[str, str]

    def has(self, place: Place) -> bool:
        """Whether a place is on this system."""
        return self.system in place.systems

    def patterns(self, place: Place) -> list[str]:
        """Return the absolute patterns of a place that is not just anywhere.

        >>> machine = Machine(system=System.LINUX, home="/home/me", environment={})
        >>> from binance_leaks.machine.places import parse_places
        >>> [place] = parse_places("Bot | bot | https://bot.example\\n  any | log | {config}/bot/*.log")
        >>> machine.patterns(place)
        ['/home/me/.config/bot/*.log']
        """
        pattern = place.pattern
        moved = self._folder(place.variable) if place.variable else None
        if moved is not None and (pattern == place.moved or pattern.startswith(f"{place.moved}/")):
            return [moved + pattern.removeprefix(place.moved)]
        base, slash, rest = pattern.partition("/")
        return [f"{folder}{slash}{rest}" for folder in self._bases(base.strip("{}"))]

    def _bases(self, name: str) -> list[str]:
        if name == "~":
            return [self.home]
        if name == "vscode":
            return [f"{folder}/{name}" for folder in self._bases("config") for name in VSCODE_NAMES]
        variable, default = _FOLDERS[self.system].get(name) or _EVERYWHERE[name]
        return [self._folder(variable) or f"{self.home}/{default}"]

    def _folder(self, variable: str) -> str | None:
        """Return the folder that an environment variable has, None for one that is no absolute path."""
        path = self.environment.get(variable, "").replace("\\" if self.system is System.WINDOWS else "/", "/")
        path = path.rstrip("/")
        is_absolute = path.startswith("/") or (self.system is System.WINDOWS and path[1:3] == ":/")
        return path if is_absolute else None


def system_of(platform: str = sys.platform) -> System:
    """Return the system by its name in `sys.platform`; a system that is not known is treated as Linux."""
    return {"darwin": System.MACOS, "win32": System.WINDOWS}.get(platform, System.LINUX)
