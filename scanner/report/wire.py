"""Writes JSON as all formats do that are JSON: indented, in ASCII, and inert in the log of a CI system."""

from __future__ import annotations

import json
from collections.abc import Mapping


def as_json(report: Mapping[str, object]) -> str:
    """The text of a report, the same on every console and code page.

    Azure Pipelines and GitHub Actions obey `##vso[…]` and `##[…]` anywhere in a line. Two number signs can only stand
    in a string, where the second is written as an escape, which changes nothing for a reader of JSON.
    """
    text = json.dumps(report, indent=2, ensure_ascii=True, allow_nan=False)
    return text.replace("##", "#\\u0023") + "\n"
