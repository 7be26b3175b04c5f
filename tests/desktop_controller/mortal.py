"""The Desktop Controller in processes that die at a named write: `python -m … FOLDER`.

Reads one life after the other from stdin and answers each with a line. Each is a fork of this process, which has
everything imported: it is born in an instant, and dies as a process does.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TypedDict

from desktop_controller.main import create_app
from desktop_controller.settings import DesktopControllerSettings
from neuroglia.documents import DocumentStore
from neuroglia.event_sourcing import EventStore
from neuroglia.testing import CrashPoints, RunningService, kill_this_process, running
from tests.support.waiting import eventually

COMMANDS = "/api/v1/commands"
CATALOGUE = """
[commands.mark]
description = "Leaves a mark"
argv = ["sh", "-c", "echo $0 >> {file}", "{mark}"]
timeout_seconds = 10
[commands.mark.parameters.mark]
type = "text"
pattern = "[a-z0-9-]+"
[commands.mark.parameters.file]
type = "enum"
values = ["FILE"]
"""


class Life(TypedDict):
    """Which mark is to be left, and at the n-th time of which write it ends."""

    mark: str | None
    dies: tuple[str, int] | None


class Answer(TypedDict):
    """How a life ended: by what signal, or after which writes; how the commands stand, by mark; and for a life without
    a mark of its own, what the audit trail of each says: revision, type, and on whose behalf."""

    signal: int
    reached: list[str]
    commands: dict[str, tuple[str, str | None]]
    audit: dict[str, list[tuple[int, str, str]]]


async def listed(controller: RunningService) -> dict[str, tuple[str, str | None]]:
    """Status and reason of each command, by its mark."""
    page = (await controller.client.get(COMMANDS, params={"limit": 200})).json()
    return {item["arguments"]["mark"]: (item["status"], item["reason"]) for item in page["items"]}


async def audit(controller: RunningService) -> dict[str, list[tuple[int, str, str]]]:
    """All events of each command, by its mark."""
    page = (await controller.client.get(COMMANDS, params={"limit": 200})).json()
    trails: dict[str, list[tuple[int, str, str]]] = {}
    for item in page["items"]:
        stream = {"stream": f"host_command-{item['id']}"}
        events = (await controller.client.get("/api/v1/operations/events", params=stream)).json()["items"]
        trails[item["arguments"]["mark"]] = [(one["revision"], one["type"], one["actor"]) for one in events]
    return trails


async def live(life: Life, folder: Path) -> Answer:
    """Submits a command if it is told to, and waits until all have come to their end, if there is time."""
    marks, points = folder / "marks", CrashPoints(kill_this_process)
    settings = DesktopControllerSettings(
        data_dir=folder, commands_file=folder / "commands.toml", lease_seconds=0.3, log_level="ERROR"
    )
    async with running(create_app(settings)) as controller:

        async def all_final() -> bool:
            await controller.settle()
            return all(status not in {"requested", "running"} for status, _ in (await listed(controller)).values())

        await eventually(all_final, 20)  # what the life before has left
        points.watch(await controller.services.get(EventStore))
        points.watch(await controller.services.get(DocumentStore))
        if life["dies"] is not None:
            point, nth = life["dies"]
            points.crash_at(point, nth=nth)
        if life["mark"] is not None:
            body = {"command": "mark", "arguments": {"mark": life["mark"], "file": str(marks)}}
            await controller.client.post(COMMANDS, json=body)
            await eventually(all_final, 20)
        return Answer(
            signal=0, reached=list(points.reached), commands=await listed(controller),
            audit={} if life["mark"] else await audit(controller),
        )  # fmt: skip


def main(folder: Path) -> None:
    """One fork for each line."""
    (folder / "commands.toml").write_text(CATALOGUE.replace("FILE", str(folder / "marks")))
    for line in sys.stdin:
        if child := os.fork():
            _, status = os.waitpid(child, 0)
            if os.WIFSIGNALED(status):
                died = Answer(signal=os.WTERMSIG(status), reached=[], commands={}, audit={})
                print(json.dumps(died), flush=True)  # noqa: T201
            elif os.WEXITSTATUS(status):
                sys.exit("a life has failed")
        else:
            print(json.dumps(asyncio.run(live(json.loads(line), folder))), flush=True)  # noqa: T201
            os._exit(0)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
