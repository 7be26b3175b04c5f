"""Short ways to say what has happened, and what somebody sends."""

from datetime import UTC, datetime
from typing import Any

from desktop_controller.application.command_runner import CommandRunner
from desktop_controller.domain.events.host_commands import (
    CancellationRequested,
    CommandFailed,
    CommandRequested,
    CommandStarted,
    CommandSucceeded,
)
from desktop_controller.domain.models.captured_output import CapturedOutput
from desktop_controller.domain.models.command_status import CommandStatus
from neuroglia.testing import Answer, RunningService
from tests.desktop_controller.doubles import FakeHost, Running, entry
from tests.support.waiting import eventually

API = "/api/v1"
COMMANDS = f"{API}/commands"
NOW = datetime(2025, 1, 31, 9, 30, tzinfo=UTC)
OUTPUT = CapturedOutput(stdout="hi\n", stderr="", output_bytes=3, output_sha256="abc", truncated=False)
STARTED = CommandStarted(started_at=NOW)
CANCELLATION = CancellationRequested(requested_by="ops")
SUCCEEDED = CommandSucceeded(finished_at=NOW, output=OUTPUT)
ECHO = {"command": "echo", "arguments": {"text": "hi"}}
SLEEP = {"command": "sleep"}
IN_TIME = {"Prefer": "wait=10"}


def requested(command: str = "echo", **arguments: str) -> CommandRequested:
    """Somebody wanted a command to be run."""
    return CommandRequested(
        command=command, arguments=arguments, timeout_seconds=5.0, justification=None, requested_by="ops",
        version="1", sha256=entry(command).sha256,
    )  # fmt: skip


def failed(
    status: CommandStatus, reason: str = "so it is", exit_code: int | None = None, output: CapturedOutput | None = None
) -> CommandFailed:
    """It ended without success."""
    return CommandFailed(status=status, reason=reason, finished_at=NOW, exit_code=exit_code, output=output)


async def submit(controller: RunningService, body: dict[str, Any], **headers: str) -> str:
    """A command is requested, and this is its id."""
    response = await controller.client.post(COMMANDS, json=body, headers=headers)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


async def submit_and_start(controller: RunningService, host: FakeHost, body: dict[str, Any]) -> Running:
    """A command is requested, and this is its program, which runs now."""
    id_ = await submit(controller, body)
    return await started(host, id_)


async def started(host: FakeHost, id: str) -> Running:
    """The program of a command, as soon as it runs."""

    async def runs() -> bool:
        return host.executor.running(id) is not None

    await eventually(runs)
    running = host.executor.running(id)
    assert running is not None
    return running


async def show(controller: RunningService, id: str) -> Answer:
    """A command as it stands."""
    return (await controller.when("GET", f"{COMMANDS}/{id}")).then(200)


async def ends(controller: RunningService, id: str) -> Answer:
    """A command as it stands when it is final and out of the runner's hands."""
    runner = await controller.services.get(CommandRunner)

    async def is_final() -> bool:
        body = (await controller.client.get(f"{COMMANDS}/{id}")).json()
        return CommandStatus(body["status"]).is_final and not runner.has(id)

    await eventually(is_final)
    return await show(controller, id)
