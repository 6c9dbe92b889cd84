"""The compiled module, None where it was not built or the environment sets `BINANCE_LEAKS_PURE`."""

from __future__ import annotations

TYPE_CHECKING = False  # as typing has it: the hook may import this
if TYPE_CHECKING:
    from types import ModuleType

compiled: ModuleType | None
try:
    from binance_leaks import _native
except ImportError:
    compiled = None
else:
    compiled = _native
