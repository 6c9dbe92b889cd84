"""Feeds hostile inputs to every reader of the program: `python -m tests.fuzz --help`.

`targets.py` is the table: for each reader how its inputs are made, what is called, which errors it may raise. Inputs
are seeds made by code (`seeds.py`), mutated (`mutation.py`), or made by a grammar (`grammars.py`). `laws.py` holds for
each input: only documented errors, no value of a credential in what is shown, little memory. `worker.py` calls one
target in a process of its own, which `runs.py` starts and watches, so that a crash or a hang is noticed too.
"""
