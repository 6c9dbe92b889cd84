"""Amending `.pre-commit-config.yaml`: what was there stays to the byte, and the result says that and our hooks."""

from __future__ import annotations

import codecs
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from binance_leaks.setup.package_source import PackageSource
from binance_leaks.setup.plan import Keep, Refuse, Write
from binance_leaks.setup.pre_commit import (
    HOOKS,
    INSTALLED,
    LAUNCHER,
    configured_source,
    new_configuration,
    plan_pre_commit,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

TOP = Path(__file__).resolve().parents[2]
ORIGIN = PackageSource(url="https://git.example/tools/binance-leaks", rev="v1.2.0")
ISOLATED = "python -I -m binance_leaks"
FAST = 'python -I -c "from binance_leaks.cli import main; raise SystemExit(main())"'
TYPES = "default_install_hook_types"


def manifest() -> dict[str, dict[str, object]]:
    """The hooks that this project offers, by id."""
    hooks = yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text("utf-8"))
    return {hook["id"]: hook for hook in hooks}


def ours(source: PackageSource | None) -> dict[str, object]:
    """The entry that is to be added, from the manifest."""
    ids = [hook.id for hook in HOOKS]
    if source is not None:
        return {"repo": source.url, "rev": source.rev, "hooks": [{"id": name} for name in ids]}
    hooks = []
    for name in ids:
        hook = dict(manifest()[name])
        args = hook.pop("args", [])
        assert isinstance(args, list)
        words = [str(hook["entry"]).replace(ISOLATED, LAUNCHER).replace(FAST, LAUNCHER), *map(str, args)]
        hook |= {"entry": " ".join(words), "language": "system"}
        del hook["description"], hook["minimum_pre_commit_version"]
        hooks.append(hook)
    return {"repo": "local", "hooks": hooks}


def amended(old: bytes, source: PackageSource | None = ORIGIN) -> bytes:
    """The amended file; it must be amended, hold every old line in its order, and be complete when asked again."""
    plan = plan_pre_commit(old, source)
    assert isinstance(plan, Write), plan
    assert isinstance(plan_pre_commit(plan.new, source), Keep)
    assert_kept(old, plan.new)
    return plan.new


def assert_kept(old: bytes, new: bytes) -> None:
    """All lines of `old` are in `new`, in order and to the byte; only the end of the last may be added."""
    rest = iter(new.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True))
    for line in old.removeprefix(codecs.BOM_UTF8).splitlines(keepends=True):
        wanted = {line} if line.endswith(b"\n") else {line, line + b"\n", line + b"\r\n"}
        assert any(candidate in wanted for candidate in rest), line


def load(data: bytes) -> dict[str, object]:
    config = yaml.safe_load(data.decode("utf-8-sig")) or {}
    assert isinstance(config, dict)
    return config


def with_ours(old: bytes, source: PackageSource | None = ORIGIN) -> dict[str, object]:
    """What the file says, and our entry last."""
    config = load(old)
    repos = config.get("repos") or []
    assert isinstance(repos, list)
    return {TYPES: list(INSTALLED), **config, "repos": [*repos, ours(source)]}


@dataclass(frozen=True, kw_only=True)
class Shape:
    """A way in which people lay out the file."""

    repos: int
    item: int
    hooks: int
    apart: bool
    start: bool
    before: str
    after: str
    last: str
    comment: str
    newline: str
    bom: bool
    ended: bool

    def file(self) -> bytes:
        lines = ["---"] if self.start else []
        lines += self.before.splitlines()
        lines.append(f"repos:{self.comment}")
        first = ["repo: 'https://git.example/a'  # first", 'rev: "v1"', "hooks:", *self._hooks(["id: black"])]
        second = ["repo: https://git.example/b", "rev: 1.0.0", "hooks:", *self._hooks(self.last.splitlines())]
        lines += self._items(first)
        lines += ["", f"{' ' * self.repos}# of b"] if self.apart else []
        lines += self._items(second)
        lines += self.after.splitlines()
        text = self.newline.join(lines) + (self.newline if self.ended else "")
        return (codecs.BOM_UTF8 if self.bom else b"") + text.encode("utf-8")

    def _hooks(self, lines: list[str]) -> list[str]:
        first, *others = lines
        dash = " " * self.hooks + "-".ljust(self.item)
        return [dash + first, *(" " * (self.hooks + self.item) + line if line else "" for line in others)]

    def _items(self, lines: list[str]) -> list[str]:
        first, *others = lines
        return [
            " " * self.repos + "-".ljust(self.item) + first,
            *(" " * (self.repos + self.item) + line if line else "" for line in others),
        ]


