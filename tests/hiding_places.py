"""Builds a repository with one pair in each place where a history can hide one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from tests.e2e import Pair
from tests.hideout import Hideout, Maker, Stand
from tests.hiding_contents import CALL, PADDING, PADDING_LINES, compiled, database, dotenv, module, tarred, zipped
from tests.repositories import Repository

MESSAGE, TAG_MESSAGE = "commit message", "tag message"


def _gone_from_main(maker: Maker) -> None:
    pair, name = maker.pair(), "deleted/bot.py"
    commit = maker.commit({name: module(pair)}, "A bot")
    removed = maker.commit({name: None}, "No bot")
    maker.hide("deleted file", pair, Stand(path=name, exposure="history", commit=commit, removed=removed, line=CALL))
    pair, name = maker.pair(), "edited/bot.py"
    maker.commit({name: PADDING * 30}, "A module")
    commit = maker.commit({name: PADDING * 30 + pair.python}, "It trades")
    maker.commit({name: PADDING * 31 + pair.python}, "It trades on")
    removed = maker.commit({name: PADDING * 31}, "It trades no more")
    line = 30 * PADDING_LINES + 2
    maker.hide("edited out", pair, Stand(path=name, exposure="history", commit=commit, removed=removed, line=line))


def _on_main(maker: Maker) -> None:
    pair, name = maker.pair(), "back/bot.py"
    commit = maker.commit({name: module(pair)}, "First time")
    maker.commit({name: None}, "Gone")
    maker.commit({name: module(pair)}, "Second time")
    maker.hide("came back", pair, Stand(path=name, exposure="present", commit=commit, line=CALL))
    pair, name = maker.pair(), "grown/bot.py"
    commit = maker.commit({name: module(pair)}, "Small")
    blob = maker.repository.blob(name)
    for size in range(2, 8):
        maker.commit({name: module(pair, padding=size) + "# more\n" * size}, f"Size {size}")
    maker.hide("many versions", pair, Stand(path=name, exposure="present", commit=commit, line=CALL, blob=blob))
    pair = maker.pair()
    dotfile, settings = f"BINANCE_API_KEY={pair.key}\n", f'import os\n\nBINANCE_API_SECRET = "{pair.secret}"\n'
    commit = maker.commit({"halves/.env": dotfile, "halves/settings.py": settings}, "Settings")
    maker.hide(
        "two halves", pair,
        Stand(path="halves/.env", exposure="present", commit=commit, line=1),
        Stand(path="halves/settings.py", exposure="present", commit=commit, line=3),
    )  # fmt: skip


def _renamed(maker: Maker) -> None:
    pair = maker.pair()
    commit = maker.commit({"renamed/old.py": module(pair)}, "Old name")
    moved = maker.commit({"renamed/old.py": None, "renamed/new.py": module(pair)}, "New name")
    maker.hide(
        "renamed file", pair,
        Stand(path="renamed/old.py", exposure="history", commit=commit, removed=moved, line=CALL),
        Stand(path="renamed/new.py", exposure="present", commit=moved, line=CALL),
    )  # fmt: skip
    pair = maker.pair()
    first = maker.commit({"copied/one.py": module(pair)}, "An original")
    second = maker.commit({"copied/two.py": module(pair)}, "A copy")
    maker.hide(
        "copied file", pair,
        Stand(path="copied/one.py", exposure="present", commit=first, line=CALL),
        Stand(path="copied/two.py", exposure="present", commit=second, line=CALL),
    )  # fmt: skip


def _forms(maker: Maker) -> None:
    forms: dict[str, tuple[str, Callable[[Pair], bytes], str]] = {
        "compiled code": ("forms/bot.pyc", compiled, ""),
        "database": ("forms/bot.sqlite", database, ""),
        "zip": ("forms/backup.zip", zipped, "!/src/bot.py"),
        "tar.gz": ("forms/backup.tar.gz", tarred, "!/src/bot.py"),
        "UTF-16 LE": ("forms/le.txt", lambda pair: b"\xff\xfe" + dotenv(pair).encode("utf-16-le"), ""),
        "UTF-16 BE": ("forms/be.txt", lambda pair: dotenv(pair).encode("utf-16-be"), ""),
    }
    for place, (name, form, inner) in forms.items():
        pair = maker.pair()
        commit = maker.commit({name: form(pair)}, f"Adds {place}")
        line = CALL if inner else 3 if place.startswith("UTF") else None
        stand = Stand(path=name + inner, exposure="present", commit=commit, line=line)
        maker.hide(place, pair, stand)


def _merges(maker: Maker) -> None:
    for place, count in (("evil merge", 1), ("octopus merge", 3)):
        pair, name = maker.pair(), f"merges/{count}.py"
        heads, sides = [maker.head()], [f"merges/{count}-{number}.txt" for number in range(count)]
        for side in sides:
            maker.checkout("--detach", heads[0])
            heads.append(maker.commit({side: "a side\n"}, "A side"))
        maker.write({name: module(pair), **dict.fromkeys(sides, "a side\n")})
        parents = [word for head in heads for word in ("-p", head)]
        merge = maker.git("commit-tree", maker.repository.git("write-tree"), *parents, "-m", f"An {place}")
        maker.checkout("-B", "main", merge)
        maker.hide(place, pair, Stand(path=name, exposure="present", commit=merge, line=CALL))
    pair, name = maker.pair(), "merges/removed.py"
    commit = maker.commit({name: module(pair)}, "To be removed")
    maker.checkout("--detach")
    side = maker.commit({"merges/side.txt": "a side\n"}, "Another side")
    maker.checkout("main")
    maker.commit({"merges/main.txt": "main\n"}, "Main goes on")
    maker.git("merge", "--quiet", "--no-commit", "--no-ff", side)
    removed = maker.commit({name: None}, "A merge that takes out")
    maker.hide(
        "removed by a merge", pair, Stand(path=name, exposure="history", commit=commit, removed=removed, line=CALL)
    )


def _messages(maker: Maker) -> None:
    pair = maker.pair()
    commit = maker.commit({}, f"Keys\n\nThe Binance account:\nBINANCE_API_KEY={pair.key}\nAPI_SECRET={pair.secret}\n")
    maker.hide("commit message", pair, Stand(path=MESSAGE, exposure="message", commit=commit))
    pair = maker.pair()
    commit = maker.commit({}, f"Amended\n\n{pair.python}")
    maker.git("commit", "--quiet", "--amend", "--allow-empty", "--message=Amended")
    maker.hide("unreachable message", pair, Stand(path=MESSAGE, exposure="unreachable", commit=commit))
    pair = maker.pair()
    maker.git("tag", "-a", "-m", f"A release\n\n{pair.dotenv}", "v1.0")
    refs = frozenset({"v1.0"})
    maker.hide("tag message", pair, Stand(path=TAG_MESSAGE, exposure="message", refs=refs))
    pair = maker.pair()
    maker.git("tag", "-a", "-m", f"Inner\n\n{pair.dotenv}", "inner", "HEAD")
    maker.git("tag", "-a", "-m", "Outer", "outer", "inner")
    maker.git("tag", "light", "outer")
    maker.git("tag", "-d", "inner")
    refs = frozenset({"outer", "light"})
    maker.hide("nested tag", pair, Stand(path=TAG_MESSAGE, exposure="message", refs=refs))
    pair, head = maker.pair(), maker.head()
    maker.git("notes", "add", "-m", f"Deployed\n\n{pair.dotenv}", head)
    commit = maker.repository.git("rev-parse", "refs/notes/commits")
    maker.hide("note", pair, Stand(path=head, exposure="present", commit=commit, line=4))


def _branches(maker: Maker) -> None:
    for place, branch in (
        ("unmerged branch", "topic/unmerged"), ("tag only", "tagged"),
        ("remote only", "remote"), ("deleted branch", "deleted"),
    ):  # fmt: skip
        pair, name = maker.pair(), f"branches/{branch}.py"
        maker.checkout("-b", branch, "main")
        commit = maker.commit({name: module(pair)}, f"On {branch}")
        exposure = {"deleted": "unreachable", "tagged": "history"}.get(branch, "present")
        maker.hide(place, pair, Stand(path=name, exposure=exposure, commit=commit, line=CALL))
    pair, name = maker.pair(), "branches/gone.py"
    maker.checkout("-b", "topic/gone", "main")
    commit = maker.commit({name: module(pair)}, "Adds on a branch")
    removed = maker.commit({name: None}, "Deletes on a branch")
    stand = Stand(path=name, exposure="history", commit=commit, removed=removed, line=CALL)
    maker.hide("gone from an unmerged branch", pair, stand)
    maker.checkout("main")
    maker.repository.git("tag", "only-tag", "tagged")
    maker.repository.git("update-ref", "refs/remotes/origin/feature", "remote")
    maker.repository.git("branch", "--quiet", "-D", "tagged", "remote", "deleted")


def _rewritten(maker: Maker) -> None:
    pair, name = maker.pair(), "amended/bot.py"
    commit = maker.commit({name: module(pair)}, "With keys")
    maker.commit({name: PADDING}, "Without keys", "--amend")
    maker.hide("amended commit", pair, Stand(path=name, exposure="unreachable", commit=commit, line=CALL))
    pair, name = maker.pair(), "rebased/dropped.py"
    copied, other = maker.pair(), "rebased/kept.py"
    maker.checkout("-b", "rebased", "main~1")
    dropped = maker.commit({name: module(pair)}, "To be dropped")
    maker.commit({other: module(copied)}, "To be kept")
    maker.git("rebase", "--quiet", "--onto", "main", dropped, "rebased")
    maker.hide("rebased commit", pair, Stand(path=name, exposure="unreachable", commit=dropped, line=CALL))
    maker.hide("rebased copy", copied, Stand(path=other, exposure="present", commit=maker.head(), line=CALL))
    maker.checkout("main")


def _stashes(maker: Maker) -> None:
    work, index, untracked, kept = (maker.pair() for _ in range(4))
    maker.commit({"stash/work.py": PADDING}, "To be changed")
    maker.write({"stash/index.py": module(index)})
    maker.repository.write("stash/work.py", module(work))
    maker.repository.write("stash/untracked.py", module(untracked))
    maker.git("stash", "push", "--quiet", "--include-untracked")
    stash, staged, rest = maker.repository.git("rev-parse", "stash", "stash^2", "stash^3").split()
    maker.repository.git("stash", "drop", "--quiet")
    for place, pair, commit in (("work", work, stash), ("index", index, staged), ("untracked", untracked, rest)):
        stand = Stand(path=f"stash/{place}.py", exposure="unreachable", commit=commit, line=CALL)
        maker.hide(f"dropped stash: {place}", pair, stand)
    maker.repository.write("stash/work.py", module(kept))
    maker.git("stash", "push", "--quiet")
    stash = maker.repository.git("rev-parse", "stash")
    refs = frozenset({"refs/stash"})
    stand = Stand(path="stash/work.py", exposure="history", commit=stash, line=CALL, refs=refs)
    maker.hide("stash", kept, stand)


def _objects(maker: Maker) -> None:
    pair = maker.pair()
    maker.repository.stage("objects/staged.py", module(pair))
    blob = maker.repository.blob("objects/staged.py")
    maker.repository.git("rm", "--quiet", "--force", "--cached", "objects/staged.py")
    maker.repository.path("objects/staged.py").unlink()
    maker.hide("staged and unstaged", pair, Stand(path=f"blob:{blob}", exposure="unreachable", line=CALL))
    pair = maker.pair()
    blob = maker.hash(module(pair))
    maker.hide("dangling blob", pair, Stand(path=f"blob:{blob}", exposure="unreachable", line=CALL))
    pair, name = maker.pair(), "objects/replaced.py"
    commit = maker.commit({name: module(pair)}, "To be replaced")
    maker.repository.git("replace", maker.repository.blob(name), maker.hash("nothing here\n"))
    maker.hide("replaced object", pair, Stand(path=name, exposure="present", commit=commit, line=CALL))


def build(folder: Path, *, seed: int, object_format: str = "sha1") -> Hideout:
    """The repository: the same commits and pairs for the same seed, whatever the format of its ids."""
    repository = Repository.create(folder, f"--object-format={object_format}")
    maker = Maker(repository, Random(seed))
    maker.commit({"README.md": "A bot.\n"}, "A beginning")
    repository.git("config", "remote.origin.url", "https://code.example/team/trader.git")
    for hide in (_gone_from_main, _on_main, _renamed):
        hide(maker)
    repository.git("update-ref", "refs/remotes/origin/main", "main")
    for hide in (_forms, _merges, _messages, _branches, _rewritten, _stashes, _objects):
        hide(maker)
    return Hideout(repository=repository, hidden=tuple(maker.hidden))
