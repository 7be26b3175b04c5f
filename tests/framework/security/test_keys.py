"""The issuer's keys: fetched once, changed, unknown, doubled, and out of reach."""

import asyncio
import json

import pytest

from tests.framework.security.conftest import Service, application, client_of
from tests.framework.security.issuers import Issuer, jwks, new_key

pytestmark = pytest.mark.service


async def test_keys_are_fetched_once_for_all(service: Service, issuer: Issuer) -> None:
    answers = await asyncio.gather(*[service.who(issuer.token(sub=f"s{n}")) for n in range(20)])

    assert {answer.status_code for answer in answers} == {200}
    assert issuer.asked == 1


async def test_a_flood_of_unknown_keys_leads_to_one_question(service: Service, issuer: Issuer) -> None:
    assert (await service.who(issuer.token())).status_code == 200
    service.later(11)
    foreign = new_key(None)
    answers = await asyncio.gather(
        *[service.who(issuer.token(key=foreign, header={"kid": f"k{n}"})) for n in range(200)]
    )

    assert {answer.status_code for answer in answers} == {401}
    assert issuer.asked == 2
    service.later(11)
    assert (await service.who(issuer.token(key=foreign, header={"kid": "k"}))).status_code == 401
    assert issuer.asked == 3


async def test_a_new_key_is_found_and_an_old_one_is_forgotten_in_time(service: Service, issuer: Issuer) -> None:
    (old,) = issuer.keys
    assert (await service.who(issuer.token())).status_code == 200
    issuer.keys = [new_key("second")]
    service.later(11)

    assert (await service.who(issuer.token())).status_code == 200
    assert (await service.who(issuer.token(key=old, sub="late"))).status_code == 401


async def test_a_key_that_is_withdrawn_is_forgotten_though_no_other_is_named(service: Service, issuer: Issuer) -> None:
    first, second = issuer.keys[0], new_key("second")
    issuer.keys = [first, second]
    assert (await service.who(issuer.token())).status_code == 200
    issuer.keys = [second]
    service.later(16 * 60)

    until = int(service.clock.now().timestamp()) + 60
    assert (await service.who(issuer.token(key=first, exp=until))).status_code == 401
    assert issuer.asked == 2


async def test_a_token_that_was_good_is_not_when_its_key_is_found_to_be_withdrawn(
    service: Service, issuer: Issuer
) -> None:
    first, second = issuer.keys[0], new_key("second")
    old = issuer.token()
    assert (await service.who(old)).status_code == 200
    issuer.keys = [second]
    service.later(11)

    assert (await service.who(issuer.token(key=second))).status_code == 200
    assert (await service.who(old)).status_code == 401
    assert first.kid != second.kid


@pytest.mark.parametrize(
    "strange",
    [
        {"kty": "EC", "crv": "BP-256", "x": "AA", "y": "AA", "kid": "s"},
        {"kty": "RSA", "n": "AQAB", "kid": "s"},
        {"kty": "LATTICE", "kid": "s"},
        {"kid": "s"},
        {"kty": 7, "kid": "s"},
        {"kty": "EC", "crv": "P-256", "x": 7, "y": None, "kid": ["s"]},
    ],
)
async def test_a_key_that_nobody_understands_is_left_out(
    service: Service, issuer: Issuer, strange: dict[str, object]
) -> None:
    keys = json.loads(jwks(issuer.keys))["keys"]
    issuer.answers["/jwks"] = (200, json.dumps({"keys": [strange, *keys]}).encode())

    assert (await service.who(issuer.token())).status_code == 200
    assert (await service.who(issuer.token(header={"kid": "s"}))).status_code == 401


async def test_two_keys_of_one_name_are_both_good(service: Service, issuer: Issuer) -> None:
    issuer.keys = [new_key("twin"), new_key("twin"), new_key("twin", "RSA")]

    for key in issuer.keys:
        assert (await service.who(issuer.token(key=key))).status_code == 200
    assert (await service.who(issuer.token(key=new_key("twin")))).status_code == 401


async def test_a_token_that_names_no_key_is_tried_with_all(service: Service, issuer: Issuer) -> None:
    issuer.keys = [new_key("a", "RSA"), new_key("b")]

    assert (await service.who(issuer.token(key=issuer.keys[1], header={"kid": None}))).status_code == 200
    assert (await service.who(issuer.token(key=new_key(None), header={"kid": None}))).status_code == 401


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/.well-known/openid-configuration", (500, b"")),
        ("/.well-known/openid-configuration", (200, b"{")),
        ("/.well-known/openid-configuration", (200, b"[]")),
        ("/.well-known/openid-configuration", (200, b'{"issuer": "http://other", "jwks_uri": "x"}')),
        ("/.well-known/openid-configuration", (302, b"")),
        ("/jwks", (404, b"")),
        ("/jwks", (200, b'{"keys": []}')),
        ("/jwks", (200, b'{"keys": [7]}')),
        ("/jwks", (200, b'{"keys": [{"kty": "oct", "k": "AAAA", "kid": "first"}]}')),
        ("/jwks", (200, b'{"keys": {"a": 1}}')),
    ],
)
async def test_an_issuer_that_does_not_answer_is_503_and_then_found_again(
    service: Service, issuer: Issuer, path: str, answer: tuple[int, bytes]
) -> None:
    issuer.answers[path] = answer
    refused = await service.who(issuer.token())
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")

    issuer.answers.clear()
    service.later(11)
    assert (await service.who(issuer.token())).status_code == 200


async def test_known_keys_go_on_while_the_issuer_is_away(service: Service, issuer: Issuer) -> None:
    assert (await service.who(issuer.token())).status_code == 200
    issuer.answers["/.well-known/openid-configuration"] = (500, b"")
    service.later(30 * 60)
    until = int(service.clock.now().timestamp()) + 60

    for number in range(3):
        assert (await service.who(issuer.token(exp=until, sub=f"s{number}"))).status_code == 200
    assert (await service.who(issuer.token(key=new_key("other"), exp=until))).status_code == 401


async def test_an_issuer_that_is_reached_by_another_address_is_believed_by_its_name_and_shown_by_it(
    issuer: Issuer,
) -> None:
    inside = f"{issuer.url}/.well-known/openid-configuration"
    issuer.url = issuer.names_itself = "http://login.example"
    issuer.answers["/.well-known/openid-configuration"] = (
        200,
        json.dumps(
            {"issuer": issuer.url, "jwks_uri": inside.replace("/.well-known/openid-configuration", "/jwks")}
        ).encode(),
    )
    app = application(issuer, oauth2_discovery_url=inside).build()

    async with app.state.services, client_of(app) as http:
        answer = await http.get("/who", headers={"Authorization": f"Bearer {issuer.token()}"})
        assert answer.status_code == 200
        answer = await http.get("/who", headers={"Authorization": f"Bearer {issuer.token(iss=inside)}"})
        assert answer.status_code == 401

    schemes = app.openapi()["components"]["securitySchemes"]
    assert schemes["oauth2"]["openIdConnectUrl"] == "http://login.example/.well-known/openid-configuration"
