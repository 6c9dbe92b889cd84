"""`binance-leaks --version -v`: what is installed, for reports of faults."""

from __future__ import annotations

import platform
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING

from binance_leaks import __version__
from binance_leaks.native import compiled

if TYPE_CHECKING:
    from binance_leaks.cli.arguments.common import Options

_PARTS = (
    ("deflate", "inflates objects and archives faster"),
    ("cryptography", "signs with Ed25519 and RSA: the extra verify"),
    ("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd", "reads zstd: the extra zstd"),
    ("distributed", "runs a fleet on several machines: the extra dask"),
)


def print_versions(_: Options) -> int:
    """Print the version, and which optional parts are there."""
    python = (
        f"{platform.python_implementation()} {platform.python_version()} on {platform.system()} {platform.machine()}"
    )
    rows = [
        (f"binance-leaks {__version__}", python),
        ("compiled module", "active" if compiled is not None else "not built, or switched off: scans are slower"),
        *((name, f"{'there' if _is_installed(name) else 'not installed'}; {use}") for name, use in _PARTS),
    ]
    width = max(len(name) for name, _ in rows) + 2
    sys.stdout.write("".join(f"{name:<{width}}{text}\n" for name, text in rows))
    return 0


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:
        return False
