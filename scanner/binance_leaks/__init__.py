"""Find, pair and rate Binance API credentials in files, commits and repositories.

The names of the library are imported from `binance_leaks.api` on first use: the hook imports this package on every
commit, and needs none of them.
"""

__version__ = "0.1.0"

__all__ = [
    "FORMAT_NAMES",
    "Allow",
    "Commit",
    "Confidence",
    "Config",
    "ConfigError",
    "Environment",
    "Exposure",
    "FailOn",
    "Finding",
    "GitError",
    "Kind",
    "Location",
    "MissingHistoryError",
    "Result",
    "Risk",
    "RiskLevel",
    "Role",
    "ScanError",
    "ScanStats",
    "ScannerError",
    "Skipped",
    "SourceKind",
    "SuppressedBy",
    "Suppression",
    "UsageError",
    "Value",
    "find_config",
    "load_config",
    "render",
    "scan_bytes",
    "scan_history",
    "scan_paths",
    "scan_range",
]

TYPE_CHECKING = False  # as typing has it, without importing typing: start-up time of the hook
if TYPE_CHECKING:
    from binance_leaks.api import *  # noqa: F403 - exactly the names above, which `api` exports
else:

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from binance_leaks import api  # start-up: only for users of the library

        return getattr(api, name)
