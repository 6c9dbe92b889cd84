"""`binance-leaks message`: the commit-msg hook. The message itself, as git will keep it."""

from __future__ import annotations

import time
from pathlib import Path

from scanner.cli.arguments.common import Options
from scanner.cli.online import Online, asking, online
from scanner.cli.output import configured, known_baseline, present, wanted_formats
from scanner.errors import UsageError
from scanner.findings import SourceKind
from scanner.model import COMMIT_MESSAGE
from scanner.pipeline.conclude import conclude
from scanner.pipeline.message import credentials_in_message
from scanner.pipeline.scan import Scan
from scanner.sources.roots import Roots


def run(options: Options) -> int:
    """Scans the message in a file."""
    with online(options) as asker:
        return _run(options, asker)


def _run(options: Options, asker: Online | None) -> int:
    started = time.monotonic()
    formats = wanted_formats(options)
    config = configured(options, Path())
    baseline = known_baseline(options, config, Roots().top("."))
    try:
        data = Path(options.file).read_bytes()
    except OSError as error:
        raise UsageError(f"message {options.file} cannot be read: {error.strerror}") from None
    scan = Scan(
        source=SourceKind.STAGED,
        target=COMMIT_MESSAGE,
        credentials=credentials_in_message(data),
        stats={"messages": 1, "bytes": len(data), "seconds": round(time.monotonic() - started, 3)},
    )
    result = conclude(scan, config=config, surroundings=None, baseline=baseline, verify=asking(asker))
    return present(result, options, formats)
