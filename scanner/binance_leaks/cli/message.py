"""`binance-leaks message`: the commit-msg hook. The message itself, as git will keep it."""

from __future__ import annotations

import time
from pathlib import Path

from binance_leaks.cli.arguments.common import Options
from binance_leaks.cli.output import configured, known_baseline, present, wanted_formats
from binance_leaks.cli.verify_option import Online, asking, online
from binance_leaks.errors import UsageError
from binance_leaks.exit_status import ExitStatus
from binance_leaks.findings import ScanStats, SourceKind
from binance_leaks.model import COMMIT_MESSAGE
from binance_leaks.pipeline.scan import Scan
from binance_leaks.pipeline.staged import credentials_in_message
from binance_leaks.pipeline.triage import conclude
from binance_leaks.sources.path_roots import PathRoots


def run(options: Options) -> ExitStatus:
    """Scans the message in a file."""
    with online(options) as asker:
        return _run(options, asker)


def _run(options: Options, asker: Online | None) -> ExitStatus:
    started = time.monotonic()
    formats = wanted_formats(options)
    config = configured(options, Path())
    baseline = known_baseline(options, config, PathRoots().top("."))
    try:
        data = Path(options.file).read_bytes()
    except OSError as error:
        raise UsageError(f"message {options.file} cannot be read: {error.strerror}") from None
    scan = Scan(
        source=SourceKind.STAGED,
        target=COMMIT_MESSAGE,
        credentials=credentials_in_message(data),
        stats=ScanStats(messages=1, bytes=len(data), seconds=round(time.monotonic() - started, 3)),
    )
    result = conclude(scan, config=config, nearby=None, baseline=baseline, verify=asking(asker))
    return present(result, options, formats)
