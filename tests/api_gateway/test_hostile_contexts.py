"""Whatever a context holds, it is data."""

import pytest

from neuroglia.testing import RunningService
from tests.api_gateway.callers import caller
from tests.support.hostile import HOSTILE

pytestmark = pytest.mark.service


async def test_whatever_a_context_holds_comes_back_as_it_was(gateway: RunningService) -> None:
    acme = await caller(gateway)
    context = {text: [text, {"deep": text}] for text in HOSTILE.values()}

    id = (await acme.send(context={**context, "numbers": [0.1, -0.0, 2**62, 1e300, True, None]}))["id"]
    shown = (await acme.sees(id, "completed"))["context"]

    assert {name: shown[name] for name in context} == context
    assert shown["numbers"] == [0.1, -0.0, 2**62, 1e300, True, None]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_a_hostile_request_id_is_a_name_or_refused(gateway: RunningService, text: str) -> None:
    acme = await caller(gateway)

    first = await acme.request("POST", "/prompts", json={"kind": "item", "context": {}, "request_id": text})

    assert first.status_code in {201, 422}
    if first.status_code == 201:
        assert (await acme.send(200, kind="item", context={}, request_id=text))["id"] == first.json()["id"]
