"""What the metadata of a container image say of its layers: which command made one, and which deletes a file.

`docker save` and `podman save` write tar archives with a `manifest.json`, layers as `ID/layer.tar` or
`blobs/sha256/DIGEST`; OCI layouts, archives or folders, have an `index.json` and the same blobs (OCI image
specification: image-layout.md, config.md, layer.md for whiteouts). Metadata may follow the layers, so an origin is
known when the whole archive was read.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping, Sequence

from binance_leaks.lazy_dataclasses import dataclass, field
from binance_leaks.lazy_patterns import lazy_pattern
from binance_leaks.model import IMAGE_CONFIGURATION, Origin

LARGEST_METADATA = 16 << 20
"""Bytes of all metadata in one archive or folder that are parsed."""
_MOST_LAYERS = 1_000
_MOST_METADATA = 256
_MOST_LAYERS_OF_ALL = 20_000
_MOST_KEPT = 1_000
_MOST_PATHS = 500_000
_DEEPEST = 64
_MEMBER = lazy_pattern(
    r"(?:\./)?(?:blobs/sha256/[0-9a-f]{64}|[0-9a-f]{64}/layer\.tar|[0-9a-f]{64}\.(?:json|tar)|manifest\.json|index\.json)"
)
_WHITEOUT = ".wh."
_OPAQUE = ".wh..wh..opq"
_SHELL = "/bin/sh -c "
_RUN = "RUN "
_NO_RUN = "#(nop)"
_BUILDKIT = "# buildkit"


def is_image_member(name: str) -> bool:
    """Whether a member of a tar archive has the name of a layer or of metadata of an image."""
    return _MEMBER.fullmatch(name) is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class _Layer:
    name: str
    digest: str
    command: str
    date: str


@dataclass(frozen=True, kw_only=True, slots=True)
class _Image:
    """The name of its configuration, and its layers, the lowest first."""

    configuration: str
    created: str
    layers: tuple[_Layer, ...]


@dataclass(kw_only=True, slots=True)
class ImageIndex:
    """What was read of the images in one archive or folder; add members in any order, then ask."""

    metadata: dict[str, object] = field(default_factory=dict)
    paths: dict[str, set[str]] = field(default_factory=dict)
    """The files and whiteouts of each layer."""
    links: dict[str, str] = field(default_factory=dict)
    """Layers that are links to others, as in archives of old versions of docker."""
    images: list[_Image] | None = None
    is_cut: bool = False
    """Whether there are more images than are read."""
    hiding: dict[str, frozenset[str]] = field(default_factory=dict)
    """The layers that hide a file, for the last paths that were asked for."""
    count: int = 0
    """How many paths were added."""
    size: int = 0
    """Bytes of metadata."""

    def add_metadata(self, name: str, content: bytes) -> None:
        """Add a member that may be JSON."""
        self.size += len(content)
        if len(self.metadata) < _MOST_METADATA and self.size <= LARGEST_METADATA:
            try:
                self.metadata[_normal(name)] = json.loads(content)
            except (ValueError, RecursionError):
                return

    def add_path(self, layer: str, path: str) -> None:
        """Add a file, folder or whiteout of a layer."""
        self.count += 1
        if self.count <= _MOST_PATHS:
            self.paths.setdefault(_normal(layer), set()).add(_normal(path))

    def add_link(self, layer: str, target: str) -> None:
        """Add a layer that is a link to another."""
        self.links[_normal(layer)] = _normal(posixpath.join(posixpath.dirname(layer), target))

    def layer_origin(self, layer: str, path: str) -> Origin:
        """Return which layer has a file, what made it, and whether a later one deletes it in every image."""
        name, path = _normal(layer), _normal(path)
        held = [(image, at) for image in self._images() if (at := _index(image, name)) is not None]
        if not held:
            return Origin(layer=_digest(name))
        first, at = held[0]
        hiding = self._hiding(path)
        deleted = not self.is_cut and all(
            any(later.name in hiding for later in image.layers[index + 1 :]) for image, index in held
        )
        found = first.layers[at]
        return Origin(layer=found.digest, command=found.command, date=found.date, deleted=deleted)

    def configuration_origin(self, name: str) -> Origin | None:
        """Return the origin of a value in metadata, None where no image has them as its configuration."""
        image = next((image for image in self._images() if image.configuration == _normal(name)), None)
        return Origin(layer=IMAGE_CONFIGURATION, date=image.created) if image is not None else None

    def _hiding(self, path: str) -> frozenset[str]:
        """The layers that replace a file, or have a whiteout for it or for a folder around it."""
        if path not in self.hiding:
            names = {path}
            parts = path.split("/", _DEEPEST)
            for depth, name in enumerate(parts):
                inside = "".join(f"{folder}/" for folder in parts[:depth])
                names |= {f"{inside}{_WHITEOUT}{name}", f"{inside}{_OPAQUE}"}
            layers = {layer.name for image in self._images() for layer in image.layers}
            if len(self.hiding) >= _MOST_KEPT:
                self.hiding.clear()
            self.hiding[path] = frozenset(
                layer for layer in layers if not self.paths.get(layer, frozenset()).isdisjoint(names)
            )
        return self.hiding[path]

    def _images(self) -> list[_Image]:
        if self.images is None:
            self.images = []
            left = _MOST_LAYERS_OF_ALL
            for configuration, names in dict.fromkeys(self._manifests()):
                left -= len(names)
                if left < 0 or len(self.images) >= _MOST_METADATA:
                    self.is_cut = True
                    break
                self.images.append(self._image(configuration, names))
        return self.images

    def _manifests(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The names of configuration and layers, from the manifests of docker and of OCI."""
        for document in self.metadata.values():
            for manifest in document if isinstance(document, list) else ():
                if isinstance(manifest, dict):
                    yield _text(manifest, "Config"), tuple(map(str, _items(manifest, "Layers")[:_MOST_LAYERS]))
            if isinstance(document, dict) and isinstance(document.get("config"), dict):
                layers = tuple(
                    _blob(layer) for layer in _items(document, "layers")[:_MOST_LAYERS] if isinstance(layer, dict)
                )
                if layers:
                    yield _blob(document["config"]), layers

    def _image(self, configuration: str, names: Sequence[str]) -> _Image:
        document = self.metadata.get(_normal(configuration))
        config: Mapping[str, object] = document if isinstance(document, dict) else {}
        history = [step for step in _items(config, "history") if isinstance(step, dict)]
        steps = [step for step in history if not step.get("empty_layer")]
        filesystem = config.get("rootfs")
        digests = _items(filesystem, "diff_ids") if isinstance(filesystem, dict) else []
        layers = []
        for at, name in enumerate(map(_normal, names)):
            step: Mapping[str, object] = steps[at] if len(steps) == len(names) else {}
            own = _digest(name)
            digest = own if ":" in own or at >= len(digests) else str(digests[at])
            real = self.links.get(name, name)
            layers.append(
                _Layer(
                    name=real, digest=digest, command=_command(_text(step, "created_by")), date=_text(step, "created")
                )
            )
        return _Image(configuration=_normal(configuration), created=_text(config, "created"), layers=tuple(layers))


