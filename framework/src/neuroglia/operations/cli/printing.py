"""How answers are shown. Events may hold any text: nothing of it reaches the terminal as a command."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final, NoReturn

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.tree import Tree

_CONSOLE: Final = Console(markup=False, emoji=False, highlight=False)
_LONGEST: Final = 40
"""So long may be what is not folded."""
Items = Sequence[Mapping[str, Any]]


def show(items: Items, columns: Sequence[str], *, as_json: bool) -> None:
    """A table of these columns, but for those that are empty in every row; or all as JSON. What stands in the first
    column is to be copied: it is folded last."""
    if as_json or not items:
        typer.echo(json.dumps(items) if as_json else "There is nothing.")
        return
    filled = [name for name in columns if any(_plain(item.get(name)) for item in items)]
    whole = max(len(_plain(item.get(columns[0]))) for item in items) <= _LONGEST
    table = Table(*(Column(name, overflow="fold", no_wrap=whole and name == columns[0]) for name in filled))
    for item in items:
        table.add_row(*(_plain(item.get(name)) for name in filled))
    _CONSOLE.print(table)


def show_tree(events: Items) -> None:
    """Each event below the one that caused it, as far as that is among them."""
    root = Tree("events")
    nodes: dict[str, Tree] = {}
    for event in events:
        nodes[event["id"]] = nodes.get(event["causation_id"], root).add(line_of(event))
    _CONSOLE.print(root)


def line_of(event: Mapping[str, Any]) -> str:
    """An event in a line."""
    place = f"{event['position']} {event['stream']}@{event['revision']}"
    return _plain(f"{place} {event['type']} {json.dumps(event['data'])}")


def fail(text: str, code: int) -> NoReturn:
    """Ends the command with a word on stderr."""
    typer.echo(_plain(text), err=True)
    sys.exit(code)


def _plain(value: object) -> str:
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)
