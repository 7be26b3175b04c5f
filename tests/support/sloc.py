"""Counts lines of code: neither blank, nor comment, nor docstring."""

import ast
import functools
import io
import tokenize
from collections.abc import Iterable
from pathlib import Path

_NO_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


@functools.cache
def code_lines(path: Path) -> frozenset[int]:
    """The numbers of the lines of a file that hold code, without its imports."""
    source = path.read_text()
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        docstring = (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        )
        if docstring or isinstance(node, ast.Import | ast.ImportFrom):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return frozenset(lines)


def count(*paths: Path) -> int:
    """The lines of code of files and folders together."""
    files: Iterable[Path] = (file for path in paths for file in ([path] if path.is_file() else path.rglob("*.py")))
    return sum(len(code_lines(file)) for file in files)


def count_definition(path: Path, name: str) -> int:
    """The lines of code of one class, function or method (`Class.method`) of a file, decorators included."""
    scope: ast.AST = ast.parse(path.read_text())
    for part in name.split("."):
        scope = next(
            node
            for node in ast.iter_child_nodes(scope)
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.name == part
        )
    assert isinstance(scope, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    first = min([scope.lineno, *(decorator.lineno for decorator in scope.decorator_list)])
    return len(code_lines(path) & set(range(first, (scope.end_lineno or first) + 1)))
