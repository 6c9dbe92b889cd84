"""What is released: the content of wheel and source distribution, their being reproducible, tag and changelog."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

import pytest
import yaml
from binance_leaks import __version__

from tests.repositories import Repository
from tests.schemas import complaints

TOP = Path(__file__).resolve().parents[1]
RELEASE = TOP / ".ci/release.py"
WORKFLOW = TOP / ".github/workflows/release.yml"
TRACKED = ("scanner", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "CHANGELOG.md", ".ci", "action.yml")
BUILT = shutil.ignore_patterns("__pycache__", "*.so", "*.pyd", "*.egg-info")


def release(*arguments: str, top: Path = TOP) -> subprocess.CompletedProcess[str]:
    """Run the script of releases."""
    command = [sys.executable, "-I", str(top / ".ci/release.py"), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The project of this work tree, committed, without its tests and documents."""
    repository = Repository.create(tmp_path_factory.mktemp("project"))
    for name in TRACKED:
        source, target = TOP / name, repository.folder / name
        if source.is_dir():
            shutil.copytree(source, target, ignore=BUILT)
        else:
            shutil.copyfile(source, target)
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "-m", "The project")
    return repository


@pytest.fixture(scope="module")
def sdist(project: Repository, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its source distribution."""
    folder = tmp_path_factory.mktemp("sdist")
    done = release("sdist", str(folder), top=project.folder)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.iterdir()
    return built


def wheel(sdist: Path, folder: Path) -> Path:
    """Build a wheel from a source distribution, without the compiled module: its compiler is said to be none."""
    with tarfile.open(sdist) as packed:
        packed.extractall(folder, filter="data")
    (source,) = folder.iterdir()
    build = "from setuptools import build_meta; build_meta.build_wheel('..')"
    environment = {**os.environ, "CC": "false", "SOURCE_DATE_EPOCH": "1700000000"}
    subprocess.run(
        [sys.executable, "-c", build], cwd=source, env=environment, check=True, capture_output=True, timeout=120
    )
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_the_source_distribution_is_reproducible(project: Repository, sdist: Path, tmp_path: Path) -> None:
    os.utime(project.folder / "README.md", (1, 1))
    project.write("not-committed.py", "import os\n")
    assert release("sdist", str(tmp_path), top=project.folder).returncode == 0
    assert (tmp_path / sdist.name).read_bytes() == sdist.read_bytes()


@pytest.mark.slow
def test_the_wheel_has_all_of_the_package_and_nothing_else(sdist: Path, tmp_path: Path) -> None:
    built = wheel(sdist, tmp_path / "first")
    assert built.read_bytes() == wheel(sdist, tmp_path / "second").read_bytes()
    with zipfile.ZipFile(built) as opened:
        names = {PurePosixPath(name) for name in opened.namelist()}
    about = f"binance_leaks-{__version__}.dist-info"
    package = {
        PurePosixPath(path.relative_to(TOP / "scanner").as_posix())
        for path in (TOP / "scanner/binance_leaks").rglob("*")
        if path.is_file() and path.suffix not in (".pyc", ".so", ".pyd")
    }
    assert {name for name in names if name.parts[0] != about} == package
    assert {name.relative_to(about).as_posix() for name in names if name.parts[0] == about} == {
        "METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt",
    }  # fmt: skip


@pytest.mark.slow
def test_the_source_distribution_can_be_built(sdist: Path) -> None:
    with tarfile.open(sdist) as opened:
        names = {member.name.partition("/")[2] for member in opened}
        assert {(member.mtime, member.uid, member.uname) for member in opened} == {
            (opened.getmembers()[0].mtime, 0, "")
        }
    sources = {path.relative_to(TOP).as_posix() for path in (TOP / "scanner/native").iterdir()}
    assert sources | {"pyproject.toml", "LICENSE", "CHANGELOG.md", ".ci/release.py", "action.yml"} <= names


def test_a_tag_is_that_of_the_version_and_in_the_changelog(project: Repository) -> None:
    assert release("check", "v0.0.0", top=project.folder).returncode == 1
    changelog = project.folder / "CHANGELOG.md"
    changelog.write_text("# Changelog\n\n## [Unreleased]\n", "utf-8")
    assert "no section" in release("check", f"v{__version__}", top=project.folder).stderr
    entry = f"## [{__version__}] - 2030-01-02\n\n### Added\n\n- A gate.\n"
    changelog.write_text(f"# Changelog\n\n## [Unreleased]\n\n{entry}\n## [0.0.1] - 2029-01-02\n\n- Old.\n", "utf-8")
    assert release("check", f"v{__version__}", top=project.folder).returncode == 0
    assert release("notes", top=project.folder).stdout == "### Added\n\n- A gate.\n"
    project.git("checkout", "--quiet", "CHANGELOG.md")


def test_the_workflow_is_valid_and_pinned() -> None:
    assert not complaints("github-workflows", WORKFLOW)
    workflow = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    assert workflow["permissions"] == {}
    steps = [step for job in workflow["jobs"].values() for step in job["steps"]]
    assert all(re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]) for step in steps if "uses" in step)
    assert not any("${{" in step.get("run", "") for step in steps)
    for line in (line for step in steps for line in step.get("run", "").splitlines() if "pip install" in line):
        assert "--require-hashes" in line or "--no-index" in line, line