shapes = st.builds(
    Shape,
    repos=st.sampled_from([0, 1, 2, 4]),
    item=st.sampled_from([2, 3, 4]),
    hooks=st.sampled_from([0, 2, 4]),
    apart=st.booleans(),
    start=st.booleans(),
    before=st.sampled_from(
        ["", "# top", "fail_fast: true\n\n# the hooks", "exclude: >\n  a|\n  b\n", f"{TYPES}: [pre-commit]"]
    ),
    after=st.sampled_from(
        ["", "# the end", "\n\n", "ci:\n  skip: [a]", "\n# of ci\nci: {autofix_prs: false}", "    # deep", "  # two"]
    ),
    last=st.sampled_from(
        [
            "id: mypy",
            "id: mypy  # types",
            "id: mypy\nargs: [--strict,\n  --pretty]",
            "id: mypy\nargs:\n- --strict\n- '#x'",
            "id: mypy\nexclude: |\n  ^a\n  ^b",
            "id: mypy\nname: \"a \\\n  b\"",
            "id: mypy\n# - id: old\n",
            "id: mypy\nadditional_dependencies:\n  - 'a'\n  # - 'b'",
            "id: mypy\nname: ключ 🔑",
        ]
    ),
    comment=st.sampled_from(["", "  # all of them", " "]),
    newline=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
    ended=st.booleans(),
)  # fmt: skip


@settings(max_examples=60)
@given(shape=shapes, remote=st.booleans())
def test_every_layout(shape: Shape, remote: bool) -> None:
    # A block of text that nothing ends, not even its line, would get an end: such a file is left alone.
    assume(shape.ended or shape.after.strip() or "|" not in shape.last)
    source = ORIGIN if remote else None
    old = shape.file()
    new = amended(old, source)
    wanted = with_ours(old, source)
    if TYPES in load(old):
        wanted[TYPES] = load(old)[TYPES]
    assert load(new) == wanted
    assert new.startswith(codecs.BOM_UTF8) == shape.bom
    assert new.count(b"\n") == new.count(b"\r\n") or shape.newline == "\n"
    assert b"\r" not in new or shape.newline == "\r\n"
    mine = "repo: " + (source.url if source else "local")
    assert any(line == " " * shape.repos + "-".ljust(shape.item) + mine for line in new.decode().splitlines())


@pytest.mark.parametrize("source", [ORIGIN, None])
@pytest.mark.parametrize(
    "old",
    [
        b"",
        b"\n\n",
        b"# nothing yet",
        b"---\n",
        b"repos: []",
        b"repos: []  # none yet\n",
        b"repos:  [ ]  # none yet\nci: {}\n",
        b"repos:\n",
        b"repos:  # none yet\n",
        b"repos:",
        b"fail_fast: true",
        b"fail_fast: true\n# end\n",
        b"'repos': []\n",
        b'"repos":\n- {repo: local, hooks: []}\n',
        b"repos:\n- repo: meta\n  hooks: [{id: identity}, {id: check-hooks-apply}]\n",
        b"repos:\n- hooks:\n  - id: a\n  rev: v1  # last\n  repo: b\n",
        b"repos:\n  -\n    repo: b\n    rev: v1\n    hooks:\n      -\n        id: a\n",
        b"repos: # one\r\n- repo: meta\r\n  hooks:\r\n  - id: identity",
        b"  repos:\n  - repo: meta\n    hooks:\n    - id: identity\n",
    ],
)
def test_bare_and_odd_files(old: bytes, source: PackageSource | None) -> None:
    plan = plan_pre_commit(old, source)
    assert isinstance(plan, Write), plan
    assert load(plan.new) == with_ours(old, source)
    assert isinstance(plan_pre_commit(plan.new, source), Keep)
    if b"[" not in old:
        assert_kept(old, plan.new)


def test_empty_brackets_go_and_their_comment_stays() -> None:
    plan = plan_pre_commit(b"repos: []  # none yet\nci: {}\n", ORIGIN)
    assert isinstance(plan, Write)
    lines = plan.new.decode().splitlines()
    assert lines[1] == "repos:   # none yet"
    assert lines[2] == f"  - repo: {ORIGIN.url}"
    assert lines[-1] == "ci: {}"


