"""What to do about a key, by its verdict and by what it can do.

The list for an active key that can lose money is what users of exchange keys are taught to do within ten minutes, in
that order. The most severe finding decides which list comes first; each list says which keys it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType

from binance_leaks.findings import Finding
from binance_leaks.lazy_dataclasses import dataclass, replace
from binance_leaks.model import Environment, Role
from binance_leaks.report.names import UNNAMED
from binance_leaks.risk import Power, power_of, system_of
from binance_leaks.verification import Verdict

_MAX_MASKS = 5
_MAX_REPOSITORIES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing to do."""

    text: str
    verbatim: tuple[str, ...] = ()
    """Lines to copy as they are."""
    about: tuple[str, ...] = ()
    """Masks of the values that it is for."""
    repositories: tuple[str, ...] = ()
    """Repositories of a fleet where to do it; their names are untrusted text."""

    def describe(self, sanitize: Callable[[str], str]) -> str:
        """Return the text with the credentials that it is for in front; `sanitize` is for masks and names."""
        text = self.describe_where(sanitize)
        return f"For {_join_first(self.about, _MAX_MASKS, sanitize)}: {text}" if self.about else text

    def describe_where(self, sanitize: Callable[[str], str]) -> str:
        """Return the text with the repositories in front."""
        if not self.repositories:
            return self.text
        names = [name if name.strip() else UNNAMED for name in self.repositories]
        listed = _join_first(names, _MAX_REPOSITORIES, sanitize, "repositories")
        return f"In {listed}: {self.text[:1].lower()}{self.text[1:]}"


def _join_first(names: Sequence[str], most: int, sanitize: Callable[[str], str], noun: str = "") -> str:
    """Join the first few, and count the others."""
    more = len(names) - most
    if more <= 1:
        return ", ".join(map(sanitize, names))
    return f"{', '.join(map(sanitize, names[:most]))} and {more:,} more{f' {noun}' if noun else ''}"


_SECURE_ACCOUNT = (
    # A key of a master account can create keys of sub-accounts, and take their address lists away.
    Step(
        text="Delete API keys that you did not create, those of sub-accounts too, and restore IP restrictions that are "
        "gone."
    ),
    Step(text="Change the password of the account."),
    Step(text="Reset its two-factor authentication."),
    Step(text="Review the withdrawal whitelist, and remove entries that are not yours."),
    Step(text="Check for trades, orders and withdrawals that you did not make."),
    Step(text="Open a support ticket: say since when the key was readable, and what you found."),
    Step(
        text="If the key belongs to a sub-account, do the same there, and check transfers from and to other accounts."
    ),
)
_EXPECT_PHISHING = Step(
    text="Anyone who had it could see balances, positions and history: expect phishing that uses them. Password and "
    "two-factor authentication can stay, unless they were stored beside it or you see an unknown login."
)
_FIND_SECRET = Step(text="Look for its secret elsewhere, as others will. If you find it, treat the key as active.")
_CHECK_LIVE_KEYS = Step(text="Check that no key of the live exchange is stored the same way.")
_READ_ONLY = frozenset({Power.READ, Power.NOTHING})


class _Case(Enum):
    """What a finding needs, most urgent first."""

    ACTIVE = "active"
    UNDECIDED = "undecided"
    READ_ONLY = "read only"
    UNCHECKED = "unchecked"
    KEY_ONLY = "key only"
    TEST_SYSTEM = "test system"
    UNKNOWN_HERE = "unknown where checked"
    REVOKED = "revoked"


def remedies(findings: Sequence[Finding], *, condition: str = "") -> list[Step]:
    """Return the steps for these findings, for each case among them, most urgent first.

    `condition` says when to revoke, if not always; it ends in a comma and a space.
    """
    made: list[Step] = []
    for case in _Case:
        concerned = [finding for finding in findings if _case_of(finding) is case]
        if concerned:
            first, *more = _STEPS[case](concerned, condition)
            made.append(replace(first, about=tuple(map(_key_mask, concerned))))
            made += [step for step in more if step not in made]
    return made


def is_urgent(findings: Sequence[Finding]) -> bool:
    """Return whether any of them must be revoked, as far as is known."""
    return any(_case_of(finding) is not _Case.REVOKED for finding in findings)


