"""Counts lines of code: neither blank, nor comment, nor docstring."""

import ast
import io
import sys
import tokenize
from pathlib import Path


def code_lines(path: Path) -> set[int]:
    """The numbers of the lines of a file that hold code."""
    source = path.read_text()
    lines: set[int] = set()
    skip = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skip:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def count(paths: list[Path]) -> int:
    """The lines of code of files and folders together."""
    files = [file for path in paths for file in ([path] if path.is_file() else sorted(path.rglob("*.py")))]
    return sum(len(code_lines(file)) for file in files)


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(f"{count([Path(name)]):6} {name}")  # noqa: T201
