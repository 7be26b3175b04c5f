"""The local issuer as a process: discovery, tokens for programs, and a login with PKCE for people."""

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import KeySet

from deployment.demo.identities import identities
from deployment.issuer.process import RunningIssuer, issuing
from deployment.issuer.settings import User
from deployment.processes import serving

pytestmark = pytest.mark.integration
PAGE = "http://127.0.0.1:1/api/docs/oauth2-redirect"
VERIFIER = secrets.token_urlsafe(48)
LOGIN = {
    "response_type": "code",
    "client_id": "swagger",
    "redirect_uri": PAGE,
    "state": "of-mine",
    "scope": "bank:read desktop:read",
    "code_challenge": create_s256_code_challenge(VERIFIER),
    "code_challenge_method": "S256",
}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningIssuer]:
    users = {"ada": User(scopes=frozenset({"bank:read", "bank:write"}), claims={"person_id": "7"})}
    folder = tmp_path_factory.mktemp("issuer")
    with issuing(folder, {"teller": ["bank:read", "bank:write"]}, users=users, pages=[PAGE]) as issuer:
        yield issuer


def claims_of(found: RunningIssuer, token: str) -> dict[str, object]:
    keys = KeySet.import_key_set(httpx.get(f"{found.url}/jwks").json())
    return dict(jwt.decode(token, keys, algorithms=["ES256"]).claims)


def log_in(found: RunningIssuer, user: str = "ada", **changed: str | None) -> httpx.Response:
    asked = {name: value for name, value in {**LOGIN, **changed}.items() if value is not None}
    return httpx.post(f"{found.url}/authorize", params=asked, data={"user": user})


def redeem(found: RunningIssuer, code: str, **changed: str) -> httpx.Response:
    form = {
        "grant_type": "authorization_code", "code": code, "client_id": "swagger", "redirect_uri": PAGE,
        "code_verifier": VERIFIER, **changed,
    }  # fmt: skip
    return httpx.post(f"{found.url}/token", data=form)


def code_of(found: RunningIssuer) -> str:
    returned = log_in(found)
    assert returned.status_code == 302
    query = parse_qs(urlsplit(returned.headers["location"]).query)
    assert query["state"] == ["of-mine"]
    return query["code"][0]


def test_a_program_gets_a_token_for_its_own_scopes(found: RunningIssuer) -> None:
    claims = claims_of(found, found.token("teller"))

    assert (claims["iss"], claims["sub"], claims["scope"]) == (found.url, "teller", "bank:read bank:write")
    assert "openbank" in claims["aud"]  # type: ignore[operator]


@pytest.mark.parametrize("auth", [("teller", "guessed"), ("nobody", "x"), ("swagger", ""), ("teller", "é"), None])
def test_who_does_not_know_the_secret_gets_none(found: RunningIssuer, auth: tuple[str, str] | None) -> None:
    answer = httpx.post(f"{found.url}/token", data={"grant_type": "client_credentials"}, auth=auth)

    assert answer.status_code in {400, 401}
    assert "access_token" not in answer.json()


def test_a_form_that_is_no_text_is_refused(found: RunningIssuer) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}

    assert httpx.post(f"{found.url}/token", content=b"grant_type=\xff", headers=headers).status_code == 400


def test_a_person_logs_in_on_a_page_and_gets_what_both_may(found: RunningIssuer) -> None:
    page = httpx.get(f"{found.url}/authorize", params=LOGIN)
    assert (page.status_code, "ada" in page.text) == (200, True)

    answer = redeem(found, code_of(found))

    claims = claims_of(found, answer.json()["access_token"])
    assert (claims["sub"], claims["scope"], claims["person_id"]) == ("ada", "bank:read", "7")


def test_a_code_is_good_once(found: RunningIssuer) -> None:
    code = code_of(found)
    assert redeem(found, code).status_code == 200
    assert redeem(found, code).status_code == 400


@pytest.mark.parametrize(
    "changed", [{"code_verifier": "x" * 64}, {"code_verifier": ""}, {"redirect_uri": "http://evil"}, {"code": "x"}]
)
def test_a_code_is_good_for_who_asked_for_it_alone(found: RunningIssuer, changed: dict[str, str]) -> None:
    told = {"code": code_of(found), **changed}

    assert redeem(found, **told).status_code == 400


@pytest.mark.parametrize(
    "changed",
    [
        {"redirect_uri": "http://evil"},
        {"redirect_uri": PAGE + "/more"},
        {"code_challenge": None},
        {"code_challenge": None, "code_challenge_method": None},
        {"code_challenge_method": "plain"},
        {"code_challenge_method": None},
        {"client_id": "teller"},
        {"client_id": "nobody"},
        {"response_type": "token"},
    ],
)
def test_a_login_that_could_be_stolen_leads_nowhere(found: RunningIssuer, changed: dict[str, str | None]) -> None:
    answer = log_in(found, **changed)

    assert answer.status_code == 400
    assert "location" not in answer.headers


def test_who_is_nobody_is_sent_back_without_a_code(found: RunningIssuer) -> None:
    answer = log_in(found, user="mallory")

    assert "error=access_denied" in answer.headers["location"]


def test_the_page_of_the_bank_that_is_kept_up_may_be_led_back_to_and_its_people_log_in(tmp_path: Path) -> None:
    docs = "http://127.0.0.1:8081/api/docs"
    page = f"{docs}/oauth2-redirect"
    with identities(tmp_path, pages=(docs,)) as found:
        assert httpx.get(f"{found.url}/authorize", params={**LOGIN, "redirect_uri": page}).status_code == 200
        assert log_in(found, "Tess, a teller").status_code == 400  # any other page
        returned = log_in(found, "Tess, a teller", redirect_uri=page)
        code = parse_qs(urlsplit(returned.headers["location"]).query)["code"][0]

        answer = redeem(found, code, redirect_uri=page)

        assert returned.headers["location"].startswith(f"{page}?")
        assert claims_of(found, answer.json()["access_token"])["scope"] == "bank:read"


def test_the_bank_believes_it_by_discovery_and_nobody_else(found: RunningIssuer, tmp_path: Path) -> None:
    with serving("openbank", tmp_path, OAUTH2_ISSUER=found.url) as bank:
        path = f"{bank.url}/api/v1/persons"
        token = redeem(found, code_of(found)).json()["access_token"]
        assert httpx.get(path).status_code == 401
        assert httpx.get(path, headers={"Authorization": f"Bearer {found.token('teller')}"}).status_code == 200
        assert httpx.post(path, json={}, headers={"Authorization": f"Bearer {token}"}).status_code == 403
        with issuing(tmp_path / "other", {"teller": ["bank:read"]}) as other:
            answer = httpx.get(path, headers={"Authorization": f"Bearer {other.token('teller')}"})
            assert answer.status_code == 401
        assert httpx.get(f"{bank.url}/api/docs/oauth2-redirect").status_code == 200
        assert "/api/docs/oauth2-redirect'" in httpx.get(f"{bank.url}/api/docs").text
        described = httpx.get(f"{bank.url}/api/openapi.json").json()["components"]["securitySchemes"]
        assert described["oauth2"]["openIdConnectUrl"] == f"{found.url}/.well-known/openid-configuration"
