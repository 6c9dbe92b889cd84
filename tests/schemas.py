"""Checks files against the published schemas of CI systems, which check-jsonschema brings along: no network."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def complaints(schema: str, *files: Path) -> str:
    """What the schema of this name has against the files, nothing where they are right."""
    # The schema of Azure has expressions that are none where they are read as Unicode ones.
    options = ["--builtin-schema", f"vendor.{schema}", "--regex-variant", "nonunicode"]
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", *options, *map(str, files)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return "" if done.returncode == 0 else done.stdout + done.stderr
