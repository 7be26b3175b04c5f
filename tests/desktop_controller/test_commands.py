"""Commands over HTTP: requested, run, finished, shown."""

from neuroglia.testing import RunningService
from tests.desktop_controller.doubles import FakeHost

COMMANDS = "/api/v1/commands"


async def test_a_command_is_accepted_run_and_shown(controller: RunningService, host: FakeHost) -> None:
    answer = await controller.when(
        "POST", COMMANDS, json={"command": "echo", "arguments": {"text": "hi"}}, headers={"Prefer": "wait=5"}
    )
    answer.then(200, {"status": "succeeded", "stdout": "hi\n"})
