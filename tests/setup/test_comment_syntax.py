"""Where a line has room for a comment, and where the comment would become a part of something else."""

from __future__ import annotations

import pytest
from binance_leaks.setup.comment_syntax import comment_syntax, why_no_comment


@pytest.mark.parametrize(
    ("path", "comment"),
    [
        ("bot.py", "# x"), ("a/bot.TS", "// x"), ("main.rs", "// x"), ("query.sql", "-- x"), ("a.lisp", "; x"),
        ("paper.tex", "% x"), ("index.html", "<!-- x -->"), ("README.md", "<!-- x -->"), ("a.css", "/* x */"),
        ("deploy.yml", "# x"), ("main.tf", "# x"), (".env", "# x"), ("a\\.env.local", "# x"), ("Dockerfile", "# x"),
        ("Jenkinsfile", "// x"), ("app.properties", "# x"),
    ],
)  # fmt: skip
def test_comments_by_type(path: str, comment: str) -> None:
    syntax = comment_syntax(path)
    assert syntax is not None
    assert syntax.format("x") == comment


@pytest.mark.parametrize("path", ["a.json", "a.csv", "a.ipynb", "a.txt", "key", "a.pem", "a.db"])
def test_types_without_comments(path: str) -> None:
    assert comment_syntax(path) is None


@pytest.mark.parametrize("path", [".env", "Dockerfile", "setup.cfg", "app.ini", "app.properties", "Makefile"])
def test_comments_behind_values_that_would_belong_to_them(path: str) -> None:
    syntax = comment_syntax(path)
    assert syntax is not None
    assert syntax.own_line


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", 'x = """\nHERE\n"""'),
        ("a.py", "x = 1 + \\\n  HERE"),
        ("a.py", "HERE \\\n  + 1"),
        ("a.js", "x = `\nHERE\n`"),
        ("a.js", "/* a\nHERE\n*/"),
        ("a.go", "x := `it's\nHERE\n`"),
        ("a.java", 'x = """\n  HERE\n  """;'),
        ("a.toml", "x = '''\nHERE\n'''"),
        ("a.sh", "cat <<EOF\nHERE\nEOF"),
        ("a.sh", "x='\nHERE\n'"),
        ("a.sh", "curl \\\n  -H HERE"),
        ("a.tf", "x = <<-EOT\n  HERE\n  EOT"),
        ("a.yml", "run: |\n  one\n    HERE"),
        ("a.yml", "- >-\n  HERE"),
        ("a.html", '<a\n  href="HERE"\n>'),
        ("a.sql", "select '\nHERE\n'"),
    ],
)
def test_lines_without_room(path: str, text: str) -> None:
    assert _why(path, text) is not None


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", 'x = """\ny"""\nz = "HERE"'),
        ("a.py", "call(\n  HERE,\n)  # don't"),
        ("a.py", 'x = "HERE"  # noqa'),
        ("a.js", "x = `a`; /* b */ y = 'it\\'s'; z = \"HERE\"; // don't"),
        ("a.rs", "fn f<'a>() {\n  HERE\n}"),
        ("a.sh", "cat <<EOF\nx\nEOF\nexport A=HERE"),
        ("a.sh", "# don't\nexport A='HERE'"),
        ("a.yml", "run: |\n  one\nkey: HERE"),
        ("a.yml", "a:\n  b: it's\n  c: HERE"),
        ("a.html", "<p>HERE</p>"),
        (".env", "# it's\nA=HERE"),
    ],
)
def test_lines_with_room(path: str, text: str) -> None:
    assert _why(path, text) is None


def _why(path: str, text: str) -> str | None:
    lines = text.split("\n")
    index = next(n for n, line in enumerate(lines) if "HERE" in line)
    syntax = comment_syntax(path)
    assert syntax is not None
    return why_no_comment(path, lines, index, syntax)
