"""Cells of notebooks: named where they are, and cheap and silent where the text is no notebook."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from random import Random

import pytest
from binance_leaks.detect.notebook_cells import cells_at
from binance_leaks.model import Cell, CellPart
from binance_leaks.pipeline.files import credentials_in
from binance_leaks.sources.read_content import Chunk

from tests.e2e import Pair

MARK = "here-it-is"
SOURCE, OUTPUT = CellPart.SOURCE, CellPart.OUTPUT


def code(source: object = (), outputs: object = (), **more: object) -> dict[str, object]:
    return {"cell_type": "code", "metadata": {}, "source": source, "outputs": outputs, **more}


TEXT: dict[str, object] = {"cell_type": "markdown", "source": ['# "[{" \\', '"cells": [{}]']}
NOTEBOOKS: dict[str, tuple[object, Cell | None]] = {
    "source": ({"cells": [TEXT, code([MARK])]}, Cell(number=2, part=SOURCE)),
    "one string": ({"cells": [code(f"x\n\"{MARK}'")]}, Cell(number=1, part=SOURCE)),
    "stream": ({"cells": [TEXT, TEXT, code([], [{"text": [MARK]}])]}, Cell(number=3, part=OUTPUT)),
    "data": ({"cells": [code([], [{"a": {}}, {"data": {"text/html": [MARK]}}])]}, Cell(number=1, part=OUTPUT)),
    "attachment": ({"cells": [code(attachments={"a.png": MARK})]}, Cell(number=1, part=None)),
    "widgets before": ({"metadata": {"widgets": [[{}], {}]}, "cells": [code([MARK])]}, Cell(number=1, part=SOURCE)),
    "format 3": ({"worksheets": [{"cells": [TEXT, {"input": [MARK], "outputs": []}]}]}, Cell(number=2, part=SOURCE)),
    "second sheet": ({"worksheets": [{"cells": [TEXT]}, {"cells": [{"input": [MARK]}]}]}, None),
    "metadata": ({"cells": [TEXT], "metadata": {"cells": [{"source": MARK}]}}, None),
    "cells of no object": ({"cells": {"source": [MARK]}}, None),
    "cells of texts": ({"cells": [MARK]}, None),
    "a list": ([{"cells": [code([MARK])]}], None),
    "a string": (MARK, None),
}


@pytest.mark.parametrize("name", NOTEBOOKS)
@pytest.mark.parametrize("indent", [None, 1])
def test_the_cell_is_found(name: str, indent: int | None) -> None:
    notebook, cell = NOTEBOOKS[name]
    text = json.dumps(notebook, indent=indent)
    assert cells_at(text, [text.index(MARK)]) == [cell]


def test_several_at_once() -> None:
    text = json.dumps({"cells": [code([MARK], [{"text": MARK}]), code([MARK])], "nbformat": MARK})
    offsets = [at for at in range(len(text)) if text.startswith(MARK, at)]
    found = [Cell(number=1, part=SOURCE), Cell(number=1, part=OUTPUT), Cell(number=2, part=SOURCE), None]
    assert cells_at(text, [*offsets, len(text) + 9]) == [*found, None]


HOSTILE: dict[str, Callable[[int], str]] = {
    "deep": lambda size: "[" * size,
    "many objects": lambda size: '{"cells":[' + "{}," * (size // 3),
    "quotes": lambda size: '"' * size,
    "escapes": lambda size: '"\\' * (size // 2),
    "closed": lambda size: "}" * size,
    "colons": lambda size: '"a":' * (size // 4),
    "blanks": lambda size: '"a"' + " " * size,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_cheap(name: str) -> None:
    """Eight times the text takes far less than the 64 times as long of a square."""

    def seconds(size: int) -> float:
        text = HOSTILE[name](size)
        before = time.process_time()
        assert cells_at(text, [len(text) - 1]) == [None]
        return time.process_time() - before

    long, short = (min(seconds(size) for _ in range(3)) for size in (1_600_000, 200_000))
    assert long < 24 * short + 0.1


def test_broken_text_has_some_cell_or_none() -> None:
    random = Random(4)
    whole = json.dumps({"cells": [TEXT, code([MARK], [{"text": MARK}])]})
    for _ in range(300):
        chars = list(whole)
        for _ in range(random.randrange(1, 6)):
            chars[random.randrange(len(chars))] = random.choice('[]{}":,\\x')
        text = "".join(chars)[: random.randrange(1, len(chars))]
        assert len(cells_at(text, [len(text) // 2, len(text) - 1, len(text)])) == 3


@pytest.mark.parametrize("ending", ["ipynb", "json"])
def test_findings_of_notebooks_have_cells(ending: str) -> None:
    pair = Pair.fresh()
    notebook = {"cells": [TEXT, code(pair.python.splitlines(keepends=True), [{"text": f"é {pair.dotenv}"}])]}
    data = json.dumps(notebook, indent=1, ensure_ascii=False).encode()
    path = f"a.{ending}"
    found = credentials_in(Chunk(path=path, evidence_path=path, data=data))
    cells = {each.location.cell for one in found for each in one.occurrences}
    assert cells == ({Cell(number=2, part=SOURCE), Cell(number=2, part=OUTPUT)} if ending == "ipynb" else {None})
    bad = credentials_in(Chunk(path=path, evidence_path=path, data=data + b"\xff"))
    assert {each.location.cell for one in bad for each in one.occurrences} == {None}
