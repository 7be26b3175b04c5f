"""The commands, and how their answers are shown."""

import json
import time
from collections.abc import Callable
from itertools import islice
from typing import Annotated, Any, Final
from urllib.parse import quote

import httpx
import typer
from rich.progress import Progress

from neuroglia.operations.cli.client import API, connect, follow, items
from neuroglia.operations.cli.diagnosis import findings
from neuroglia.operations.cli.printing import fail, line_of, show, show_tree


def _quoted(name: str) -> str:
    """A name as one part of a path."""
    return quote(name, safe="")


app: Final = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
subscriptions: Final = typer.Typer(invoke_without_command=True, help="Shows what follows the log; builds it anew.")
parked: Final = typer.Typer(no_args_is_help=True, help="Shows and mends what could not be handled.")
app.add_typer(subscriptions, name="subscriptions")
app.add_typer(parked, name="parked")
jobs: Final = typer.Typer(no_args_is_help=True, help="Shows what waits in queues, above all background jobs; mends it.")
app.add_typer(jobs, name="jobs")
Json = Annotated[bool, typer.Option("--json", help="As JSON, for programs.")]
Stream = Annotated[str | None, typer.Option(help="Of this stream alone.")]
Limit = Annotated[int, typer.Option(min=1, max=100_000, help="At most so many.")]
Wait = Annotated[bool, typer.Option("--wait", help="Until it is done.")]
Name = Annotated[str, typer.Argument(callback=_quoted)]
_UNFINISHED: Final = ("parked", "running", "waiting")
_POLL_S: Final = 0.2


@app.callback()
def begin(
    context: typer.Context,
    url: Annotated[str, typer.Option(envvar="NEUROGLIA_URL", help="Of the service.")] = "http://127.0.0.1:8080",
    token: Annotated[str, typer.Option(envvar="NEUROGLIA_TOKEN", help="An access token.")] = "",
) -> None:
    """Looks at a running service, and mends it."""
    context.obj = connect(url, token)


