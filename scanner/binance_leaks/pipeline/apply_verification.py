"""What asking Binance changes about credentials: halves the right way round, and with the partner that signs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from binance_leaks.detect.correlate import credential_of
from binance_leaks.model import Confidence, Credential, Role, Sighting
from binance_leaks.verification import Verdict, Verification

SIGNS = (Verdict.LIVE, Verdict.LIVE_NO_PERMISSION)
KNOWN = (*SIGNS, Verdict.KEY_LIVE_SECRET_WRONG)


@dataclass(frozen=True, kw_only=True, slots=True)
class Verified:
    """Credentials as they turned out to be, and what is known of each, by its id."""

    credentials: tuple[Credential, ...]
    verifications: Mapping[str, Verification]


Verify = Callable[[Sequence[Credential]], Verified]
"""Asks Binance about credentials. Only the command line makes one, and only when it is told to."""


def as_verified(credentials: Sequence[Credential], found: Mapping[str, Verification]) -> Verified:
    """The credentials in the light of what was found out, by their ids.

    A pair that was noted down the wrong way round is turned. A key goes together with the secret that signs for it,
    which then is nobody else's.
    """
    turned = [
        (_turned(credential) if found[credential.id].swapped else credential, found[credential.id])
        for credential in credentials
    ]
    owners = {
        verification.secret: credential.id
        for credential, verification in turned
        if verification.secret is not None and verification.verdict in SIGNS and credential.has_key
    }
    secrets = _sightings_of(owners, [credential for credential, _ in turned])
    kept: dict[str, tuple[Credential, Verification]] = {}
    for credential, verification in turned:
        own = [digest for digest, owner in owners.items() if owner == credential.id]
        settled = _settled(credential, owners, [each for digest in own for each in secrets[digest]])
        if settled is not None:
            kept.setdefault(settled.id, (_surer(settled, verification), verification))
    return Verified(
        credentials=tuple(credential for credential, _ in kept.values()),
        verifications={name: verification for name, (_, verification) in kept.items()},
    )


def _turned(credential: Credential) -> Credential:
    """Key and secret exchanged."""
    other = {Role.API_KEY: Role.SECRET_KEY, Role.SECRET_KEY: Role.API_KEY}
    sightings = [
        sighting.in_role(other.get(sighting.value.role, sighting.value.role)) for sighting in credential.sightings
    ]
    return _made_of(sightings, credential)


def _sightings_of(digests: Mapping[str, str], credentials: Sequence[Credential]) -> dict[str, list[Sighting]]:
    """Where the secrets that sign stand, wherever they were found."""
    found: dict[str, list[Sighting]] = {digest: [] for digest in digests}
    for credential in credentials:
        for sighting in credential.sightings:
            if sighting.value.sha256 in found and sighting not in found[sighting.value.sha256]:
                found[sighting.value.sha256].append(sighting)
    return found


def _settled(credential: Credential, owners: Mapping[str, str], partners: Sequence[Sighting]) -> Credential | None:
    """The credential with the secrets that are its own; None where nothing of it is left."""
    own = [each for each in credential.sightings if owners.get(each.value.sha256, credential.id) == credential.id]
    sightings = [*own, *(partner for partner in partners if partner not in own)]
    if sightings == list(credential.sightings):
        return credential
    return _made_of(sightings, credential) if sightings else None


def _made_of(sightings: Sequence[Sighting], former: Credential) -> Credential:
    """A credential of other sightings, of the same environment and no less sure."""
    made = credential_of(sightings)
    return replace(made, environment=former.environment, confidence=max(made.confidence, former.confidence))


def _surer(credential: Credential, verification: Verification) -> Credential:
    """What Binance knows is Binance's, and of the system that knows it, whatever stands beside it."""
    if verification.verdict not in KNOWN or verification.host is None:
        return credential
    evidence = (f"{verification.host} knows it", *credential.evidence)
    environment = verification.environment or credential.environment
    return replace(credential, confidence=Confidence.HIGH, evidence=evidence, environment=environment)
