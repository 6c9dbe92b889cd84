"""Add our hooks to `.pre-commit-config.yaml`, and leave everything else as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from pathlib import PurePath

import yaml

from binance_leaks.errors import UsageError
from binance_leaks.lazy_dataclasses import dataclass
from binance_leaks.setup.package_source import PackageSource, installed_source, quoted
from binance_leaks.setup.plan import Keep, Plan, Refuse, Write
from binance_leaks.setup.yaml_edit import Edit, UnsafeEditError, YamlFile, is_empty, refuse_anchors

LAUNCHER = "env -u PYTHONPATH -u PYTHONHOME -u PYTHONUSERBASE -u PYTHONPYCACHEPREFIX binance-leaks"
"""Starts the program from PATH, however it is installed, without the variables that make Python import elsewhere."""

INSTALLED = ("pre-commit", "commit-msg", "pre-push")
"""The git hooks that ours run in."""

_CALL = '"from binance_leaks.cli import main; raise SystemExit(main())"'
"""How the manifest starts the hook that every commit waits for."""
PROGRAMS = frozenset({"binance-leaks", "binance-leaks.exe", "binance_leaks"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Hook:
    """One hook.

    `settings` are those of this project's manifest, without how it is installed.
    """

    id: str
    command: tuple[str, ...]
    settings: tuple[str, ...]

    def is_run_by(self, entry: str) -> bool:
        """Whether a local hook with this entry runs the same command, started in any way."""
        words = entry.replace(_CALL, "binance_leaks").split()
        return any(
            PurePath(program).name in PROGRAMS and command == self.command[0] for program, command in pairwise(words)
        )

    def lines(self, *, local: bool) -> list[str]:
        """Return its keys, one per line."""
        if not local:
            return [f"id: {self.id}"]
        name, *others = self.settings
        return [f"id: {self.id}", name, f"entry: {' '.join((LAUNCHER, *self.command))}", "language: system", *others]


HOOKS = (
    Hook(
        id="binance-leaks",
        command=("staged", "--"),
        settings=(
            "name: Binance credentials",
            "types: []",
            "always_run: true",
            "require_serial: true",
            "stages: [pre-commit, manual]",
        ),
    ),
    Hook(
        id="binance-leaks-message",
        command=("message",),
        settings=(
            "name: Binance credentials in the commit message",
            "require_serial: true",
            "stages: [commit-msg]",
        ),
    ),
    Hook(
        id="binance-leaks-push",
        command=("push",),
        settings=(
            "name: Binance credentials in what is pushed",
            "pass_filenames: false",
            "always_run: true",
            "require_serial: true",
            "stages: [pre-push, manual]",
        ),
    ),
)


_COMMENT = "# Everyone who commits needs binance-leaks in the PATH: "


def _comment() -> str:
    """Return the comment of a local entry: how a teammate gets the program."""
    source = installed_source()
    command = f'pipx install "git+{source.url}@{source.rev}"' if source else "pipx install . in a clone of it"
    return f"{_COMMENT}{command}; binance-leaks doctor checks it."


@dataclass(frozen=True, kw_only=True, slots=True)
class ListStyle:
    """How a file indents its lists.

    Columns from a dash to its item, and from `hooks:` to the dashes below it.
    """

    item: int = 2
    hooks: int = 2

    def entry(self, source: PackageSource | None, hooks: Iterable[Hook]) -> list[str]:
        """Return the lines of an entry of `repos` with these hooks."""
        head = (
            ["repo: local", _comment()]
            if source is None
            else [f"repo: {quoted(source.url)}", f"rev: {quoted(source.rev)}"]
        )
        lines = [line for hook in hooks for line in self.hook(hook, local=source is None)]
        return self._as_item([*head, "hooks:", *(" " * self.hooks + line for line in lines)])

    def hook(self, hook: Hook, *, local: bool) -> list[str]:
        """Return the lines of one hook."""
        return self._as_item(hook.lines(local=local))

    def _as_item(self, lines: list[str]) -> list[str]:
        first, *others = lines
        return ["-".ljust(self.item) + first, *(" " * self.item + line for line in others)]


def new_configuration(source: PackageSource | None) -> list[str]:
    """Return the lines of a whole configuration."""
    return [install_types(), "repos:", *(f"  {line}" for line in ListStyle().entry(source, HOOKS))]


def install_types() -> str:
    """Return the line that makes `pre-commit install` install every hook we need."""
    return f"default_install_hook_types: [{', '.join(INSTALLED)}]"


PATH = ".pre-commit-config.yaml"
DETECT_SECRETS = "binance-leaks-detect-secrets"
"""The hook of our manifest that runs detect-secrets, which finds what is staged, too."""
_TYPES = "default_install_hook_types"
_REPOS = "repos"


def plan_pre_commit(old: bytes | None, source: PackageSource | None) -> Plan:
    """Plan the configuration. Hooks of ours that are there are kept, unless they read as we write them."""
    whole = "\n".join(new_configuration(source)) + "\n"
    if old is None:
        return Write(path=PATH, old=None, new=whole.encode("utf-8"))
    try:
        return _amend(old, source)
    except UnsafeEditError as error:
        return Refuse(path=PATH, why=str(error), by_hand=whole)


@dataclass(frozen=True, kw_only=True, slots=True)
class ConfiguredHooks:
    """What a configuration makes pre-commit run."""

    ours: Mapping[str, Mapping[str, object]]
    """Our hooks by the git hook that they run in, each with its keys in the configuration."""
    others: tuple[str, ...]
    """The ids of all other hooks."""
    install_types: tuple[str, ...]
    """The git hooks that `pre-commit install` installs."""


def configured_hooks(data: bytes) -> ConfiguredHooks:
    """Read which hooks a configuration has.

    Raises UnsafeEditError where pre-commit would not understand it.
    """
    config = _load(data.decode("utf-8-sig", "replace"))
    hooks = [hook for repo in _mappings(config.get(_REPOS)) for hook in _mappings(repo.get("hooks"))]
    ours = {
        kind: hook
        for kind, known in zip(INSTALLED, HOOKS, strict=True)
        for hook in hooks
        if _is(hook, known) and _runs_at(kind, hook, config)
    }
    for hook in hooks:
        if hook.get("id") == DETECT_SECRETS:
            ours.setdefault(INSTALLED[0], hook)
    types = config.get(_TYPES)
    return ConfiguredHooks(
        ours=ours,
        others=tuple(str(hook.get("id")) for hook in hooks if hook not in ours.values()),
        install_types=tuple(map(str, types)) if isinstance(types, list) else INSTALLED[:1],
    )


def _runs_at(kind: str, hook: dict[str, object], config: dict[str, object]) -> bool:
    """Whether pre-commit runs a hook of ours in a git hook; without stages our manifest decides."""
    stages = hook.get("stages", config.get("default_stages") if "entry" in hook else None)
    return not isinstance(stages, list) or not {kind, kind.removeprefix("pre-")}.isdisjoint(map(str, stages))


def _amend(old: bytes, source: PackageSource | None) -> Plan:
    document = YamlFile.read(old)
    refuse_anchors(document.text)
    config = _load(document.text)
    if document.root is None:
        wanted = _load("\n".join(new_configuration(source)))
        end = len(document.text)
        edits: list[Edit] = [(end, end, "".join(f"{line}\n" for line in new_configuration(source)))]
    else:
        amendment = _Amendment(document=document, config=config, source=source)
        edits, wanted = amendment.edits(), amendment.config
    notes = _notes(wanted)
    if not edits:
        return Keep(path=PATH, notes=notes)
    new = document.edited(edits)
    if not _reads_as(new[len(document.mark) :].decode("utf-8"), wanted):
        raise UnsafeEditError("its layout is unusual")
    return Write(path=PATH, old=old, new=new, notes=notes)


def configured_source(data: bytes | None) -> PackageSource | None:
    """Return the repository from which a configuration gets our hooks, None without one."""
    try:
        config = _load((data or b"").decode("utf-8-sig", "replace"))
    except UnsafeEditError:
        return None
    return next(filter(None, map(_source_of, _mappings(config.get(_REPOS)))), None)


def _source_of(entry: dict[str, object]) -> PackageSource | None:
    """Return the repository of an entry with hooks of ours, None for a local one and for those of others."""
    url, rev = entry.get("repo"), entry.get("rev")
    if url == "local" or not isinstance(url, str) or not isinstance(rev, str):
        return None
    if not any(_is_ours(hook) for hook in _mappings(entry.get("hooks"))):
        return None
    try:
        return PackageSource.of(url, rev)
    except UsageError:
        return None


def _load(text: str) -> dict[str, object]:
    try:
        config = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError):  # ValueError: a date that does not exist
        raise UnsafeEditError("it holds what pre-commit would not understand") from None
    if config is None:
        return {}
    if not isinstance(config, dict):
        raise UnsafeEditError("its top level is not a block of keys")
    return config


def _reads_as(text: str, wanted: dict[str, object]) -> bool:
    try:
        return _load(text) == wanted
    except UnsafeEditError:
        return False


def _notes(config: dict[str, object]) -> tuple[str, ...]:
    """Return what the user should know about the resulting configuration."""
    notes = []
    types = config.get(_TYPES)
    lacking = [kind for kind in INSTALLED if not isinstance(types, list) or kind not in types]
    if lacking:
        kinds = " ".join(f"--hook-type {kind}" for kind in lacking)
        notes.append(f"{_TYPES} lacks {', '.join(lacking)}: add it there, or run `pre-commit install {kinds}`.")
    hooks = [hook for repo in _mappings(config.get(_REPOS)) for hook in _mappings(repo.get("hooks"))]
    if "default_stages" not in config and any("stages" not in hook for hook in hooks if not _is_ours(hook)):
        notes.append(
            "Other hooks that name no stages may now run at commit-msg and pre-push, too. "
            "`default_stages: [pre-commit]` keeps them at pre-commit."
        )
    return tuple(notes)


def _mappings(value: object) -> list[dict[str, object]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _is_ours(hook: dict[str, object]) -> bool:
    return any(_is(hook, ours) for ours in HOOKS)


def _is(hook: dict[str, object], ours: Hook) -> bool:
    entry = hook.get("entry")
    return hook.get("id") == ours.id or (isinstance(entry, str) and ours.is_run_by(entry))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Amendment:
    """Find the edits of one configuration, and change `config` to what the edited text must read as."""

    document: YamlFile
    config: dict[str, object]
    source: PackageSource | None

    def edits(self) -> list[Edit]:
        """Return the edits, none where nothing is missing."""
        types = [] if _TYPES in self.config else [f"{' ' * self._column}{install_types()}\n"]
        if types:
            self.config[_TYPES] = list(INSTALLED)
        key = self.document.key(_REPOS)
        if key is None:
            end = len(self.document.text)
            return [(end, end, "".join([*types, f"{' ' * self._column}{_REPOS}:\n", self._first_entry()]))]
        at = self.document.line_of(key)
        return [*((at, at, line) for line in types), *self._hooks(self.document.value(_REPOS))]

    def _hooks(self, repos: yaml.Node | None) -> list[Edit]:
        if repos is not None and is_empty(repos):
            at = self.document.after(repos)
            return [(at, at, self._first_entry())]
        if not isinstance(repos, yaml.SequenceNode):
            raise UnsafeEditError("repos is not a list")
        if not repos.value:
            at = self.document.after(repos)
            return [self._without_brackets(repos, at), (at, at, self._first_entry())]
        if repos.flow_style:
            raise UnsafeEditError("repos is written in brackets")
        return self._add_to_entries(repos)

    def _first_entry(self) -> str:
        """Return our entry for a configuration without any."""
        lines = ListStyle().entry(self.source, HOOKS)
        self.config[_REPOS] = yaml.safe_load("\n".join(lines))
        return "".join(f"{' ' * (self._column + 2)}{line}\n" for line in lines)

    def _without_brackets(self, repos: yaml.Node, next_line: int) -> Edit:
        start, end = repos.start_mark.index, repos.end_mark.index
        if "\n" in self.document.text[start:end]:
            raise UnsafeEditError("repos is written in brackets over several lines")
        if not self.document.text[end:next_line].strip():
            start = len(self.document.text[:start].rstrip(" "))
        return start, end, ""

    @property
    def _column(self) -> int:
        column: int = self.document.root.start_mark.column if self.document.root else 0
        return column

    def _add_to_entries(self, repos: yaml.SequenceNode) -> list[Edit]:
        entries = _mappings(self.config[_REPOS])
        if len(entries) != len(repos.value):
            raise UnsafeEditError("repos holds what pre-commit would not understand")
        hooks = [_mappings(entry.get("hooks")) for entry in entries]
        missing = [ours for ours in HOOKS if not any(_is(hook, ours) for listed in hooks for hook in listed)]
        with_ours = [at for at, listed in enumerate(hooks) if any(_is_ours(hook) for hook in listed)]
        if not missing:
            return self._update(repos, with_ours[0]) if len(with_ours) == 1 else []
        if with_ours:
            return [self._add_to_our_entry(repos.value[with_ours[0]], entries[with_ours[0]], missing)]
        lines = _style(repos.value[0], repos).entry(self.source, missing)
        self._add(self.config, _REPOS, lines)
        apart = len(repos.value) > 1 and self.document.is_blank_before(repos.value[-1])
        return [self._insert_after(repos, lines, apart=apart)]

    def _update(self, repos: yaml.SequenceNode, at: int) -> list[Edit]:
        """Bring an entry that reads as we write it up to date: the source, and the comment of a local one.

        Of another one with the same repository, the revision.
        """
        node, entry = repos.value[at], _mappings(self.config[_REPOS])[at]
        known = _source_of(entry)
        source = self.source or known
        start, end = node.start_mark.index - node.start_mark.column, self.document.after(node)
        old = self.document.text[start:end].replace("\r\n", "\n").rstrip("\n") + "\n"
        style, indent = _style(node, repos), " " * repos.start_mark.column
        lines, wanted = style.entry(known, HOOKS), style.entry(source, HOOKS)
        if _without_comment(old.splitlines()) == _without_comment([indent + line for line in lines]):
            if lines == wanted and (source is not None or _COMMENT in old):
                return []
            entry.clear()
            entry.update(yaml.safe_load("\n".join(wanted))[0])
            return [(start, end, "".join(f"{indent}{line}\n" for line in wanted))]
        if source is None or known is None or source.url != known.url or source.rev == known.rev:
            return []
        rev = next(value for key, value in node.value if key.value == "rev")
        entry["rev"] = source.rev
        return [(rev.start_mark.index, rev.end_mark.index, quoted(source.rev))]

    def _add_to_our_entry(self, node: yaml.MappingNode, entry: dict[str, object], missing: list[Hook]) -> Edit:
        """Add the hooks that our entry lacks, indented as it is."""
        hooks = next(value for key, value in node.value if key.value == "hooks")
        if not isinstance(hooks, yaml.SequenceNode) or hooks.flow_style:
            raise UnsafeEditError("hooks of ours are written in brackets")
        style = ListStyle(item=_offset(hooks))
        lines = [line for hook in missing for line in style.hook(hook, local=entry.get("repo") == "local")]
        self._add(entry, "hooks", lines)
        return self._insert_after(hooks, lines, apart=False)

    @staticmethod
    def _add(mapping: dict[str, object], name: str, lines: list[str]) -> None:
        listed = mapping[name]
        mapping[name] = [*(listed if isinstance(listed, list) else ()), *yaml.safe_load("\n".join(lines))]

    def _insert_after(self, sequence: yaml.SequenceNode, lines: list[str], *, apart: bool) -> Edit:
        """Insert new items after the last item of a list and the comments that belong to it."""
        column: int = sequence.start_mark.column
        at = self.document.after(sequence)
        at = self.document.after_comments(at, deeper_than=max(column - 1, 0))
        text = "".join(f"{' ' * column}{line}\n" for line in lines)
        return at, at, "\n" + text if apart else text


def _without_comment(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.lstrip().startswith(_COMMENT)]


def _style(item: yaml.Node, repos: yaml.SequenceNode) -> ListStyle:
    """Return how the first entry of `repos` is indented."""
    if not isinstance(item, yaml.MappingNode) or item.flow_style:
        return ListStyle()
    hooks = next((value for key, value in item.value if key.value == "hooks"), None)
    below = hooks.start_mark.column - item.start_mark.column if isinstance(hooks, yaml.SequenceNode) else 2
    flat = not isinstance(hooks, yaml.SequenceNode) or hooks.flow_style
    return ListStyle(item=_offset(repos), hooks=2 if flat else below)


def _offset(sequence: yaml.SequenceNode) -> int:
    """Count the columns from the dashes of a list to their items."""
    first: yaml.Node | None = sequence.value[0] if sequence.value else None
    if not isinstance(first, yaml.MappingNode) or first.flow_style:
        return 2
    same_line = first.start_mark.line == sequence.start_mark.line
    column: int = first.start_mark.column - sequence.start_mark.column
    return column if same_line else 2
