"""The store of a fleet: one SQLite file, written by one process at a time.

It holds digests and masks, and no value. A file from elsewhere is read strictly: unexpected content is an error of one
line.
"""

from binance_leaks.fleet.store.store import Store

__all__ = ["Store"]
