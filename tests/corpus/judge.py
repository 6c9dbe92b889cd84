"""Compares what the detector found in a filled template with what the template says must be found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from binance_leaks.model import Confidence, Credential, Role, Value

from tests.corpus import Expected, Filled


def judge(filled: Filled, found: Iterable[Credential]) -> list[str]:
    """What is wrong, one line each, in the words of the template; empty when all is right."""
    credentials = tuple(found)
    faults = [fault for expected in filled.case.expect for fault in _missing(filled, expected, credentials)]
    faults.extend(_pair_faults(filled, credentials))
    faults.extend(_surplus(filled, credentials))
    return faults


def _holding(credentials: Iterable[Credential], digest: str) -> list[tuple[Credential, Value]]:
    return [(each, value) for each in credentials for value in each.values if value.sha256 == digest]


def _missing(filled: Filled, expected: Expected, credentials: tuple[Credential, ...]) -> Iterator[str]:
    what = f"{expected.value} as {expected.role.value}"
    occurrences = _holding(credentials, filled.digests[expected.value])
    right = [credential for credential, value in occurrences if value.role is expected.role]
    if not right:
        others = sorted({f"{value.role.value} at {each.confidence.value}" for each, value in occurrences})
        yield f"missing {what}" + (f": found as {', '.join(others)}" if others else "")
        return
    best = max(credential.confidence for credential in right)
    if best < filled.case.floor:
        yield f"missing {what}: only {best.value}"
    environment = filled.case.environments.get(expected.value)
    if environment is not None and all(credential.environment is not environment for credential in right):
        seen = sorted({credential.environment.value for credential in right})
        yield f"environment of {expected.value} is {', '.join(seen)}, not {environment.value}"


def _pair_faults(filled: Filled, credentials: tuple[Credential, ...]) -> Iterator[str]:
    names = {filled.digests[expected.value]: expected.value for expected in filled.case.expect}
    together = [
        {names[value.sha256]: value.role for value in credential.values if value.sha256 in names}
        for credential in credentials
    ]
    for key, secret in filled.case.pairs:
        if not any(key in each and secret in each for each in together):
            yield f"not paired: {key} with {secret}"
    for each in together:
        keys = [name for name, role in each.items() if role is Role.API_KEY]
        for key in keys:
            for secret in each.keys() - set(keys):
                if (key, secret) not in filled.case.pairs:
                    yield f"wrongly paired: {key} with {secret}"


def _surplus(filled: Filled, credentials: tuple[Credential, ...]) -> Iterator[str]:
    wanted = {(expected.role, filled.digests[expected.value]) for expected in filled.case.expect}
    names = {digest: name for name, digest in filled.digests.items()}
    for credential in credentials:
        if credential.confidence < Confidence.MEDIUM:
            continue
        for value in credential.values:
            name = names.get(value.sha256, "something else")
            if (value.role, value.sha256) not in wanted and name not in filled.case.tolerated:
                yield f"should not be reported: {name} as {value.role.value} at {credential.confidence.value}"
