"""Containers: our image and its hook, and images of others as docker saves them."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
import yaml
from binance_leaks import __version__

from tests.e2e import Pair, run

TOP = Path(__file__).resolve().parents[1]
DOCKERFILE = TOP / "Dockerfile"
ENTRYPOINT = TOP / ".ci/container-entrypoint"


def test_the_image_is_pinned_small_and_not_root() -> None:
    text = DOCKERFILE.read_text("utf-8")
    stages = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(stages) == 2
    assert all(re.fullmatch(r"python:[\d.]+-slim-\w+@sha256:[0-9a-f]{64}", stage) for stage in stages)
    assert len(set(stages)) == 1
    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", text, re.MULTILINE)
    needed = {"scanner", "pyproject.toml", "requirements.lock", "README.md", "LICENSE", "MANIFEST.in"}
    sent = {line[1:] for line in (TOP / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")}
    assert sent == needed | {".ci/container-entrypoint"}


class TestContainerEntrypoint:
    """What the image runs, with a program in place of ours that prints the index and its arguments."""

    def start(self, folder: Path, index: str | None) -> subprocess.CompletedProcess[str]:
        programs = folder / "programs"
        programs.mkdir()
        (programs / "python").write_text('#!/bin/sh\necho "${GIT_INDEX_FILE-none} $*"\n', "utf-8")
        (programs / "python").chmod(0o755)
        work = folder / "src"
        (work / ".git").mkdir(parents=True)
        (work / ".git/index").touch()
        (work / ".git/next-index-7.lock").touch()
        environment = {"PATH": f"{programs}:/usr/bin:/bin"} | ({} if index is None else {"GIT_INDEX_FILE": index})
        command = ["sh", str(ENTRYPOINT), "staged"]
        return subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True, timeout=60, check=False
        )

    @pytest.mark.parametrize(
        ("index", "expected"),
        [
            (None, "none"),
            (".git/index", "src/.git/index"),
            ("/home/somebody/bot/.git/next-index-7.lock", "src/.git/next-index-7.lock"),
        ],
    )
    def test_the_index_of_the_host_is_found(self, tmp_path: Path, index: str | None, expected: str) -> None:
        done = self.start(tmp_path, index)
        assert done.returncode == 0, done.stderr
        found, arguments = done.stdout.split(" ", 1)
        assert found.endswith(expected)
        assert arguments == "-I -m binance_leaks staged\n"

    @pytest.mark.parametrize("index", ["/home/somebody/bot/.git/worktrees/a/index", "/tmp/other"])
    def test_an_index_that_is_not_there_never_passes(self, tmp_path: Path, index: str) -> None:
        done = self.start(tmp_path, index)
        assert done.returncode == 3
        assert "not in the container" in done.stderr


def test_the_hook_of_the_image_is_closed_in() -> None:
    hooks = {hook["id"]: hook for hook in yaml.safe_load((TOP / ".pre-commit-hooks.yaml").read_text("utf-8"))}
    hook = hooks["binance-leaks-docker"]
    assert hook["language"] == "docker_image"
    words = str(hook["entry"]).split()
    assert words[-2:] == [f"binance-leaks:{__version__}", "staged"]
    assert "--pull=never --network=none --read-only" in hook["entry"]
    assert {
        name: value for name, value in hook.items() if name not in ("id", "name", "description", "entry", "language")
    } == {
        name: value
        for name, value in hooks["binance-leaks"].items()
        if name not in ("id", "name", "description", "entry", "language")
    }


def layer(files: dict[str, str]) -> bytes:
    """Return a tar with these files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as opened:
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(text)
            opened.addfile(entry, io.BytesIO(text.encode()))
    return packed.getvalue()


def test_a_saved_image_is_read_whole(tmp_path: Path) -> None:
    """`docker save` in the OCI layout: layers plain and compressed, and credentials in the image's configuration."""
    plain, zipped, configured = Pair.fresh(), Pair.fresh(), Pair.fresh()
    variables = [f"BINANCE_API_KEY={configured.key}", f"BINANCE_API_SECRET={configured.secret}"]
    blobs = [
        layer({"app/bot.py": plain.python}),
        gzip.compress(layer({"app/old.py": zipped.python, "app/.wh.old.py": ""})),
        json.dumps(
            {"os": "linux", "config": {"Env": ["PATH=/usr/bin", *variables]}, "rootfs": {"type": "layers"}}
        ).encode(),
    ]
    names = [f"blobs/sha256/{hashlib.sha256(blob).hexdigest()}" for blob in blobs]
    manifest = [{"Config": names[2], "RepoTags": ["bot:latest"], "Layers": names[:2]}]
    saved = io.BytesIO()
    with tarfile.open(fileobj=saved, mode="w") as opened:
        for name, content in [*zip(names, blobs, strict=True), ("manifest.json", json.dumps(manifest).encode())]:
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            opened.addfile(entry, io.BytesIO(content))
    ran = run("scan", "--format", "json", "-", cwd=tmp_path, stdin=saved.getvalue())
    assert ran.status == 1
    places = [finding["locations"][0]["path"] for finding in json.loads(ran.out)["findings"]]
    assert sorted(places) == sorted(
        [f"<stdin>!/{names[0]}!/app/bot.py", f"<stdin>!/{names[1]}!/app/old.py", f"<stdin>!/{names[2]}"]
    )
