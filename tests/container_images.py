"""Images of containers as docker, podman and buildx save them, with layers of a test's own."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Files = Mapping[str, bytes]
CREATED = "2024-05-01T09:00:00Z"


@dataclass(frozen=True, kw_only=True)
class Layer:
    """Files of a layer with the command that made it. An empty content under a name with `.wh.` is a whiteout."""

    command: str
    files: Files


def tarred(files: Files) -> bytes:
    """A tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def sha256(data: bytes) -> str:
    """The digest in hex."""
    return hashlib.sha256(data).hexdigest()


def configuration(layers: Sequence[Layer], config: Mapping[str, object] | None = None, *further: str) -> bytes:
    """The configuration of an image. `further` are commands that made no layer."""
    history: list[dict[str, object]] = [
        {"created": CREATED, "created_by": command, "empty_layer": True} for command in further
    ]
    history += [{"created": CREATED, "created_by": layer.command} for layer in layers]
    whole = {
        "created": CREATED,
        "config": config or {},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{sha256(tarred(layer.files))}" for layer in layers]},
        "history": history,
    }
    return json.dumps(whole).encode()


def docker_archive(layers: Sequence[Layer], settings: bytes) -> bytes:
    """As docker before version 25 saves it: layers as `ID/layer.tar`, the manifest behind them."""
    names = [f"{sha256(layer.command.encode())}/layer.tar" for layer in layers]
    files = {name: tarred(layer.files) for name, layer in zip(names, layers, strict=True)}
    name = f"{sha256(settings)}.json"
    manifest = [{"Config": name, "RepoTags": ["bot:1"], "Layers": names}]
    return tarred({**files, name: settings, "manifest.json": json.dumps(manifest).encode()})


def oci_layout(layers: Sequence[Layer], settings: bytes, pack: Callable[[bytes], bytes]) -> Files:
    """The files of an OCI layout, whose layers are packed."""
    packed = [pack(tarred(layer.files)) for layer in layers]
    manifest = {
        "schemaVersion": 2,
        "config": {"digest": f"sha256:{sha256(settings)}"},
        "layers": [{"digest": f"sha256:{sha256(one)}"} for one in packed],
    }
    whole = json.dumps(manifest).encode()
    index = {"schemaVersion": 2, "manifests": [{"digest": f"sha256:{sha256(whole)}"}]}
    blobs = {f"blobs/sha256/{sha256(one)}": one for one in (*packed, settings, whole)}
    return {**blobs, "index.json": json.dumps(index).encode(), "oci-layout": b'{"imageLayoutVersion": "1.0.0"}'}
