"""Attacks on access tokens, and the tokens that are good (RFC 7519, RFC 8725)."""

import base64
import hashlib
import hmac
import json
import logging
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from joserfc.jwk import ECKey

from tests.framework.security.conftest import Service
from tests.framework.security.issuers import AUDIENCE, Issuer, jwks, new_key

pytestmark = pytest.mark.service


def b64(value: bytes | Any) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def refused(service: Service, token: str) -> None:
    answer = await service.who(token)
    assert answer.status_code == 401, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"].startswith('Bearer error="invalid_token", error_description="')
    assert token not in answer.text


async def test_a_good_token_names_who_asks(service: Service, issuer: Issuer) -> None:
    answer = await service.who(issuer.token())

    assert (answer.status_code, answer.json()) == (200, "ada")


async def test_without_credentials_one_is_asked_for_them(service: Service) -> None:
    answer = await service.who(None)

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert answer.json()["type"] == "urn:neuroglia:service:unauthenticated"


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE"])
async def test_alg_none_is_refused(service: Service, issuer: Issuer, alg: str) -> None:
    payload = issuer.token().split(".")[1]
    for signature in ("", issuer.token().split(".")[2]):
        await refused(service, f"{b64({'alg': alg, 'kid': 'first'})}.{payload}.{signature}")


async def test_hs256_with_the_public_key_is_refused(service: Service, issuer: Issuer) -> None:
    payload = issuer.token().split(".")[1]
    key = issuer.keys[0]
    assert isinstance(key, ECKey)
    for secret in (key.as_pem(private=False), key.as_der(private=False), jwks([key])):
        head = f"{b64({'alg': 'HS256', 'kid': 'first'})}.{payload}"
        await refused(service, f"{head}.{b64(hmac.new(secret, head.encode(), hashlib.sha256).digest())}")


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere"},
        {"iss": None},
        {"iss": ["a"]},
        {"aud": "other"},
        {"aud": ["other", "more"]},
        {"aud": None},
        {"aud": 7},
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"exp": True},
        {"nbf": 4102444800},
        {"nbf": "x"},
        {"iat": 4102444800},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
        {"sub": "system:inbox"},
        {"sub": "a\nb"},
        {"sub": "\u202e"},
        {"scope": 7},
        {"scope": {"r": True}},
        {"realm_access": "r"},
    ],
)
async def test_a_wrong_claim_is_refused(service: Service, issuer: Issuer, claims: dict[str, Any]) -> None:
    told = {"scope": "r", **claims}
    await refused(service, issuer.token(**told))


@pytest.mark.parametrize(
    ("claims", "reason"),
    [({"aud": "other"}, "aud"), ({"iss": None}, "iss"), ({"exp": 1}, "exp"), ({"scope": 7}, "ValidationError")],
)
async def test_given_a_token_that_is_refused_then_the_log_says_why_and_not_what_it_was(
    service: Service, issuer: Issuer, claims: dict[str, Any], reason: str, caplog: pytest.LogCaptureFixture
) -> None:
    token = issuer.token(**claims)

    with caplog.at_level(logging.INFO, "neuroglia.security"):
        await refused(service, token)
        await refused(service, issuer.token(key=new_key("first")))

    told = [vars(record) for record in caplog.records if record.name == "neuroglia.security"]
    assert [line["reason"] for line in told if line["msg"] == "token refused"] == [reason, "signature"]
    assert token not in str(told)


@pytest.mark.parametrize("aud", [AUDIENCE, [AUDIENCE], ["other", AUDIENCE]])
async def test_the_audience_may_be_one_of_several(service: Service, issuer: Issuer, aud: Any) -> None:
    assert (await service.who(issuer.token(aud=aud))).status_code == 200


async def test_clocks_may_be_half_a_minute_apart_and_not_more(service: Service, issuer: Issuer) -> None:
    now = int(service.clock.now().timestamp())
    for claims, status in (
        ({"exp": now - 20}, 200), ({"exp": now - 31}, 401), ({"nbf": now + 20}, 200), ({"nbf": now + 31}, 401),
    ):  # fmt: skip
        assert (await service.who(issuer.token(**claims))).status_code == status, claims


async def test_a_token_that_was_good_ends_when_it_expires(service: Service, issuer: Issuer) -> None:
    token = issuer.token()
    assert (await service.who(token)).status_code == 200
    service.later(59)
    assert (await service.who(token)).status_code == 200
    service.later(60)
    await refused(service, token)


