"""Files that hold a pair in a form that is no plain text: compiled code, a database, archives."""

from __future__ import annotations

import io
import marshal
import sqlite3
import tarfile
import tempfile
import zipfile
from pathlib import Path

from tests.e2e import Pair

PADDING = "import os\n\n\ndef price(symbol: str) -> float:\n    return float(os.environ[symbol])\n"
PADDING_LINES = 5
CALL = PADDING_LINES + 2


def module(pair: Pair, *, padding: int = 1) -> str:
    """A Python module with the pair in its last line, which is line `CALL` with one padding."""
    return PADDING * padding + pair.python


def dotenv(pair: Pair) -> str:
    """A `.env` file with the key in line 2 and the secret in line 3."""
    return f"# the account that trades\n{pair.dotenv}"


def compiled(pair: Pair) -> bytes:
    """What Python keeps in `__pycache__`."""
    code = compile(module(pair), "bot.py", "exec")
    return b"\xa7\x0d\x0d\x0a" + bytes(12) + marshal.dumps(code)


def database(pair: Pair) -> bytes:
    """An SQLite file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bot.sqlite"
        connection = sqlite3.connect(path)
        connection.execute("create table binance_keys(exchange text, api_key text, api_secret text)")
        connection.execute("insert into binance_keys values (?, ?, ?)", ("binance", pair.key, pair.secret))
        connection.commit()
        connection.close()
        return path.read_bytes()


def zipped(pair: Pair) -> bytes:
    """A zip with the module as `src/bot.py`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("src/bot.py", module(pair))
    return buffer.getvalue()


def tarred(pair: Pair) -> bytes:
    """A tar.gz with the module as `src/bot.py`."""
    buffer, content = io.BytesIO(), module(pair).encode()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        member = tarfile.TarInfo("src/bot.py")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()
