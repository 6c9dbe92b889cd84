"""Compares a report with the golden file of its name; UPDATE_GOLDEN=1 in the environment writes the file anew."""

from __future__ import annotations

import os
from pathlib import Path

GOLDEN = Path(__file__).parent / "golden"


def assert_golden(name: str, text: str) -> None:
    """Fail unless the golden file `name` holds exactly this text."""
    golden = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        golden.write_bytes(text.encode())
    assert text == golden.read_text(encoding="utf-8")
