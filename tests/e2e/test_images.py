"""Images of containers: every layer, the configuration, and who put a value there."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pytest
from binance_leaks import scan_bytes
from binance_leaks.errors import ScanError
from binance_leaks.findings import Finding, Result, Skipped
from binance_leaks.sources.container_images import ImageIndex
from binance_leaks.sources.saved_images import read_image

from tests.container_images import CREATED, Layer, configuration, docker_archive, oci_layout, tarred
from tests.e2e import Pair, digests, run
from tests.repositories import Repository
from tests.sources.test_further_archives import zstd_packed

COPY = "COPY . /app # buildkit"
REMOVE = "RUN /bin/sh -c rm /app/.env # buildkit"


class Image:
    """An image with a pair in a deleted file, one in a file that is there, and three in its configuration."""

    def __init__(self) -> None:
        self.deleted, self.kept, self.environment, self.label, self.argument = (Pair.fresh() for _ in range(5))
        self.layers = [
            Layer(command=COPY, files={"app/.env": self.deleted.dotenv.encode(), "etc/os-release": b"ID=x\n"}),
            Layer(command=REMOVE, files={"app/.wh..env": b"", "app/bot.py": self.kept.python.encode()}),
        ]
        config = {
            "Env": ["PATH=/bin", *self.environment.dotenv.splitlines()],
            "Labels": {"binance.api_key": self.label.key, "binance.api_secret": self.label.secret},
        }
        argument = f"RUN |2 {' '.join(self.argument.dotenv.split())} /bin/sh -c ./build.sh # buildkit"
        self.settings = configuration(self.layers, config, argument)

    @property
    def pairs(self) -> list[Pair]:
        return [self.deleted, self.kept, self.environment, self.label, self.argument]

    def forms(self) -> Mapping[str, bytes]:
        return {
            "docker": docker_archive(self.layers, self.settings),
            "oci": tarred(oci_layout(self.layers, self.settings, bytes)),
            "oci-gzip": tarred(oci_layout(self.layers, self.settings, gzip.compress)),
            "oci-zstd": tarred(oci_layout(self.layers, self.settings, zstd_packed)),
            "gzip": gzip.compress(docker_archive(self.layers, self.settings)),
        }


def found(result: Result, pair: Pair) -> Finding:
    (finding,) = (one for one in result.findings if {value.sha256 for value in one.values} == pair.digests)
    return finding


@pytest.mark.parametrize("form", ["docker", "oci", "oci-gzip", "oci-zstd", "gzip"])
def test_every_layer_and_the_configuration_are_read(form: str) -> None:
    image = Image()
    result = scan_bytes(image.forms()[form], path="image.tar")
    assert result.complete
    assert len(result.findings) == len(image.pairs)
    for pair, command, deleted in ((image.deleted, "COPY . /app", True), (image.kept, "RUN rm /app/.env", False)):
        for place in found(result, pair).locations:
            origin = place.origin
            assert origin is not None
            assert (origin.command, origin.date, origin.deleted) == (command, CREATED, deleted)
            assert origin.layer.startswith("sha256:")
    for pair in (image.environment, image.label, image.argument):
        assert {place.origin and place.origin.layer for place in found(result, pair).locations} == {"configuration"}


def test_a_folder_of_an_oci_layout(tmp_path: Path) -> None:
    image = Image()
    for name, content in oci_layout(image.layers, image.settings, gzip.compress).items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    outcome = run("scan", "--format", "json", cwd=tmp_path)
    origins = {
        (frozenset(digests([finding])), origin["command"], origin["deleted"])
        for finding in outcome.report["findings"]
        for place in finding["locations"]
        if (origin := place["origin"])
    }
    assert (frozenset(image.deleted.digests), "COPY . /app", True) in origins
    assert (frozenset(image.kept.digests), "RUN rm /app/.env", False) in origins
    assert (frozenset(image.environment.digests), "", False) in origins


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes here")
def test_pipes_and_links_in_a_layout_are_not_opened(tmp_path: Path) -> None:
    image = Image()
    layout, outside = tmp_path / "layout", tmp_path / "outside"
    for name, content in oci_layout(image.layers, image.settings, gzip.compress).items():
        (layout / name).parent.mkdir(parents=True, exist_ok=True)
        (layout / name).write_bytes(content)
    pipe, listed = layout / f"blobs/sha256/{'e' * 64}", layout / "linked.json"
    os.mkfifo(outside)
    os.mkfifo(pipe)
    listed.symlink_to(outside)
    (layout / f"blobs/sha256/{'f' * 64}").symlink_to(outside)
    outcome = run("scan", "layout", "--format", "json", cwd=tmp_path, timeout=20)
    assert {finding["locations"][0]["origin"] is not None for finding in outcome.report["findings"]} == {True}
    assert len(outcome.report["findings"]) == len(image.pairs)


def test_an_image_in_a_history(tmp_path: Path) -> None:
    image = Image()
    repository = Repository.create(tmp_path / "repository")
    repository.commit({"image.tar": docker_archive(image.layers, image.settings)})
    outcome = run("history", "--format", "json", cwd=repository.folder)
    places = [place for finding in outcome.report["findings"] for place in finding["locations"]]
    assert {origin["command"] for place in places if (origin := place["origin"])} == {
        "COPY . /app",
        "RUN rm /app/.env",
        "",
    }


def test_the_report_says_what_to_do(tmp_path: Path) -> None:
    image = Image()
    (tmp_path / "image.tar").write_bytes(docker_archive(image.layers, image.settings))
    text = " ".join(run("scan", "image.tar", cwd=tmp_path).out.split())
    assert "made on 2024-05-01T09:00:00Z by COPY . /app" in text
    assert "deleted or replaced in a later layer, and still in the image" in text
    assert "Rebuild the image without it" in text
    assert "RUN --mount=type=secret" in text
    assert "Delete the tags of the image in every registry" in text


@pytest.mark.parametrize(
    ("later", "hidden"),
    [
        ("app/.wh.config", True),
        ("app/.wh..wh..opq", True),
        ("app/config/keys/.env", True),
        (".wh.app", True),
        ("app/.wh.other", False),
        ("app/config/.wh.key", False),
    ],
)
def test_whiteouts(later: str, hidden: bool) -> None:
    index = ImageIndex()
    layers = ["blobs/sha256/" + letter * 64 for letter in "ab"]
    index.add_metadata("manifest.json", json.dumps([{"Config": "c.json", "Layers": layers}]).encode())
    index.add_path(layers[0], "./app/config/keys/.env")
    index.add_path(layers[1], later)
    assert index.layer_origin(layers[0], "app/config/keys/.env").deleted is hidden
    assert not index.layer_origin(layers[1], later).deleted


@pytest.mark.parametrize(
    "metadata",
    [
        b"[" * 100_000,
        b'[{"Config": 5, "Layers": {"a": 1}}, 7, null, {"Layers": [[], {}, 3]}]',
        b'{"config": {"digest": 1}, "layers": [1, {"digest": []}, {"digest": "sha256:x"}]}',
        json.dumps([{"Config": "c", "Layers": ["a"] * 200_000}] * 3).encode(),
    ],
)
def test_hostile_metadata(metadata: bytes) -> None:
    pair, started = Pair.fresh(), time.process_time()
    others = {f"{number}.env": Pair.fresh().dotenv.encode() for number in range(50)}
    layer = tarred({**others, ".env": pair.dotenv.encode()})
    files = {"manifest.json": metadata, f"{'a' * 64}/layer.tar": layer, f"{'b' * 64}.json": metadata}
    result = scan_bytes(tarred(files), path="image.tar")
    assert all(place.origin is not None for place in found(result, pair).locations)
    assert time.process_time() - started < 5


class CountedPaths(set[str]):
    """The paths of a layer, which count how often they are searched."""

    searches = 0

    def __contains__(self, path: object) -> bool:
        CountedPaths.searches += 1
        return super().__contains__(path)

    def isdisjoint(self, paths: Iterable[object]) -> bool:
        CountedPaths.searches += 1
        return super().isdisjoint(paths)


def test_a_path_is_looked_for_once_in_each_layer_however_many_images_have_it() -> None:
    layers = ["blobs/sha256/" + f"{number:064x}" for number in range(100)]
    index = ImageIndex()
    images = [{"Config": f"{number}.json", "Layers": layers} for number in range(24)]
    index.add_metadata("manifest.json", json.dumps(images).encode())
    index.paths = {layer: CountedPaths({"etc/passwd"}) for layer in layers}
    path = "/".join("a" * 60)
    CountedPaths.searches = 0
    for _ in range(3):
        assert not index.layer_origin(layers[0], path).deleted
    assert CountedPaths.searches <= 100
    assert index.layer_origin(layers[0], "etc/passwd").deleted


def test_more_images_than_are_read_decide_nothing_about_deletion() -> None:
    layers = ["blobs/sha256/" + f"{number:064x}" for number in range(1_000)]
    index = ImageIndex()
    images = [{"Config": f"{number}.json", "Layers": layers} for number in range(40)]
    index.add_metadata("manifest.json", json.dumps(images).encode())
    index.add_path(layers[9], "etc/.wh.passwd")
    origin = index.layer_origin(layers[0], "etc/passwd")
    assert origin.layer == "sha256:" + "0" * 64
    assert not origin.deleted


class TestImageOption:
    """`--image` with a program that is played."""

    @pytest.fixture
    def install(self, tmp_path: Path) -> Callable[..., dict[str, str]]:
        def install(script: str, *, program: str = "docker", path: str = "{folder}") -> dict[str, str]:
            folder = tmp_path / "programs"
            folder.mkdir()
            (folder / program).write_text(f"#!/bin/sh\n{script}\n", "utf-8")
            (folder / program).chmod(0o755)
            return {"PATH": path.format(folder=folder)}

        return install

    @pytest.mark.parametrize("program", ["docker", "podman"])
    def test_an_image_is_read_through_the_program(
        self, install: Callable[..., dict[str, str]], tmp_path: Path, program: str
    ) -> None:
        image = Image()
        (tmp_path / "image").write_bytes(docker_archive(image.layers, image.settings))
        script = f'[ "$*" = "save registry.example/bot:1" ] && exec /bin/cat {tmp_path}/image'
        outcome = run(
            "scan", "--image", "registry.example/bot:1", "--format", "json",
            cwd=tmp_path, env=install(script, program=program),
        )  # fmt: skip
        assert digests(outcome.report["findings"]) == set().union(*(pair.digests for pair in image.pairs))
        paths = [place["path"] for finding in outcome.report["findings"] for place in finding["locations"]]
        assert all(path.startswith("registry.example/bot:1!/") for path in paths)

    def test_without_a_daemon(self, install: Callable[..., dict[str, str]], tmp_path: Path) -> None:
        outcome = run("scan", "--image", "bot", cwd=tmp_path, env=install("echo 'Cannot connect to it' >&2; exit 1"))
        assert (outcome.status, outcome.out) == (3, "")
        assert outcome.err.startswith("binance-leaks: docker cannot save the image: Cannot connect to it\n")

    @pytest.mark.parametrize("path", ["", ".", "programs", ":"])
    def test_a_relative_folder_of_path_is_not_searched(
        self, install: Callable[..., dict[str, str]], tmp_path: Path, path: str
    ) -> None:
        environment = install("touch /tmp/ran; exit 1", path=path)
        for folder in (tmp_path, tmp_path / "programs"):
            outcome = run("scan", "--image", "bot", cwd=folder, env=environment)
            assert outcome.status == 2
            assert "needs docker or podman" in outcome.err

    @pytest.mark.parametrize("name", ["", "--help", "a b", "$(id)", "-o/tmp/x", "a" * 600, "a\nb"])
    def test_names_are_checked(self, install: Callable[..., dict[str, str]], tmp_path: Path, name: str) -> None:
        outcome = run("scan", f"--image={name}", cwd=tmp_path, env=install("exit 0"))
        assert outcome.status == 2
        assert "an image is named by" in outcome.err

    def test_an_image_that_is_cut_is_incomplete(self, install: Callable[..., dict[str, str]], tmp_path: Path) -> None:
        image = Image()
        (tmp_path / "image").write_bytes(docker_archive(image.layers[:1], image.settings)[:4096])
        outcome = run(
            "scan", "--image", "bot", "--format", "json",
            cwd=tmp_path, env=install(f"/bin/cat {tmp_path}/image; echo gone >&2; exit 1"),
        )  # fmt: skip
        assert not outcome.report["scan"]["complete"]
        assert any("docker did not save all of it: gone" in one["why"] for one in outcome.report["scan"]["skipped"])

    def test_a_program_that_hangs_is_ended(self, install: Callable[..., dict[str, str]]) -> None:
        program = str(Path(install("exec /bin/sleep 60")["PATH"]) / "docker")
        with pytest.raises(ScanError, match="wrote nothing for"):
            list(read_image(program, "bot", idle=0.2))

    def test_one_that_hangs_in_the_middle_is_incomplete(self, install: Callable[..., dict[str, str]]) -> None:
        program = str(Path(install("echo begun; exec /bin/sleep 60")["PATH"]) / "docker")
        *_, last = read_image(program, "bot", idle=0.2)
        assert isinstance(last, Skipped)
        assert "wrote nothing for" in last.why
