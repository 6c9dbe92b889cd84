"""What to do about credentials that Binance was asked about, by verdict and by what they may do.

The list for a live key that can lose money is what users of exchange keys are taught to do within ten minutes, in that
order. The gravest of several findings decides which list comes first; each list says which keys it is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from types import MappingProxyType

from binance_leaks.findings import Finding
from binance_leaks.model import Environment, Role
from binance_leaks.report.names import UNNAMED
from binance_leaks.risk import Power, power_of, system_of
from binance_leaks.verification import Verdict

_MOST_ABOUT = 5
_MOST_REPOSITORIES = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One thing to do. `verbatim` are lines to copy as they are, `about` the masks of the values that it is for.

    `repositories` are those of a fleet where it is to be done, their names as strangers wrote them.
    """

    text: str
    verbatim: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    repositories: tuple[str, ...] = ()

    def told(self, shown: Callable[[str], str]) -> str:
        """The text, with what it is for in front; `shown` makes a mask or a name fit to be shown, values masked."""
        text = self.placed(shown)
        return f"For {_listed(self.about, _MOST_ABOUT, shown)}: {text}" if self.about else text

    def placed(self, shown: Callable[[str], str]) -> str:
        """The text with the repositories in front."""
        if not self.repositories:
            return self.text
        names = [name if name.strip() else UNNAMED for name in self.repositories]
        listed = _listed(names, _MOST_REPOSITORIES, shown, "repositories")
        return f"In {listed}: {self.text[:1].lower()}{self.text[1:]}"


def _listed(names: Sequence[str], most: int, shown: Callable[[str], str], noun: str = "") -> str:
    """The first few, and how many more there are."""
    more = len(names) - most
    if more <= 1:
        return ", ".join(map(shown, names))
    return f"{', '.join(map(shown, names[:most]))} and {more:,} more{f' {noun}' if noun else ''}"


_ACCOUNT = (
    Step(text="Change the password of the account."),
    Step(text="Reset its two-factor authentication."),
    Step(text="Review the withdrawal whitelist, and clear what is not yours."),
    Step(text="Look for trades, orders and withdrawals that you did not make."),
    Step(text="Open a support ticket: since when the key could be read, and what you saw."),
    Step(
        text="A sub-account has keys of its own. If it was one of those, not the whole account is open: do the same "
        "there, and look at transfers from and to the others."
    ),
)
_SEEN = Step(
    text="Whoever had it saw balances, positions and history: expect phishing that knows them. Password and two-factor "
    "authentication can stay, unless they stood beside it or you see a login that you do not know."
)
_OTHER_HALF = Step(text="Look for its secret elsewhere, as others will. If you find it, do as for a live key.")
_SAME_WAY = Step(text="See that no key of the live exchange is kept the same way.")
_READING = frozenset({Power.READ, Power.NOTHING})


class _Case(Enum):
    """What is to be done about a finding, in the order of urgency."""

    ALIVE = "alive"
    UNDECIDED = "undecided"
    READING = "reading"
    UNASKED = "unasked"
    HALF = "half"
    PLAYING = "playing"
    GONE = "gone"


def remedies(findings: Sequence[Finding], *, condition: str = "") -> list[Step]:
    """The steps for these findings, for each case that occurs among them, the most urgent first.

    `condition` says when, if not in any case: words that end in a comma and a blank.
    """
    made: list[Step] = []
    for case in _Case:
        concerned = [finding for finding in findings if _case_of(finding) is case]
        if concerned:
            first, *more = _STEPS[case](concerned, condition)
            made.append(replace(first, about=tuple(map(_mask, concerned))))
            made += [step for step in more if step not in made]
    return made


def is_urgent(findings: Sequence[Finding]) -> bool:
    """Whether any of them must be revoked, as far as is known."""
    return any(_case_of(finding) is not _Case.GONE for finding in findings)


def revoke(findings: Sequence[Finding], text: str) -> Step:
    """To revoke them, on the page of Binance for it if any is made there."""
    pages = dict.fromkeys(page for finding in findings if (page := _system(finding).facts.key_page) is not None)
    if pages:
        return Step(text=f"{text} at", verbatim=tuple(pages))
    return Step(text=f"{text} on the site that issued it.")


def _case_of(finding: Finding) -> _Case:
    verification = finding.verification
    if verification is None:
        return _Case.UNASKED
    power = power_of(verification)
    if power is not None or verification.verdict is Verdict.KEY_LIVE_SECRET_WRONG:
        if _system(finding).facts.play_money:
            return _Case.PLAYING
        if power is None:
            return _Case.HALF
        return _Case.READING if power in _READING else _Case.ALIVE
    match verification.verdict:
        case Verdict.NOT_FOUND | Verdict.MALFORMED:
            return _Case.GONE
        case Verdict.INCONCLUSIVE:
            return _Case.PLAYING if _system(finding).facts.play_money else _Case.UNDECIDED
        case _:
            return _Case.UNASKED


def _alive(findings: Sequence[Finding], condition: str) -> list[Step]:
    final = any(_may_withdraw(finding) for finding in findings)
    soon = "at once, as a withdrawal is final" if final else "within ten minutes"
    return [revoke(findings, f"{condition}{soon}, disable or delete the key"), *_ACCOUNT]


def _undecided(findings: Sequence[Finding], condition: str) -> list[Step]:
    return [
        revoke(findings, f"nobody could tell, so treat it as alive: {condition}disable or delete the key"),
        *_ACCOUNT,
        Step(text="To know more, look where it was made whether it is listed, or ask from an address that it trusts."),
    ]


def _reading(findings: Sequence[Finding], condition: str) -> list[Step]:
    return [revoke(findings, f"it cannot move money: {condition}delete the key"), _SEEN]


def _unasked(findings: Sequence[Finding], condition: str) -> list[Step]:
    text = f"nobody knows whether it is alive: {condition}revoke it, as until then it works for whoever has it. Do that"
    return [revoke(findings, text)]


def _half(findings: Sequence[Finding], condition: str) -> list[Step]:
    text = f"the key is probably alive, its secret was not found: {condition}delete the key"
    return [revoke(findings, text), _OTHER_HALF]


def _playing(findings: Sequence[Finding], condition: str) -> list[Step]:
    names = ", ".join(sorted({_system(finding).facts.title for finding in findings}))
    text = f"no money is real there ({names}): {condition}delete the key on that site when you get to it."
    return [Step(text=text), _SAME_WAY]


def _gone(findings: Sequence[Finding], condition: str) -> list[Step]:
    """To remove it, in any case: a condition for revoking is none here."""
    text = "probably revoked, or no key: still remove it"
    if condition:
        return [Step(text=f"{text}.")]
    return [revoke(findings, f"{text}, and check that it is really gone from the list")]


_STEPS: Mapping[_Case, Callable[[Sequence[Finding], str], list[Step]]] = MappingProxyType(
    {
        _Case.ALIVE: _alive,
        _Case.UNDECIDED: _undecided,
        _Case.READING: _reading,
        _Case.UNASKED: _unasked,
        _Case.HALF: _half,
        _Case.PLAYING: _playing,
        _Case.GONE: _gone,
    }
)


def _may_withdraw(finding: Finding) -> bool:
    power = power_of(finding.verification) if finding.verification is not None else None
    return power in (Power.WITHDRAW, Power.UNKNOWN)


def _mask(finding: Finding) -> str:
    """The mask of its key, else of what there is."""
    value = next((value for value in finding.values if value.role is Role.API_KEY), finding.values[0])
    return value.masked


def _system(finding: Finding) -> Environment:
    return system_of(finding.environment, finding.verification)