@pytest.mark.parametrize(
    ("old", "why"),
    [
        (b"repos:\n\t- repo: local\n", "not valid YAML"),
        (b"repos: [\n", "not valid YAML"),
        (b"repos: []\nrepos: []\n", "key repos twice"),
        (b"ci: {}\nrepos: []\nci: {}\n", "key ci twice"),
        (b"repos: []\n---\nrepos: []\n", "several YAML documents"),
        (b"exclude: &x a\nrepos: []\nfiles: *x\n", "anchors"),
        (b"repos:\n- &a {repo: meta, hooks: []}\n- *a\n", "anchors"),
        (b"{repos: []}\n", "top level"),
        (b"- repo: local\n  hooks: []\n", "top level"),
        (b"text\n", "top level"),
        (b"repos: {}\n", "not a list"),
        (b"repos: null\n", "not a list"),
        (b"repos: text\n", "not a list"),
        (b"repos: [{repo: meta, hooks: []}]\n", "in brackets"),
        (b"repos: [\n  # none\n]\n", "in brackets"),
        (b"repos:\n- text\n", "not understand"),
        (b"repos:\n- repo: local\n  hooks: [{id: binance-leaks}]\n", "in brackets"),
        (b"repos: []\n...\nfail_fast: true\n", "YAML"),
        (b"fail_fast: true\n...\n", "unusual"),
        (b"repos: []\rci: {}\r", "old Macs"),
        ("repos: []  # é\n".encode("latin-1"), "UTF-8"),
        ("repos: []\n".encode("utf-16"), "UTF-8"),
        (b"repos: [] # \x00\n", "forbids"),
        (b"x: !!python/object/apply:os.getcwd []\nrepos: []\n", "not understand"),
        (b"x: 2024-13-45\nrepos: []\n", "not understand"),
        (b"? [a]\n: b\nrepos: []\n", "not understand"),
        (b"repos: " + b"[" * 5000, "YAML|nested"),
        (b"repos:\n- repo: meta\n  hooks:\n  - id: identity\n    exclude: |\n      ^a", "unusual"),
    ],
)  # fmt: skip
def test_what_is_left_alone(old: bytes, why: str) -> None:
    plan = plan_pre_commit(old, ORIGIN)
    assert isinstance(plan, Refuse), plan
    assert any(word in plan.why for word in why.split("|")), plan.why
    assert yaml.safe_load(plan.by_hand)["repos"] == [ours(ORIGIN)]


def test_hooks_that_are_there_stay() -> None:
    old = (
        b"repos:\n"
        b"-   repo: https://git.example/fork/binance-leaks\n"
        b"    rev: v0.9\n"
        b"    hooks:\n"
        b"    -   id: binance-leaks\n"
        b"        args: [--confidence, low, '--']\n"
        b"    rest: 1\n"
        b"-   repo: meta\n"
        b"    hooks:\n"
        b"    -   id: identity\n"
    )
    new = amended(old)
    repos = load(new)["repos"]
    assert isinstance(repos, list)
    assert [hook["id"] for hook in repos[0]["hooks"]] == [hook.id for hook in HOOKS]
    assert repos[0]["hooks"][1] == {"id": "binance-leaks-message"}
    assert repos[0]["rev"] == "v0.9"
    assert repos[1:] == yaml.safe_load(old)["repos"][1:]
    assert b"    -   id: binance-leaks-message\n    -   id: binance-leaks-push\n    rest: 1\n" in new


@pytest.mark.parametrize("program", ["binance-leaks", "venv/bin/binance-leaks", ISOLATED, FAST, LAUNCHER])
def test_local_hooks_by_another_name_are_known(program: str) -> None:
    hook = f"{{id: secrets, name: s, entry: '{program} staged -q --', language: system}}"
    old = f"repos:\n- repo: local\n  hooks:\n  - {hook}\n".encode()
    repos = load(amended(old, None))["repos"]
    assert isinstance(repos, list)
    assert len(repos) == 1
    assert [hook["id"] for hook in repos[0]["hooks"]] == ["secrets", "binance-leaks-message", "binance-leaks-push"]
    wanted = ours(None)["hooks"]
    assert isinstance(wanted, list)
    assert repos[0]["hooks"][1:] == wanted[1:]


def test_kinds_to_install_are_the_users() -> None:
    old = f"{TYPES}: [pre-commit, pre-push]\nrepos: []\n".encode()
    plan = plan_pre_commit(old, ORIGIN)
    assert isinstance(plan, Write)
    assert load(plan.new)[TYPES] == ["pre-commit", "pre-push"]
    assert any("lacks commit-msg" in note and "--hook-type commit-msg" in note for note in plan.notes)


def test_hooks_without_stages_are_reported() -> None:
    old = b"repos:\n- repo: meta\n  hooks:\n  - id: identity\n"
    plan = plan_pre_commit(old, ORIGIN)
    assert isinstance(plan, Write)
    assert any("default_stages" in note for note in plan.notes)
    plan = plan_pre_commit(b"default_stages: [pre-commit]\n" + old, ORIGIN)
    assert isinstance(plan, Write)
    assert not plan.notes


@pytest.mark.parametrize("rev", ["v1", "1.0", "007", "1e3", "yes", "null", "0123456789abcdef0123456789abcdef01234567"])
def test_revisions_stay_text(rev: str) -> None:
    plan = plan_pre_commit(None, PackageSource(url="../a b: 'c'", rev=rev))
    assert isinstance(plan, Write)
    repos = load(plan.new)["repos"]
    assert isinstance(repos, list)
    assert repos[0]["rev"] == rev
    assert repos[0]["repo"] == "../a b: 'c'"


