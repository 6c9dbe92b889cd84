"""The store of a fleet: one SQLite file with what is known of its repositories, written by one process at a time.

Digests and masks are in it, and no value. A file of somebody else is read strictly: what has another shape than this
package gives it is an error, told in a line.
"""

from binance_leaks.fleet.store.store import Store

__all__ = ["Store"]
