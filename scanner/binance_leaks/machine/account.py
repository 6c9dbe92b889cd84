"""Patterns of locations as paths of this machine: its system, home folder and environment."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.machine.known_locations import FOLDERS, VSCODE_NAMES, KnownLocation, System


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """A user's account on a machine.

    `home` and what is made from it have `/` on every system.
    """

    system: System
    home: str
    environment: Mapping[str, str]

    def has(self, location: KnownLocation) -> bool:
        """Whether a location is on this system."""
        return self.system in location.systems

    def patterns(self, location: KnownLocation) -> list[str]:
        """Return the absolute patterns of a location that is not just anywhere.

        >>> account = Account(system=System.LINUX, home="/home/me", environment={})
        >>> from binance_leaks.machine.known_locations import parse_table
        >>> [location] = parse_table("Bot | bot | https://bot.example\\n  any | log | {config}/bot/*.log")
        >>> account.patterns(location)
        ['/home/me/.config/bot/*.log']
        """
        pattern = location.pattern
        moved = self._folder(location.variable) if location.variable else None
        if moved is not None and (pattern == location.moved or pattern.startswith(f"{location.moved}/")):
            return [moved + pattern.removeprefix(location.moved)]
        base, slash, rest = pattern.partition("/")
        return [f"{folder}{slash}{rest}" for folder in self._bases(base.strip("{}"))]

    def _bases(self, name: str) -> list[str]:
        if name == "~":
            return [self.home]
        if name == "vscode":
            return [f"{folder}/{name}" for folder in self._bases("config") for name in VSCODE_NAMES]
        variable, default = FOLDERS[name][self.system]
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
