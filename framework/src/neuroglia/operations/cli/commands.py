"""The commands, and how their answers are shown."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from urllib.parse import quote

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from neuroglia.operations.cli.client import Client
from neuroglia.operations.cli.diagnosis import findings

app: Final = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
subscriptions: Final = typer.Typer(invoke_without_command=True, help="Shows what follows the log; builds it anew.")
parked: Final = typer.Typer(no_args_is_help=True, help="Shows and mends what could not be handled.")
app.add_typer(subscriptions, name="subscriptions")
app.add_typer(parked, name="parked")
Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
Stream = Annotated[str | None, typer.Option(help="Of this stream alone.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")]
_POLL_S: Final = 0.2


@app.callback()
def connect(
    context: typer.Context,
    url: Annotated[str, typer.Option(envvar="NEUROGLIA_URL", help="Of the service.")] = "http://127.0.0.1:8080",
    token: Annotated[str, typer.Option(envvar="NEUROGLIA_TOKEN", help="An access token.")] = "",
) -> None:
    """Looks at a running service, and mends it."""
    context.obj = Client(url, token)


@app.command()
def events(
    context: typer.Context,
    stream: Stream = None,
    correlation: Annotated[str | None, typer.Option(help="Of this request of the outside alone.")] = None,
    tail: Annotated[bool, typer.Option("--tail", help="As they happen, until Ctrl-C.")] = False,
    tree: Annotated[bool, typer.Option("--tree", help="What caused what.")] = False,
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """Shows events, oldest first."""
    client: Client = context.obj
    if tail:
        for data in client.follow("/events/tail", params={"prefix": stream or ""}):
            typer.echo(data if as_json else _line(json.loads(data)))
        return
    named = {"stream": stream, "correlation_id": correlation}
    found = client.pages("/events", limit, **{name: value for name, value in named.items() if value is not None})
    if tree and not as_json:
        Console().print(_tree(found))
    else:
        _show(found, ("position", "stream", "revision", "type", "recorded_at", "actor", "data"), as_json=as_json)


@subscriptions.callback()
def list_subscriptions(context: typer.Context, as_json: Json = False) -> None:
    """Shows how far each subscription is."""
    if context.invoked_subcommand is None:
        columns = ("name", "kind", "state", "position", "lag", "rebuilt", "parked", "unknown_events", "error")
        _show(context.obj.pages("/subscriptions", 1), columns, as_json=as_json)


@subscriptions.command()
def rebuild(
    context: typer.Context,
    name: str,
    wait: Annotated[bool, typer.Option("--wait", help="Until it is done.")] = False,
) -> None:
    """Lets a projection's read models be built anew, beside those that are read."""
    client: Client = context.obj
    told = client.ask("POST", f"/subscriptions/{_part(name)}/rebuild")
    with Progress(disable=not wait) as progress:
        task = progress.add_task(f"Building {_plain(name)}", total=max(1, told["position"] + told["lag"]))
        while wait and told["rebuilt"] is not None:
            progress.update(task, completed=max(0, told["rebuilt"]))
            time.sleep(_POLL_S)
            (told,) = [one for one in client.pages("/subscriptions", 1) if one["name"] == name]
        progress.update(task, completed=max(1, told["position"] + told["lag"]))
    typer.echo(f"{_plain(name)} {'is built anew' if wait else 'is being built anew'}.")


@parked.command("list")
def list_parked(context: typer.Context, limit: Limit = 200, as_json: Json = False) -> None:
    """Shows the first parked events of each subscription."""
    found = context.obj.ask("GET", "/parked", params={"limit": min(limit, 200)})["items"]
    _show(found, ("subscription", "stream", "position", "type", "error", "attempts", "behind"), as_json=as_json)


@parked.command()
def show(
    context: typer.Context, subscription: str, stream: Stream = None, limit: Limit = 200, as_json: Json = False
) -> None:
    """Shows what of a subscription is parked, and what those events say that failed."""
    client: Client = context.obj
    found = client.pages(f"/parked/{_part(subscription)}", limit, **({"stream": stream} if stream else {}))
    for item in found:
        if not item["behind"]:
            at = {"stream": item["stream"], "after": item["revision"] - 1}
            item["data"] = [event["data"] for event in client.pages("/events", 1, **at)]
    _show(found, ("stream", "position", "type", "error", "attempts", "behind", "data"), as_json=as_json)


@parked.command()
def replay(context: typer.Context, subscription: str, stream: Stream = None) -> None:
    """Lets what is parked be handled after all, in order."""
    context.obj.ask("POST", f"/parked/{_part(subscription)}/replay", json={"stream": stream})
    typer.echo("It is being replayed. See: neuroglia parked list")


@parked.command()
def discard(
    context: typer.Context,
    subscription: str,
    stream: Stream = None,
    position: Annotated[int | None, typer.Option(help="The event at this position alone.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Leaves what is parked out, for ever."""
    if not yes:
        typer.confirm("These events will never be handled. Go on?", abort=True)
    wanted = {"stream": stream, "position": position}
    context.obj.ask("POST", f"/parked/{_part(subscription)}/discard", json=wanted)
    typer.echo("It is being discarded. See: neuroglia parked list")


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Says in plain words what is wrong, and what to do."""
    found = findings(context.obj)
    if as_json:
        typer.echo(json.dumps(found))
    for finding in [] if as_json else found:
        typer.echo(f"✗ {_plain(finding['wrong'])}\n  → {_plain(finding['remedy'])}")
    if found:
        raise typer.Exit(1)
    if not as_json:
        typer.echo("✓ All is well.")


def complain(text: str) -> None:
    """Tells on stderr."""
    typer.echo(_plain(text), err=True)


def _show(items: Sequence[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(items))
        return
    table = Table(*columns)
    for item in items:
        table.add_row(*(Text(_plain(item.get(column))) for column in columns))
    Console().print(table)


def _tree(events: Sequence[Mapping[str, Any]]) -> Tree:
    """Each event below the one that caused it, as far as that is among them."""
    root = Tree("events")
    nodes: dict[str, Tree] = {}
    for event in events:
        nodes[event["id"]] = nodes.get(event["causation_id"], root).add(Text(_line(event)))
    return root


def _line(event: Mapping[str, Any]) -> str:
    place = f"{event['position']} {event['stream']}@{event['revision']}"
    return _plain(f"{place} {event['type']} {json.dumps(event['data'])}")


def _plain(value: object) -> str:
    """Nothing that a terminal would take for a command: events may hold any text."""
    text = "" if value is None else value if isinstance(value, str) else json.dumps(value)
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def _part(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")
