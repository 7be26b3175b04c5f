"""Every route of the gateway wants credentials, but for health and documentation; and each shows its own alone."""

from typing import Any

import pytest

from neuroglia.testing import RunningService, running
from tests.api_gateway.callers import API, PROMPT, Caller, admin, caller
from tests.api_gateway.conftest import builder_on
from tests.api_gateway.doubles import Outside
from tests.support.strangers import let_in, routes_of

pytestmark = pytest.mark.service

KEY_BODY = {"caller_id": "x", "permissions": ["prompts:read"], "rate_limit": "1/minute"}


async def test_who_shows_nothing_or_the_wrong_scope_gets_in_nowhere() -> None:
    app = builder_on(Outside()).build()

    async with running(app) as gateway:
        assert len(list(routes_of(app))) > 20
        assert await let_in(app) == []
        assert await let_in(app, gateway.tokens.token(["bank:read"])) == []


async def test_given_another_callers_prompt_then_there_is_none(gateway: RunningService) -> None:
    acme, other = await caller(gateway, "acme"), await caller(gateway, "other")
    id = (await acme.send())["id"]
    await acme.sees(id, "completed")

    unknown = await other.request("GET", "/prompts/nothing")
    for method, path in [("GET", ""), ("GET", "/events"), ("POST", "/cancel")]:
        answer = await other.request(method, f"/prompts/{id}{path}")
        told, wanted = answer.json(), unknown.json()
        assert (answer.status_code, told["type"], told["detail"]) == (404, wanted["type"], wanted["detail"])
    assert (await other.request("GET", "/prompts")).json()["items"] == []
    assert (await acme.see(id))["status"] == "completed"


async def test_given_an_admin_then_they_see_all(gateway: RunningService) -> None:
    ids = [(await (await caller(gateway, name)).send())["id"] for name in ("acme", "other")]

    shown = await admin(gateway, "GET", "/prompts", 200)

    assert {one["id"] for one in shown["items"]} == {*ids}
    assert (await admin(gateway, "GET", f"/prompts/{ids[0]}", 200))["caller_id"] == "acme"


@pytest.mark.parametrize(
    ("permission", "method", "path"),
    [("prompts:read", "POST", ""), ("prompts:read", "POST", "/x/cancel"), ("prompts:create", "GET", ""),
     ("prompts:create", "GET", "/x"), ("prompts:create", "GET", "/x/events"), ("prompts:create", "POST", "/x/retry")],
)  # fmt: skip
async def test_given_a_key_without_the_permission_then_it_is_forbidden(
    gateway: RunningService, permission: str, method: str, path: str
) -> None:
    acme = await caller(gateway, permissions=[permission])

    answer = await acme.request(method, f"/prompts{path}")

    assert answer.status_code == 403
    assert permission not in answer.text


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/api-keys"), ("POST", "/api-keys"), ("DELETE", "/api-keys/x"), ("POST", "/api-keys/x/rotate"),
     ("GET", "/dependencies/health"), ("POST", "/prompts/x/retry"), ("POST", "/internal/prompts/x/response"),
     ("POST", "/cloudevents"), ("GET", "/operations/jobs")],
)  # fmt: skip
async def test_given_a_callers_key_then_what_is_the_admins_is_forbidden(
    gateway: RunningService, method: str, path: str
) -> None:
    acme = await caller(gateway)

    assert (await acme.request(method, path)).status_code == 403


async def test_given_a_token_then_no_prompt_is_sent_with_it_nor_seen(gateway: RunningService) -> None:
    acme = await caller(gateway, "acme")
    id = (await acme.send())["id"]
    for subject in ("acme", "somebody"):
        headers = gateway.tokens.bearer(["prompts:create", "prompts:read"], sub=subject)
        sent = await gateway.client.post(f"{API}/prompts", json=PROMPT, headers=headers)
        seen = await gateway.client.get(f"{API}/prompts/{id}", headers=headers)
        assert (sent.status_code, seen.status_code) == (403, 404)