async def test_a_tampered_token_is_refused(service: Service, issuer: Issuer) -> None:
    head, payload, signature = issuer.token().split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    await refused(service, f"{head}.{b64({**claims, 'scope': 'r w admin'})}.{signature}")
    await refused(service, f"{b64({'alg': 'ES256', 'kid': 'other'})}.{payload}.{signature}")
    changed = "B" if signature[0] == "A" else "A"
    await refused(service, f"{head}.{payload}.{changed}{signature[1:]}")
    await refused(service, issuer.token(key=new_key("first")))


@pytest.mark.parametrize(
    "token",
    [*(f"{b64(head)}.{b64(b'{}')}.x" for head in (b'["alg"]', b'"alg"', b"5", b"null", b"true")),
     "", "x", "a.b", "a.b.c.d.e", "...", "\u00e4.b.c", f"{b64(b'[]')}.{b64(b'{}')}.x", f"{b64(b'{')}.{b64(b'{}')}.x",
     b64(b'{"alg":"ES256"}') + "." + b64(b"[" * 5000) + ".x", "x" * 17_000],
    ids=range(15),
)  # fmt: skip
async def test_what_is_no_token_is_refused(service: Service, token: str) -> None:
    headers = {"Authorization": f"Bearer {token}".encode()}
    answer = await service.http.get("/who", headers=headers)

    assert answer.status_code == 401


@pytest.mark.parametrize(
    "header",
    [{"typ": "logout+jwt"}, {"crit": ["x"], "x": 1}, {"kid": 7}, {"kid": ["first"]}],
)
async def test_a_header_that_is_not_understood_is_refused(
    service: Service, issuer: Issuer, header: dict[str, Any]
) -> None:
    payload = issuer.token().split(".")[1]
    await refused(service, f"{b64({'alg': 'ES256', 'kid': 'first', **header})}.{payload}.{'A' * 86}")


async def test_keys_in_the_token_are_not_looked_at(service: Service, issuer: Issuer) -> None:
    own = new_key("mine")
    for header in ({"jwk": own.as_dict(private=False)}, {"jku": f"{issuer.url}/mine"}):
        payload = issuer.token(key=own).split(".")[1]
        await refused(service, f"{b64({'alg': 'ES256', 'kid': 'mine', **header})}.{payload}.{'A' * 86}")


async def test_a_token_without_the_scope_is_forbidden(service: Service, issuer: Issuer) -> None:
    for scope in (None, "", "x", "rr", "R", "w,r"):
        answer = await service.who(issuer.token(scope))
        assert answer.status_code == 403
        assert answer.headers["www-authenticate"] == 'Bearer error="insufficient_scope", scope="r"'
    assert (await service.who(issuer.token(None, scp=["w", "r"]))).status_code == 200
    assert (await service.who(issuer.token("w admin"), "/roles")).status_code == 200  # one of several


async def test_roles_are_known(service: Service, issuer: Issuer) -> None:
    token = issuer.token(roles=["b"], realm_access={"roles": ["a"]})

    assert (await service.who(token, "/roles")).json() == ["a", "b"]


async def test_two_tokens_in_one_request_are_refused(service: Service, issuer: Issuer) -> None:
    headers = [("authorization", f"Bearer {issuer.token()}"), ("authorization", f"Bearer {issuer.token()}")]

    assert (await service.http.get("/who", headers=headers)).status_code == 401


async def test_credentials_of_another_kind_are_none(service: Service) -> None:
    answer = await service.http.get("/who", headers={"Authorization": "Basic YTpi"})

    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


async def test_a_stranger_learns_nothing_of_parameters_or_bodies(service: Service, issuer: Issuer) -> None:
    strange = {"content": b"{", "headers": {"content-type": "application/json"}}
    assert (await service.http.post("/things/x", **strange)).status_code == 401
    strange["headers"] |= {"authorization": f"Bearer {issuer.token('r')}"}
    assert (await service.http.post("/things/x", **strange)).status_code == 403
    strange["headers"] |= {"authorization": f"Bearer {issuer.token('w')}"}
    assert (await service.http.post("/things/x", **strange)).status_code == 400


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(header=st.binary(max_size=200))
async def test_whatever_is_sent_it_is_refused_and_nothing_breaks(service: Service, header: bytes) -> None:
    for value in (header, b"Bearer " + header, b"Bearer " + b64(header).encode() + b"." + b64(header).encode() + b".x"):
        answer = await service.http.get("/who", headers={b"authorization": value})
        assert answer.status_code == 401