def revoke_step(findings: Sequence[Finding], text: str, systems: Iterable[Environment] = ()) -> Step:
    """Return the step to revoke them, with the site of each system where that is done, and of further `systems`."""
    facts = [each.facts for each in (*map(_environment_of, findings), *systems)]
    pages = dict.fromkeys(each.key_page for each in facts)
    menus = dict.fromkeys(each.key_menu for each in facts)
    menu = f", under {next(iter(menus))}," if len(pages) == 1 and any(menus) else ""
    return Step(text=f"{text}{menu} at", verbatim=tuple(pages))


def _case_of(finding: Finding) -> _Case:
    verification = finding.verification
    if verification is None:
        return _Case.UNCHECKED
    power = power_of(verification)
    if power is not None or verification.verdict is Verdict.KEY_LIVE_SECRET_WRONG:
        if _environment_of(finding).facts.play_money:
            return _Case.TEST_SYSTEM
        if power is None:
            return _Case.KEY_ONLY
        return _Case.READ_ONLY if power in _READ_ONLY else _Case.ACTIVE
    match verification.verdict:
        case Verdict.NOT_FOUND | Verdict.MALFORMED:
            return _Case.REVOKED if verification.is_gone else _Case.UNKNOWN_HERE
        case Verdict.INCONCLUSIVE:
            return _Case.TEST_SYSTEM if _environment_of(finding).facts.play_money else _Case.UNDECIDED
        case _:
            return _Case.UNCHECKED


def _active_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    final = any(_can_withdraw(finding) for finding in findings)
    soon = "immediately, as withdrawals are final" if final else "within ten minutes"
    return [revoke_step(findings, f"{condition}{soon}, disable or delete the key"), *_SECURE_ACCOUNT]


def _undecided_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    return [
        revoke_step(findings, f"its state is unknown, so treat it as active: {condition}disable or delete the key"),
        *_SECURE_ACCOUNT,
        Step(
            text="To find out, look it up in the list where it was created, or verify from an address that it trusts."
        ),
    ]


def _read_only_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    return [revoke_step(findings, f"it cannot move money: {condition}delete the key"), _EXPECT_PHISHING]


def _unchecked_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    text = f"it was not checked: {condition}revoke it, as until then anyone who has seen it can use it. Do this"
    return [revoke_step(findings, text)]


def _key_only_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    known = all(finding.verification is None or finding.verification.cause is None for finding in findings)
    secret = "its secret was not found" if known else "its secret may be here, encrypted or not tried"
    text = f"the key is probably active, {secret}: {condition}delete the key"
    return [revoke_step(findings, text), _FIND_SECRET]


def _test_system_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    names = ", ".join(sorted({_environment_of(finding).facts.title for finding in findings}))
    text = f"it holds no real money ({names}): {condition}delete the key when convenient"
    return [revoke_step(findings, text), _CHECK_LIVE_KEYS]


def _unknown_here_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    named = {system for finding in findings if finding.verification for system in finding.verification.elsewhere or ()}
    systems = [system for system in Environment if system in named]
    others = f" ({', '.join(system.facts.title for system in systems)})" if systems else ""
    text = f"it is not known where it was checked, but may be of another system{others}: {condition}delete the key"
    return [revoke_step(findings, f"{text} where it is listed,", systems)]


def _revoked_steps(findings: Sequence[Finding], condition: str) -> list[Step]:
    """Return the step to remove it in any case; a condition for revoking does not apply."""
    text = "probably revoked, or not a key: still remove it"
    if condition:
        return [Step(text=f"{text}.")]
    return [revoke_step(findings, f"{text}, and check that the list no longer shows it")]


_STEPS: Mapping[_Case, Callable[[Sequence[Finding], str], list[Step]]] = MappingProxyType(
    {
        _Case.ACTIVE: _active_steps,
        _Case.UNDECIDED: _undecided_steps,
        _Case.READ_ONLY: _read_only_steps,
        _Case.UNCHECKED: _unchecked_steps,
        _Case.KEY_ONLY: _key_only_steps,
        _Case.TEST_SYSTEM: _test_system_steps,
        _Case.UNKNOWN_HERE: _unknown_here_steps,
        _Case.REVOKED: _revoked_steps,
    }
)


def _can_withdraw(finding: Finding) -> bool:
    power = power_of(finding.verification) if finding.verification is not None else None
    return power in (Power.WITHDRAW, Power.UNKNOWN)


def _key_mask(finding: Finding) -> str:
    """Return the mask of its API key, else of its first value."""
    value = next((value for value in finding.values if value.role is Role.API_KEY), finding.values[0])
    return value.masked


def _environment_of(finding: Finding) -> Environment:
    return system_of(finding.environment, finding.verification)
