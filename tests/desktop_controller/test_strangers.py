"""Every route of the controller wants credentials, but for health and documentation."""

import pytest

from neuroglia.testing import running
from tests.desktop_controller.builders import COMMANDS, ECHO, SLEEP, submit, submit_and_start
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import FakeHost
from tests.support.strangers import let_in, routes_of

pytestmark = pytest.mark.service


async def test_who_shows_nothing_or_the_wrong_scope_gets_in_nowhere() -> None:
    app = builder_on(FakeHost(), log_level="ERROR").build()

    async with running(app) as controller:
        assert len(list(routes_of(app))) > 30
        assert await let_in(app) == []
        assert await let_in(app, controller.tokens.token(["bank:read"])) == []


async def test_who_may_not_run_commands_is_not_told_that_the_queue_is_full_or_a_command_unknown(host: FakeHost) -> None:
    async with running(builder_on(host, max_concurrent_commands=1, max_waiting_commands=1).build()) as controller:
        await submit_and_start(controller, host, SLEEP)
        await submit(controller, ECHO)
        (await controller.when("POST", COMMANDS, json=ECHO)).then_refused(429, "too-many-requests")
        reader = controller.tokens.bearer(["desktop:read", "desktop:write"])

        for body in (ECHO, SLEEP, {"command": "no-such"}, {}):
            (await controller.when("POST", COMMANDS, json=body, headers=reader)).then_refused(403, "forbidden")
            nobody = await controller.client.post(COMMANDS, json=body, headers={"Authorization": ""})
            assert nobody.status_code == 401
