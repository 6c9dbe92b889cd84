"""The plugin that passes hooks of OpenClaw on: three files in a folder of their own."""

from __future__ import annotations

import json
from importlib import resources

from binance_leaks.setup.plan import Keep, Plan, Refuse, WorkTree, Write, has_marker, plan_file

_FOLDER = "extensions/binance-leaks/"
_ID = "binance-leaks"
_MANIFESTS = {
    "package.json": {
        "name": _ID,
        "version": "1.0.0",
        "private": True,
        "type": "module",
        "openclaw": {"extensions": ["./index.js"]},
    },
    "openclaw.plugin.json": {
        "id": _ID,
        "name": _ID,
        "description": "Keeps Binance API credentials from the agent.",
        "configSchema": {"type": "object", "additionalProperties": False, "properties": {}},
    },
}
_SCRIPT = "index.js"
_NOTE = (
    f"Enable it: openclaw plugins enable {_ID}; and set plugins.entries.{_ID}.hooks.allowConversationAccess to true in "
    "openclaw.json, for prompts."
)


def plan_plugin(tree: WorkTree, folder: str) -> list[Plan]:
    """Plan the plugin below an OpenClaw folder. Files that others wrote or edited are left alone."""
    script = resources.files("binance_leaks.setup").joinpath("templates").joinpath("openclaw.js").read_text("utf-8")
    path = folder + _FOLDER + _SCRIPT
    return [
        *(_plan_manifest(tree, folder + _FOLDER + name, content) for name, content in _MANIFESTS.items()),
        plan_file(path, tree.read(path), script, notes=(_NOTE,), comment="//"),
    ]


def _plan_manifest(tree: WorkTree, path: str, content: object) -> Plan:
    """Plan a file of JSON, which has no place for a marker."""
    new = f"{json.dumps(content, indent=2)}\n".encode()
    old = tree.read(path)
    if old is None:
        return Write(path=path, old=None, new=new)
    if old.replace(b"\r\n", b"\n") == new:
        return Keep(path=path)
    return Refuse(path=path, why="it was there before", old=old, wanted=new)


def plugin_script(tree: WorkTree, folder: str) -> str | None:
    """Return the path of the plugin's script, None where there is no plugin of ours."""
    path = folder + _FOLDER + _SCRIPT
    data = tree.read(path)
    return path if data is not None and has_marker(data) else None
