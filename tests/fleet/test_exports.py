"""The recipes that follow the pages of a forge, as docs/fleet.md has them, against a server with pages."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from binance_leaks.errors import UsageError
from binance_leaks.fleet.repository_list import read_list

from tests.test_docs_commands import shown

pytestmark = pytest.mark.skipif(
    os.name == "nt" or not shutil.which("curl") or not shutil.which("jq"), reason="needs curl and jq"
)


class _Forge(BaseHTTPRequestHandler):
    """Three pages in the form of Bitbucket or Gitea; where it is broken the third cannot be had."""

    broken = False

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        page = int(parse_qs(asked.query).get("page", ["1"])[0])
        if self.broken and page == 3:
            self.send_error(500)
            return
        found = [{"full_name": f"o/{page}", "clone_url": f"https://host/o/{page}.git"}] if page <= 3 else []
        next_page = f"http://{self.headers['Host']}{asked.path}?page={page + 1}"
        more = {"next": next_page} if page < 3 else {}
        body = json.dumps(found if "/api/v1/" in asked.path else {"values": found, **more}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        return None


class _Broken(_Forge):
    broken = True


@pytest.fixture(params=[_Forge, _Broken], ids=["sound", "broken"])
def forge(request: pytest.FixtureRequest) -> Iterator[tuple[str, bool]]:
    """The address of a forge, and whether it breaks off."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), request.param)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", request.param is _Broken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("host", ["api.bitbucket.org", "HOST/api/v1"])
def test_pages_are_followed_to_the_last(host: str, forge: tuple[str, bool], tmp_path: Path) -> None:
    address, broken = forge
    (command,) = (one.text for one in shown() if one.document == "fleet.md" and f"https://{host}" in one.text)
    command = re.sub(rf"https://{host.partition('/')[0]}", address, command)
    done = subprocess.run(["bash", "-c", command], cwd=tmp_path, capture_output=True, timeout=60, check=False)
    data = (tmp_path / "repositories.json").read_bytes()
    if not broken:
        assert done.returncode == 0
        assert [entry.label for entry in read_list(data, "list", base=tmp_path)] == ["o/1", "o/2", "o/3"]
    elif host == "api.bitbucket.org":
        with pytest.raises(UsageError, match="the last page is missing"):
            read_list(data, "list", base=tmp_path)
    assert bool(done.stderr) == broken