@app.command()
def events(
    context: typer.Context,
    stream: Stream = None,
    correlation: Annotated[str | None, typer.Option(help="Of this request of the outside alone.")] = None,
    tail: Annotated[bool, typer.Option("--tail", help="As they happen, until Ctrl-C.")] = False,
    tree: Annotated[bool, typer.Option("--tree", help="What caused what.")] = False,
    after: Annotated[int | None, typer.Option(help="Behind this position; with --stream, this revision.")] = None,
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """Shows events, oldest first."""
    client: httpx.Client = context.obj
    if tail:
        if correlation or tree or after is not None:
            fail("--tail goes with --stream alone, which then is what streams begin with.", 2)
        for data in follow(client, "/events/tail", prefix=stream or ""):
            typer.echo(data if as_json else line_of(json.loads(data)))
        return
    found = list(islice(items(client, "/events", stream=stream, correlation_id=correlation, after=after), limit))
    if as_json:
        show(found, (), as_json=True)
    elif tree:
        show_tree(found)
    else:
        for event in found:
            typer.echo(line_of(event))


@subscriptions.callback()
def list_subscriptions(context: typer.Context, as_json: Json = False) -> None:
    """Shows how far each subscription is."""
    if context.invoked_subcommand is None:
        columns = ("name", "kind", "state", "position", "lag", "rebuilt", "parked", "unknown_events", "error")
        show(list(items(context.obj, "/subscriptions")), columns, as_json=as_json)


@subscriptions.command()
def rebuild(context: typer.Context, name: Name, wait: Wait = False) -> None:
    """Lets a projection's read models be built anew, beside those that are read."""
    told = context.obj.post(f"{API}/subscriptions/{name}/rebuild").json()
    if wait:
        _watch(context.obj, told, f"Building {name}", told["position"] + told["lag"], lambda now: now["rebuilt"])
    typer.echo(f"{name} {'is built anew' if wait else 'is being built anew'}.")


@parked.command("list")
def list_parked(context: typer.Context, as_json: Json = False) -> None:
    """Shows the first parked events of each subscription."""
    columns = ("subscription", "stream", "position", "type", "error", "attempts", "behind")
    show(list(items(context.obj, "/parked")), columns, as_json=as_json)


@parked.command("show")
def show_parked(
    context: typer.Context, subscription: Name, stream: Stream = None, limit: Limit = 200, as_json: Json = False
) -> None:
    """Shows what of a subscription is parked, and what those events say that failed."""
    found = list(islice(items(context.obj, f"/parked/{subscription}", stream=stream), limit))
    for item in found:
        if not item["behind"]:
            event = items(context.obj, "/events", stream=item["stream"], after=item["revision"] - 1, limit=1)
            item["data"] = [told["data"] for told in islice(event, 1)]
    show(found, ("stream", "position", "type", "error", "attempts", "behind", "data"), as_json=as_json)


@parked.command()
def replay(context: typer.Context, subscription: Name, stream: Stream = None, wait: Wait = False) -> None:
    """Lets what is parked be handled after all, in order."""
    _request(context.obj, subscription, "replay", {"stream": stream}, wait=wait)


@parked.command()
def discard(
    context: typer.Context,
    subscription: Name,
    stream: Stream = None,
    position: Annotated[int | None, typer.Option(help="The event at this position alone.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    wait: Wait = False,
) -> None:
    """Leaves what is parked out, for ever."""
    if not yes:
        typer.confirm("These events will never be handled. Go on?", abort=True)
    _request(context.obj, subscription, "discard", {"stream": stream, "position": position}, wait=wait)


@jobs.command("list")
def list_jobs(
    context: typer.Context,
    queue: Annotated[str, typer.Option(help="jobs, inbox, outbox, <process manager>:deadlines.")] = "jobs",
    state: Annotated[str | None, typer.Option(help="waiting, running, parked, done or discarded.")] = None,
    limit: Limit = 200,
    as_json: Json = False,
) -> None:
    """Shows the jobs that have not ended, or those in a state; or what stands in another queue."""
    states = [state] if state else _UNFINISHED
    found = list(
        islice((one for each in states for one in items(context.obj, "/jobs", queue=queue, state=each)), limit)
    )
    rows = [{**item, "task": item["body"].get("task") or item["body"].get("step") or item["group"]} for item in found]
    show(rows, ("id", "task", "state", "due", "attempts", "waits", "error"), as_json=as_json)


@jobs.command("show")
def show_job(context: typer.Context, id: Name, as_json: Json = False) -> None:
    """Shows all of one."""
    found = context.obj.get(f"{API}/jobs/{id}").json()
    fields = ("id", "queue", "state", "due", "attempts", "waits", "error", "body")
    rows = [found] if as_json else [{"field": name, "value": found[name]} for name in fields]
    show(rows, ("field", "value"), as_json=as_json)


@jobs.command("run")
def run_job(
    context: typer.Context,
    task: str,
    arguments: Annotated[str, typer.Argument(help="As JSON.")] = "null",
    key: Annotated[str | None, typer.Option(help="Nothing happens if there is a job with this key.")] = None,
) -> None:
    """Enqueues a job of a task, for now."""
    try:
        body = {"task": task, "arguments": json.loads(arguments), "key": key}
    except ValueError:
        fail("The arguments are not valid JSON.", 2)
    typer.echo(context.obj.post(f"{API}/jobs", json=body).json()["id"])


@jobs.command("retry")
def retry_job(context: typer.Context, id: Name) -> None:
    """Lets what is parked or cancelled be begun anew, with all its attempts."""
    context.obj.post(f"{API}/jobs/{id}/retry")
    typer.echo(f"It is begun anew. See: neuroglia jobs show {id}")


@jobs.command("cancel")
def cancel_job(context: typer.Context, id: Name) -> None:
    """Ends a job; what one that runs has staged is not stored any more. Or leaves out what is parked in the inbox."""
    context.obj.post(f"{API}/jobs/{id}/cancel")
    typer.echo("It is cancelled.")


@app.command()
def doctor(context: typer.Context, as_json: Json = False) -> None:
    """Says in plain words what is wrong, and what to do."""
    found = [{"wrong": wrong, "remedy": remedy} for wrong, remedy in findings(context.obj)]
    if found or as_json:
        show(found, ("wrong", "remedy"), as_json=as_json)
    else:
        typer.echo("All is well.")
    raise typer.Exit(1 if found else 0)


def _request(client: httpx.Client, subscription: str, verb: str, body: dict[str, Any], *, wait: bool) -> None:
    told = client.post(f"{API}/parked/{subscription}/{verb}", json=body).json()
    if not wait:
        typer.echo(f"The {verb} has begun. See: neuroglia parked list")
        return
    total: int = told["requested"]

    def reached(now: Any) -> int | None:
        return total - now["requested"] if now["requested"] else None

    told = _watch(client, told, f"{subscription}: {verb}", total, reached)
    typer.echo(f"It is done. Of {told['parked']} stream(s) events are parked.")


def _watch(client: httpx.Client, told: Any, title: str, total: int, reached: Callable[[Any], int | None]) -> Any:
    """Shows how far a subscription is with long work, until it has reached the end: None. Returns how it is then."""
    with Progress() as progress:
        task = progress.add_task(title, total=total)
        while (now := reached(told)) is not None:
            progress.update(task, completed=now)
            time.sleep(_POLL_S)
            told = next(one for one in items(client, "/subscriptions") if one["name"] == told["name"])
        progress.update(task, completed=total)
    return told
