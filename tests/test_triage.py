"""What is reported, suppressed, verified and fails: credentials at places that are new, known, allowed or published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from random import Random

import pytest
from binance_leaks.baseline.known import Known, Label
from binance_leaks.config import Allow, Config
from binance_leaks.findings import Finding, SourceKind, SuppressedBy
from binance_leaks.masking import Secret
from binance_leaks.model import Confidence, Credential, Evidence, Grade, Location
from binance_leaks.pipeline.apply_verification import Verified
from binance_leaks.pipeline.run_scan import TriageSettings
from binance_leaks.pipeline.source import Detected, ShowProgress
from binance_leaks.pipeline.triage import credentials_alone, lines_of, triage, weigh
from binance_leaks.sources.nearby_evidence import EvidenceNearFiles
from binance_leaks.verification import Verdict, Verification

from tests.binance.accounts import hmac_account
from tests.repositories import Repository
from tests.verify.credentials import credential, occurrence, value_of

ACCOUNT = hmac_account(Random(20_261_201))
KEY, SECRET = value_of(ACCOUNT, key=True), value_of(ACCOUNT, key=False)


@dataclass(frozen=True, kw_only=True)
class Given:
    """A source of one kind, whose paths are from the top of a repository."""

    kind: SourceKind
    target: str = "."
    anchor: str = "/"

    def read(self, show: ShowProgress | None = None) -> Detected:
        raise NotImplementedError(show)


@dataclass
class Exchange:
    """Verifies nothing, and remembers what it was given."""

    given: list[Credential] = field(default_factory=list)
    reread: int = 0

    def verify(self, credentials: Sequence[Credential]) -> Verified:
        self.given += credentials
        found = {each.id: Verification(verdict=Verdict.INCONCLUSIVE) for each in credentials}
        return Verified(credentials=tuple(credentials), verifications=found)

    def secrets(self) -> Mapping[str, Secret]:
        self.reread += 1
        return {value.sha256: value.secret for value in (KEY, SECRET) if value.secret is not None}


def pair(*places: Location) -> Credential:
    """The key at each of these places, with the secret one line below."""
    found = []
    for place in places:
        for value, line in ((KEY, place.line), (SECRET, place.line + 1)):
            made = occurrence(value, path=place.path, line=line)
            location = replace(made.location, preexisting=place.preexisting, allowed=place.allowed)
            named = place is not NAMELESS
            found.append(replace(made, value=value.without_secret(), location=location, named=named))
    values = tuple(value.without_secret() for value in (KEY, SECRET))
    confidence = Confidence.MEDIUM if all(each.named for each in found) else Confidence.LOW
    return replace(credential(*values, occurrences=found), confidence=confidence)


def at(path: str, *, preexisting: bool = False, allowed: str | None = None) -> Location:
    location = occurrence(KEY, path=path).location
    return replace(location, preexisting=preexisting, allowed=allowed)


NEW, OLD, ALLOWED = at("new.py"), at("old.py", preexisting=True), at("allowed.py", allowed="a test")
NAMELESS = at("nameless.py")


def triaged(
    made: Credential, kind: SourceKind, config: Config, baseline: Known | None = None, anchor: str = "/"
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], int, Exchange]:
    exchange = Exchange()
    detected = Detected(credentials=(made,), reread_secrets=exchange.secrets)
    settings = TriageSettings(config=config, baseline=baseline)
    return (*triage(Given(kind=kind, anchor=anchor), detected, settings, exchange.verify), exchange)


@pytest.mark.parametrize(
    ("kind", "made", "is_verified", "fails"),
    [
        (SourceKind.RANGE, pair(NEW), True, True),
        (SourceKind.RANGE, pair(OLD), False, False),
        (SourceKind.RANGE, pair(NEW, OLD), True, True),
        (SourceKind.RANGE, pair(ALLOWED, OLD), False, False),
        (SourceKind.HISTORY, pair(OLD), True, False),
        (SourceKind.FILES, pair(NEW), True, True),
        (SourceKind.FILES, pair(ALLOWED), False, False),
        (SourceKind.FILES, pair(ALLOWED, NEW), True, True),
        (SourceKind.FILES, pair(NAMELESS), False, False),
    ],
)
def test_what_is_verified_and_what_fails(kind: SourceKind, made: Credential, is_verified: bool, fails: bool) -> None:
    findings, suppressed, left_out, exchange = triaged(made, kind, Config(confidence=Confidence.MEDIUM))
    assert len(findings) + len(suppressed) + left_out == 1
    assert left_out == (made.occurrences[0].location.path == NAMELESS.path)
    assert [each.id for each in exchange.given] == [made.id] * is_verified
    assert exchange.reread == is_verified
    assert all(value.secret is not None for each in exchange.given for value in each.values)
    assert [each.verification is not None for each in findings] == [is_verified] * len(findings)
    assert any(each.fails for each in (*findings, *suppressed)) == fails


def known(**labels: Label) -> Known:
    by_place = {(f"{name}.py", value.sha1): label for name, label in labels.items() for value in (KEY, SECRET)}
    return Known(labels=by_place, root="/")


@pytest.mark.parametrize(
    ("made", "config", "baseline", "by", "reason"),
    [
        (pair(ALLOWED), Config(), None, SuppressedBy.INLINE, "a test"),
        (pair(NEW), Config(allow=(Allow(sha256=(), path="new.py", reason="ours"),)), None, SuppressedBy.CONFIG, "ours"),
        (pair(NEW), Config(), known(new=Label.UNAUDITED), SuppressedBy.BASELINE, Label.UNAUDITED.value),
        (
            pair(NEW, OLD), Config(), known(new=Label.FALSE_ALARM, old=Label.REAL),
            SuppressedBy.BASELINE, Label.REAL.value,
        ),
        (
            pair(OLD, NEW), Config(), known(new=Label.REAL, old=Label.FALSE_ALARM),
            SuppressedBy.BASELINE, Label.REAL.value,
        ),
        (pair(ALLOWED, NEW), Config(), known(new=Label.REAL), SuppressedBy.BASELINE, Label.REAL.value),
        (pair(ALLOWED, NEW), Config(), None, None, None),
        (pair(OLD, NEW), Config(), known(old=Label.FALSE_ALARM), None, None),
    ],
)  # fmt: skip
def test_what_is_suppressed(
    made: Credential, config: Config, baseline: Known | None, by: SuppressedBy | None, reason: str | None
) -> None:
    """Only if all places are, and by the most severe label of a baseline."""
    findings, suppressed, _, _ = triaged(made, SourceKind.HISTORY, config, baseline)
    assert [(each.suppressed.by, each.suppressed.reason) for each in suppressed if each.suppressed is not None] == [
        (by, reason)
    ] * (by is not None)
    assert len(findings) == (by is None)
    assert not any(each.fails for each in suppressed)


@pytest.mark.parametrize("kind", SourceKind)
def test_paths_of_files_count_from_their_folder_and_others_from_the_top(kind: SourceKind) -> None:
    is_on_disk = kind in (SourceKind.FILES, SourceKind.MACHINE)
    for path in ("no such folder/new.py", "new.py"):
        baseline = Known(labels={(path, value.sha1): Label.REAL for value in (KEY, SECRET)}, root="/")
        _, suppressed, _, _ = triaged(pair(NEW), kind, Config(), baseline, anchor="/no such folder")
        assert len(suppressed) == (is_on_disk == (path == "no such folder/new.py"))


@pytest.mark.parametrize("line_end", ["\n", "\r", "\r\n"])
def test_the_first_line_of_each_value(tmp_path: Path, line_end: str) -> None:
    lines = ["# Binance", f"api_key = '{ACCOUNT.key}'", f"api_secret = '{ACCOUNT.secret.decode()}'"]
    file = tmp_path / "bot.py"
    file.write_text(line_end.join([*lines, *lines, ""]), newline="")
    assert lines_of(str(file)) == {KEY.sha1: 2, SECRET.sha1: 3}


@pytest.mark.parametrize("name", ["", "absent.py", "absent\0.py"])
def test_no_lines_of_what_is_no_file(tmp_path: Path, name: str) -> None:
    assert lines_of(f"{tmp_path}/{name}") == {}


def test_no_lines_of_what_cannot_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> bytes:
        raise PermissionError

    (tmp_path / "bot.py").touch()
    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert lines_of(str(tmp_path / "bot.py")) == {}


@pytest.mark.parametrize(
    ("in_work_tree", "current", "name", "is_evidence"),
    [
        (True, "", "binance/bot.py", True),
        (True, "binance", "bot.py", True),
        (False, "", "binance/bot.py", True),
        (False, "binance", "bot.py", False),
        (False, "", "{top}/binance/bot.py", False),
    ],
)
def test_the_path_of_a_file_alone_is_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, in_work_tree: bool, current: str, name: str, is_evidence: bool
) -> None:
    """From the top of the work tree, else as it was named; a home folder may be called anything."""
    (tmp_path / "binance").mkdir()
    if in_work_tree:
        Repository.create(tmp_path)
    monkeypatch.chdir(tmp_path / current)
    data = f"api_key = '{ACCOUNT.key}'\napi_secret = '{ACCOUNT.secret.decode()}'\n".encode()
    (tmp_path / "binance/bot.py").write_bytes(data)
    (found,), skipped = credentials_alone(name.format(top=tmp_path), data, EvidenceNearFiles())
    grades = {evidence.grade for occurrence in found.occurrences for evidence in occurrence.evidence}
    assert (Grade.PATH in grades, skipped) == (is_evidence, [])


class Nearby:
    """Evidence beside some files."""

    def __init__(self, grades: Mapping[str, Grade]) -> None:
        self._grades = grades

    def evidence_near(self, path: str) -> Evidence | None:
        grade = self._grades.get(path)
        return Evidence(grade=grade, text=f"beside {path}") if grade is not None else None


def test_evidence_near_a_file_counts_where_a_credential_has_none() -> None:
    """The strongest of several; what is in the file itself is enough."""
    made = pair(at("a.py"), at("b.py"), at("c.py"))
    nearby = Nearby({"a.py": Grade.REPOSITORY, "b.py": Grade.SIBLING, "c.py": Grade.REPOSITORY})
    assert [each.evidence for each in weigh([made], nearby)] == [("beside b.py",)]
    assert [each.evidence for each in weigh([made], Nearby({}))] == [()]
    own = Evidence(grade=Grade.FILE, text="its own")
    certain = replace(made, occurrences=tuple(replace(each, evidence=(own,)) for each in made.occurrences))
    assert "beside b.py" not in weigh([certain], nearby)[0].evidence