async def test_given_a_key_and_a_token_at_once_then_it_is_refused(gateway: RunningService) -> None:
    acme = await caller(gateway)

    answer = await gateway.client.get(f"{API}/prompts", headers=acme.headers)

    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers


@pytest.mark.parametrize("secret", ["", "x", "0123456789abcdef." + "A" * 43, "0123456789abcdef", "$gt"])
async def test_given_a_key_that_is_none_then_nobody_learns_why(gateway: RunningService, secret: str) -> None:
    stranger = Caller(gateway, secret)

    answer = await stranger.request("GET", "/prompts")

    assert (answer.status_code, answer.json()["detail"]) == (401, "The API key is not valid.")


async def issue(gateway: RunningService, **fields: Any) -> Any:
    return await admin(gateway, "POST", "/api-keys", 201, json={**KEY_BODY, **fields})


async def test_given_a_key_then_its_secret_is_shown_once(gateway: RunningService) -> None:
    issued = await issue(gateway, caller_id="acme", permissions=["prompts:create", "prompts:read"])

    assert (issued["caller_id"], issued["callback_secret"]) == ("acme", "whsec_of_acme")
    listed = await admin(gateway, "GET", "/api-keys", 200)
    assert listed["items"] == [
        {name: value for name, value in issued.items() if name not in {"secret", "callback_secret"}}
    ]
    assert issued["secret"].partition(".")[2] not in str(listed)
    assert (await Caller(gateway, issued["secret"]).request("GET", "/prompts")).status_code == 200


async def test_given_a_rotation_then_both_secrets_are_good_for_the_overlap(gateway: RunningService) -> None:
    old = await issue(gateway, rate_limit="9/minute")

    new = await admin(gateway, "POST", f"/api-keys/{old['id']}/rotate", 201, json={"overlap_seconds": 3600})
    newest = await admin(gateway, "POST", f"/api-keys/{old['id']}/rotate", 201, json={"overlap_seconds": 0})

    async def answers(*issued: Any) -> list[int]:
        return [(await Caller(gateway, key["secret"]).request("GET", "/prompts")).status_code for key in issued]

    assert await answers(old, new, newest) == [401, 401, 200]
    third = await admin(gateway, "POST", f"/api-keys/{old['id']}/rotate", 201)
    assert await answers(newest, third) == [200, 200]


async def test_given_a_key_that_is_revoked_then_it_is_good_for_nothing(gateway: RunningService) -> None:
    issued = await issue(gateway)
    holder = Caller(gateway, issued["secret"])
    assert (await holder.request("GET", "/prompts")).status_code == 200

    await admin(gateway, "DELETE", f"/api-keys/{issued['id']}", 204)

    assert (await holder.request("GET", "/prompts")).status_code == 401
    await admin(gateway, "DELETE", f"/api-keys/{issued['id']}", 404)
    await admin(gateway, "POST", f"/api-keys/{issued['id']}/rotate", 404)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"caller_id": ""}, "/caller_id"), ({"caller_id": "a\nb"}, "/caller_id"), ({"permissions": []}, "/permissions"),
        ({"permissions": ["gateway:admin"]}, "/permissions/0"),
        ({"permissions": ["prompts:respond"]}, "/permissions/0"),
        ({"rate_limit": "often"}, "/rate_limit"), ({"rate_limit": "0/minute"}, "/rate_limit"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"), ({"expires_at": "2030-01-01T00:00:00"}, "/expires_at"),
        ({"expires_at": 1}, "/expires_at"), ({"more": 1}, "/more"),
    ],
)  # fmt: skip
async def test_given_a_key_that_makes_no_sense_then_it_is_refused(
    gateway: RunningService, fields: dict[str, object], pointer: str
) -> None:
    refusal = await admin(gateway, "POST", "/api-keys", 422, json={**KEY_BODY, **fields})

    assert refusal["errors"][0]["pointer"] == pointer


async def test_given_a_rate_limit_then_it_is_kept(gateway: RunningService) -> None:
    acme = await caller(gateway, rate_limit="3/hour")

    answers = [await acme.request("GET", "/prompts") for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 0 < int(answers[3].headers["retry-after"]) <= 3600