def _index(image: _Image, name: str) -> int | None:
    return next((at for at, layer in enumerate(image.layers) if layer.name == name), None)


def _normal(path: str) -> str:
    return posixpath.normpath(path).lstrip("/")


def _blob(descriptor: Mapping[str, object]) -> str:
    return f"blobs/{_text(descriptor, 'digest').replace(':', '/', 1)}"


def _digest(name: str) -> str:
    """The digest of a layer by the name of its blob, else the name without what all have."""
    if name.startswith("blobs/"):
        return name.removeprefix("blobs/").replace("/", ":", 1)
    return name.removesuffix("/layer.tar").removesuffix(".tar")


def _text(mapping: Mapping[str, object], key: str) -> str:
    value = mapping.get(key)
    return value if isinstance(value, str) else ""


def _items(mapping: Mapping[str, object], key: str) -> Sequence[object]:
    value = mapping.get(key)
    return value if isinstance(value, list) else []


def _command(created_by: str) -> str:
    """The instruction of the Dockerfile as it was written, as far as the history has it."""
    command = created_by.strip().removesuffix(_BUILDKIT).strip()
    inner = command.removeprefix(_RUN).removeprefix(_SHELL).strip()
    if inner.startswith(_NO_RUN):
        return inner.removeprefix(_NO_RUN).strip()
    return f"{_RUN}{inner}" if command.startswith((_SHELL, _RUN)) else command
