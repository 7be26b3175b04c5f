"""Every route of the controller wants credentials, but for health and documentation."""

from neuroglia.testing import running
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import FakeHost
from tests.support.strangers import let_in, routes_of


async def test_who_shows_nothing_or_the_wrong_scope_gets_in_nowhere() -> None:
    app = builder_on(FakeHost(), log_level="ERROR").build()

    async with running(app) as controller:
        assert len(list(routes_of(app))) > 30
        assert await let_in(app) == []
        assert await let_in(app, controller.tokens.token(["bank:read"])) == []