def test_pre_commit_takes_them_all(tmp_path: Path) -> None:
    olds: list[bytes | None] = [
        None,
        b"repos: []\n",
        b"repos:\n- repo: meta\n  hooks:\n  - id: identity\n\n- repo: meta\n  hooks:\n  - id: identity\n",
        b"ci:\n  skip: [binance-leaks]\n",
    ]
    for number, old in enumerate(olds):
        for source in (None, ORIGIN):
            plan = plan_pre_commit(old, source)
            assert isinstance(plan, Write)
            (tmp_path / f"{number}-{source is None}.yaml").write_bytes(plan.new)
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", *map(str, tmp_path.iterdir())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (tmp_path / "bad.yaml").write_text("repos: [{repo: 1}]\n", "utf-8")
    bad = [sys.executable, "-m", "pre_commit", "validate-config", str(tmp_path / "bad.yaml")]
    assert subprocess.run(bad, capture_output=True, timeout=60, check=False).returncode != 0


def test_hooks_are_those_of_the_manifest() -> None:
    offered = manifest()
    assert [hook.id for hook in HOOKS] == ["binance-leaks", "binance-leaks-message", "binance-leaks-push"]
    for hook in HOOKS:
        assert hook.id in offered
        local = yaml.safe_load("\n".join(hook.lines(local=True)))
        wanted = dict(offered[hook.id])
        args = wanted.pop("args", [])
        assert isinstance(args, list)
        entry = str(wanted.pop("entry"))
        started = FAST if hook.id == "binance-leaks" else ISOLATED
        assert entry.startswith(f"{started} ")
        assert shlex.split(local.pop("entry")) == [*shlex.split(entry.replace(started, LAUNCHER)), *args]
        assert local.pop("language") == "system"
        for name in ("language", "description", "minimum_pre_commit_version"):
            del wanted[name]
        assert local == wanted


HEAD = "# ours\nrepos:\n  - repo: https://git.example/other\n    rev: v1\n    hooks:\n      - id: black  # fast\n"
FORMER = PackageSource(url="https://git.example/former", rev="v0")


def updated(old: bytes, source: PackageSource | None) -> bytes:
    """The new content of a configuration whose lines of ours change."""
    plan = plan_pre_commit(old, source)
    assert isinstance(plan, Write), plan
    return plan.new


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("before", [None, FORMER])
def test_what_it_wrote_is_brought_up_to_date(before: PackageSource | None, newline: str) -> None:
    first = amended(HEAD.replace("\n", newline).encode(), before)
    second = updated(first, ORIGIN)
    assert second == amended(HEAD.replace("\n", newline).encode(), ORIGIN)
    for source in (ORIGIN, None):
        assert isinstance(plan_pre_commit(second, source), Keep)
    assert configured_source(second) == ORIGIN
    assert isinstance(plan_pre_commit(first, before), Keep)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: Binance credentials\n", "name: mine\n"),
        ("always_run: true\n", "always_run: true  # why\n"),
        ("language: system\n", "language: system\n        verbose: true\n"),
    ],
)
def test_what_was_edited_stays(old: str, new: str) -> None:
    edited = amended(HEAD.encode(), None).decode().replace(old, new, 1).encode()
    for source in (ORIGIN, None):
        assert isinstance(plan_pre_commit(edited, source), Keep)


def test_a_local_entry_tells_teammates_how_to_get_the_program() -> None:
    with_comment = amended(HEAD.encode(), None).decode()
    assert with_comment.count("# Everyone who commits needs binance-leaks in the PATH: pipx install") == 1
    lines = [line for line in with_comment.splitlines(keepends=True) if "Everyone who commits" not in line]
    assert amended("".join(lines).encode(), None).decode() == with_comment
    elsewhere = with_comment.replace("pipx install", "uv tool install")
    assert isinstance(plan_pre_commit(elsewhere.encode(), None), Keep)


def test_the_revision_of_an_edited_entry_follows() -> None:
    old = "repos:\n- repo: https://git.example/x\n  rev: 'v0'  # old\n  hooks:\n"
    old += "".join(f"  - id: {hook.id}\n    verbose: true\n" for hook in HOOKS)
    old = f"default_install_hook_types: [pre-commit, commit-msg, pre-push]\n{old}"
    newer = PackageSource(url="https://git.example/x", rev="v1")
    assert updated(old.encode(), newer).decode() == old.replace("'v0'", "v1")
    assert isinstance(plan_pre_commit(old.encode(), ORIGIN), Keep)


@pytest.mark.parametrize("content", ["", "repos: [", "repos: []\n", HEAD, "\n".join(new_configuration(None))])
def test_configurations_without_a_source(content: str) -> None:
    assert configured_source(content.encode()) is None
