"""What a service believes of an issuer that is a process of its own: our local one, and Keycloak with our realm."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deployment.issuer.process import RunningIssuer, issuing
from deployment.processes import ServiceProcess, serving

pytestmark = pytest.mark.integration
PAGE = "http://127.0.0.1:8081/api/docs/oauth2-redirect"
DOCUMENTATION = "http://127.0.0.1:8081"
PERSONS = "/api/v1/persons"
DEMO = [
    "bank:read", "bank:write", "desktop:read", "desktop:write", "desktop:execute", "events:write", "gateway:admin",
    "operations:admin",
]  # fmt: skip
CLIENTS = {"demo": DEMO, "agent": ["prompts:respond"]}


@pytest.fixture(scope="module", params=["local", pytest.param("keycloak", marks=pytest.mark.containers)])
def found(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    """Each issuer, with the same clients."""
    if request.param == "keycloak":
        yield request.getfixturevalue("keycloak_in_container")
        return
    folder = tmp_path_factory.mktemp("issuer")
    with issuing(folder, CLIENTS, audiences={"agent": ["api-gateway"]}, pages=[PAGE]) as issuer:
        yield issuer


@pytest.fixture(scope="module")
def bank(found: RunningIssuer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServiceProcess]:
    """OpenBank, which believes that issuer."""
    with serving("openbank", tmp_path_factory.mktemp("bank"), OAUTH2_ISSUER=found.url) as process:
        yield process


def ask(bank: ServiceProcess, token: str | None, method: str = "GET") -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return httpx.request(method, f"{bank.url}{PERSONS}", headers=headers)


def test_it_describes_itself_and_shows_no_private_key(found: RunningIssuer) -> None:
    described = found.described()

    assert described["issuer"] == found.url
    assert "S256" in described["code_challenge_methods_supported"]
    keys = httpx.get(described["jwks_uri"]).json()["keys"]
    assert [key for key in keys if key.get("use", "sig") == "sig"]
    assert not [key for key in keys if {"d", "p", "q", "k"} & key.keys()]


def test_its_token_opens_the_bank(found: RunningIssuer, bank: ServiceProcess) -> None:
    assert ask(bank, None).status_code == 401
    assert ask(bank, found.token("demo", "bank:read")).status_code == 200
    assert ask(bank, found.token("demo", "bank:write"), "POST").status_code in {400, 422}  # it is let in


def test_a_token_for_another_service_is_refused(found: RunningIssuer, bank: ServiceProcess) -> None:
    answer = ask(bank, found.token("agent"))

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


def test_a_token_without_the_scope_is_forbidden(found: RunningIssuer, bank: ServiceProcess) -> None:
    answer = ask(bank, found.token("demo", "bank:read"), "POST")

    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="bank:write"' in answer.headers["www-authenticate"]


def test_a_tampered_token_is_refused(found: RunningIssuer, bank: ServiceProcess) -> None:
    head, payload, signature = found.token("demo", "bank:read").split(".")
    claims = json.loads(base64.urlsafe_b64decode(payload + "=="))
    more = base64.urlsafe_b64encode(json.dumps({**claims, "scope": "bank:read bank:write"}).encode()).decode()

    assert ask(bank, f"{head}.{more.rstrip('=')}.{signature}").status_code == 401
    flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
    assert ask(bank, f"{head}.{payload}.{flipped}").status_code == 401


def test_a_token_of_another_issuer_is_refused(bank: ServiceProcess, tmp_path: Path) -> None:
    with issuing(tmp_path, CLIENTS) as other:
        assert ask(bank, other.token("demo", "bank:read")).status_code == 401


def test_who_may_not_have_a_scope_gets_no_token_that_says_it(found: RunningIssuer) -> None:
    answer = found.answer("agent", "bank:write")

    assert answer.status_code == 400 or "bank:write" not in answer.json()["scope"].split()


def test_who_does_not_know_the_secret_gets_none(found: RunningIssuer) -> None:
    answer = found.answer("demo", "bank:read", secret="guessed")

    assert answer.status_code in {400, 401}
    assert "access_token" not in answer.json()


@pytest.mark.parametrize("page", ["http://evil.example/", f"{PAGE}/more", f"{PAGE}?more", "http://127.0.0.1:8081/"])
def test_a_login_leads_nowhere_but_to_the_page_of_the_documentation(found: RunningIssuer, page: str) -> None:
    asked = {
        "response_type": "code", "client_id": "swagger", "redirect_uri": page, "state": "x", "scope": "bank:read",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "code_challenge_method": "S256",
    }  # fmt: skip
    endpoint = found.described()["authorization_endpoint"]

    answer = httpx.get(endpoint, params=asked)
    assert answer.status_code == 400
    assert "location" not in answer.headers
    assert httpx.get(endpoint, params={**asked, "redirect_uri": PAGE}).status_code == 200


def test_the_page_of_the_documentation_may_read_what_it_says_and_ask_for_a_token(found: RunningIssuer) -> None:
    origin = {"Origin": DOCUMENTATION}
    described = httpx.get(f"{found.url}/.well-known/openid-configuration", headers=origin)
    assert described.headers["access-control-allow-origin"] in {"*", DOCUMENTATION}

    endpoint = described.json()["token_endpoint"]
    before = {**origin, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-requested-with"}
    preflight = httpx.options(endpoint, headers=before)
    assert preflight.status_code in {200, 204}
    assert preflight.headers["access-control-allow-origin"] in {"*", DOCUMENTATION}
    form = {
        "grant_type": "authorization_code", "client_id": "swagger", "code": "x", "redirect_uri": PAGE,
        "code_verifier": "x" * 43,
    }  # fmt: skip
    refused = httpx.post(endpoint, headers=origin, data=form)
    assert refused.status_code == 400
    assert refused.headers["access-control-allow-origin"] in {"*", DOCUMENTATION}
