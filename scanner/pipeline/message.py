"""Scan a commit message before the commit."""

from __future__ import annotations

import re
from dataclasses import replace

from scanner.detect import prefilter
from scanner.detect.blocks import without_signatures
from scanner.detect.engine import detect
from scanner.model import COMMIT_MESSAGE, Credential, Exposure

_SCISSORS = re.compile(rb"^.{0,2} ?-+ >8 -+$", re.MULTILINE)


def credentials_in_message(data: bytes) -> tuple[Credential, ...]:
    """The credentials of a message as its editor left it; what stands below git's scissors line is not kept by git.

    Comment lines are scanned: whether git strips them depends on the clean-up mode, and which character begins one on
    the configuration.
    """
    scissors = _SCISSORS.search(data)
    kept = without_signatures(data[: scissors.start()] if scissors else data)
    if not prefilter.may_hold(kept):
        return ()
    return tuple(
        credential.moved(lambda place: replace(place, exposure=Exposure.MESSAGE))
        for credential in detect(kept, path=COMMIT_MESSAGE, evidence_path="")
    )
