"""Pair lone keys with lone secrets across files, as `.env` with `settings.py`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from binance_leaks.detect import rules
from binance_leaks.detect.credentials import credential_of, merge_credentials
from binance_leaks.detect.pairing import same_world, stems_conflict
from binance_leaks.model import Credential, Occurrence, Role, is_in

_FAR, _NEAR = 6, 0
"""Most steps between folders, for halves that both have evidence for Binance and for others."""


def pair_across_files(credentials: Iterable[Credential]) -> tuple[Credential, ...]:
    """Merge the credentials and pair lone keys with lone secrets of other files.

    A lone key and a lone secret belong together if each is the other's best partner and no second one is as good:
    names of the same account first, then the nearest folder. Where that is not clear they are not paired.
    """
    credentials = merge_credentials(credentials)
    keys = [credential for credential in credentials if _is_lone(credential, key=True)]
    secrets = [credential for credential in credentials if _is_lone(credential, key=False)]
    if not keys or not secrets or len(keys) * len(secrets) > 1_000_000:
        return credentials
    best_of_keys = {key.id: _best(key, secrets) for key in keys}
    best_of_secrets = {secret.id: _best(secret, keys) for secret in secrets}
    joined: dict[str, Credential] = {}
    for key in keys:
        secret = best_of_keys[key.id]
        if secret is None or best_of_secrets[secret.id] is not key:
            continue
        pair = credential_of((*key.occurrences, *secret.occurrences))
        joined[key.id] = joined[secret.id] = pair
    result = {
        (joined.get(credential.id) or credential).id: joined.get(credential.id) or credential
        for credential in credentials
    }
    return tuple(result.values())


def _is_lone(credential: Credential, *, key: bool) -> bool:
    if (
        len(credential.values) != 1
        or (credential.values[0].role is Role.API_KEY) is not key
        or credential.known_example
        or any(occurrence.encrypted for occurrence in credential.occurrences)
    ):
        return False
    if not key and credential.values[0].role is Role.PRIVATE_KEY:
        return any(evidence.for_binance for occurrence in credential.occurrences for evidence in occurrence.evidence)
    return any(
        (occurrence.named or occurrence.in_path) and not occurrence.foreign for occurrence in credential.occurrences
    )


def _best(credential: Credential, others: Sequence[Credential]) -> Credential | None:
    """Return the best partner, None if there is none or two are as good."""
    ranked = sorted(
        ((cost, index) for index, other in enumerate(others) if (cost := _distance(credential, other)) is not None),
    )
    if not ranked or (len(ranked) > 1 and ranked[0][0] == ranked[1][0]):
        return None
    return others[ranked[0][1]]


def _distance(one: Credential, other: Credential) -> tuple[int, int] | None:
    """Return how badly two lone halves fit, by account names and then by folders between; None for not at all."""
    best: tuple[int, int] | None = None
    for first in one.occurrences[:8]:
        for second in other.occurrences[:8]:
            cost = _occurrence_distance(first, second)
            if cost is not None and (best is None or cost < best):
                best = cost
    return best


def _occurrence_distance(first: Occurrence, second: Occurrence) -> tuple[int, int] | None:
    if first.rule != second.rule and not {first.rule, second.rule} <= rules.OF_ONE_ACCOUNT:
        return None
    if stems_conflict(first.stem, second.stem) or not same_world(first.environment, second.environment):
        return None
    if first.in_path or second.in_path:
        if _is_name_of(first, second) or _is_name_of(second, first):
            return -1, 0
        if not (first.named and second.named):
            return None
    have_evidence = all(any(evidence.for_binance for evidence in occurrence.evidence) for occurrence in (first, second))
    folders = _folders_between(first.location.path, second.location.path)
    if folders > (_FAR if have_evidence else _NEAR):
        return None
    return (0 if first.stem == second.stem else 1), folders


def _is_name_of(name: Occurrence, other: Occurrence) -> bool:
    """Whether a value is in the name of the file, folder or archive that holds another."""
    return name.in_path and is_in(other.location.path, name.location.path)


def _folders_between(one: str, other: str) -> int:
    """Count the steps from folder to folder; 0 for files side by side."""
    first, second = one.split("/")[:-1], other.split("/")[:-1]
    common = 0
    for left, right in zip(first, second, strict=False):
        if left != right:
            break
        common += 1
    return len(first) + len(second) - 2 * common
