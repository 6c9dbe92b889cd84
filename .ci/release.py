"""Build what a release consists of, byte for byte the same from the same commit.

Usage: python .ci/release.py check TAG      exits with 1 unless the tag is that of the version, and the changelog has it
       python .ci/release.py sdist FOLDER   builds the source distribution, and prints its digest
       python .ci/release.py notes          prints what CHANGELOG.md says about the version
"""

from __future__ import annotations

import ast
import gzip
import hashlib
import io
import os
import re
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]


def version() -> str:
    """Return the version of the package, without importing it."""
    tree = ast.parse((TOP / "scanner/binance_leaks/__init__.py").read_text("utf-8"))
    values = [
        node.value
        for node in tree.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__version__"
    ]
    return str(ast.literal_eval(values[0]))


def notes() -> str:
    """Return the changelog's section of the version, empty if there is none."""
    text = (TOP / "CHANGELOG.md").read_text("utf-8")
    found = re.search(rf"^## \[{re.escape(version())}\] - \d{{4}}-\d\d-\d\d\n(.*?)(?=^## |\Z)", text, re.M | re.S)
    return found[1].strip() if found else ""


def check(tag: str) -> None:
    """Exit unless the tag names the version that the changelog describes."""
    if tag != f"v{version()}":
        sys.exit(f"The tag is {tag}, and the version is {version()}. Set __version__ or tag v{version()}.")
    if not notes():
        sys.exit(f"CHANGELOG.md has no section of the version. Add: ## [{version()}] - YYYY-MM-DD")


def normalized(archive: bytes, moment: int) -> bytes:
    """Return a tar.gz with the same files, without what differs between machines: times, owners, order."""
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(archive)) as old,
        gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=moment) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda each: each.name):
            plain = tarfile.TarInfo(member.name)
            plain.type, plain.size, plain.mtime = member.type, member.size, moment
            plain.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            new.addfile(plain, old.extractfile(member) if member.isfile() else None)
    return packed.getvalue()


def sdist(folder: Path) -> Path:
    """Build the source distribution of the commit that is checked out, and nothing beside it."""
    moment = int(_git("log", "-1", "--format=%ct"))
    with tempfile.TemporaryDirectory() as made:
        source = Path(made, "source")
        with tarfile.open(fileobj=io.BytesIO(_git_bytes("archive", "--format=tar", "HEAD"))) as committed:
            committed.extractall(source, filter="data")
        build = "from setuptools import build_meta; build_meta.build_sdist('..')"
        environment = {**os.environ, "SOURCE_DATE_EPOCH": str(moment)}
        subprocess.run([sys.executable, "-c", build], cwd=source, env=environment, check=True, stdout=sys.stderr)
        (built,) = Path(made).glob("*.tar.gz")
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / built.name
        target.write_bytes(normalized(built.read_bytes(), moment))
    return target


def _git(*arguments: str) -> str:
    return _git_bytes(*arguments).decode("utf-8")


def _git_bytes(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=TOP, check=True, capture_output=True).stdout


def main(arguments: list[str]) -> None:
    """Run one of the commands."""
    match arguments:
        case ["check", tag]:
            check(tag)
        case ["sdist", folder]:
            built = sdist(Path(folder))
            print(hashlib.sha256(built.read_bytes()).hexdigest(), built)
        case ["notes"]:
            print(notes())
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
