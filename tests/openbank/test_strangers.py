"""Every route of the bank wants credentials, but for health and documentation."""

import pytest

from neuroglia.testing import running
from tests.openbank.conftest import builder_on
from tests.support.engines import Backing
from tests.support.strangers import let_in, routes_of

pytestmark = pytest.mark.service


async def test_who_shows_nothing_or_the_wrong_scope_gets_in_nowhere(backing: Backing) -> None:
    app = builder_on(backing).build()

    async with running(app) as bank:
        assert len(list(routes_of(app))) > 30
        assert await let_in(app) == []
        assert await let_in(app, bank.tokens.token(["desktop:read"])) == []
