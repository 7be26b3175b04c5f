"""What browsers are told, and which pages may ask."""

import httpx
import pytest

from tests.framework.security.conftest import application, client_of
from tests.framework.security.issuers import Issuer

pytestmark = pytest.mark.service

PAGE, OTHER = "https://shop.example", "https://evil.example"


async def ask(issuer: Issuer, method: str, origin: str, cookie: str = "", **settings: str) -> httpx.Response:
    app = application(issuer, **settings).build()
    async with client_of(app) as http:
        headers = {"Origin": origin, "Access-Control-Request-Method": "POST", **({"Cookie": cookie} if cookie else {})}
        headers["Access-Control-Request-Headers"] = "authorization,idempotency-key"
        return await http.request(method, "/who", headers=headers)


@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
async def test_no_page_of_others_may_ask_unless_it_is_named(issuer: Issuer, method: str) -> None:
    for settings in ({}, {"cors_origins": PAGE}, {"cors_origins": ""}):
        answer = await ask(issuer, method, OTHER, **settings)
        assert "access-control-allow-origin" not in answer.headers


async def test_a_page_that_is_named_may_ask_and_read_what_it_needs(issuer: Issuer) -> None:
    settings = {"cors_origins": f"https://other.example, {PAGE}"}
    before = await ask(issuer, "OPTIONS", PAGE, **settings)
    answer = await ask(issuer, "GET", PAGE, **settings)

    assert (before.status_code, before.headers["access-control-allow-origin"]) == (200, PAGE)
    assert "Idempotency-Key" in before.headers["access-control-allow-headers"]
    assert answer.headers["access-control-allow-origin"] == PAGE
    assert "ETag" in answer.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("cookie", ["", "session=1"])
@pytest.mark.parametrize("method", ["OPTIONS", "GET"])
@pytest.mark.parametrize("origins", ["*", f"*,{PAGE}", PAGE])
async def test_no_page_ever_asks_with_the_credentials_of_a_browser(
    issuer: Issuer, origins: str, method: str, cookie: str
) -> None:  # fetch, section 3.2.3: `*` or a reflected origin together with credentials would let everybody in
    for origin in (PAGE, OTHER):
        answer = await ask(issuer, method, origin, cookie=cookie, cors_origins=origins)
        assert "access-control-allow-credentials" not in answer.headers
        allowed = answer.headers.get("access-control-allow-origin")
        assert (allowed in {"*", origin}) is (origin == PAGE or "*" in origins)


async def test_every_answer_is_protected_refusals_too(issuer: Issuer) -> None:
    for path in ("/who", "/nothing", "http://test/health/live", "http://test/api/docs"):
        async with client_of(application(issuer).build()) as http:
            headers = (await http.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cache-control"] == "no-store"


async def test_openapi_names_the_issuer_and_what_each_endpoint_wants(issuer: Issuer) -> None:
    async with client_of(application(issuer).build()) as http:
        described = (await http.get("http://test/api/openapi.json")).json()
        page = (await http.get("http://test/api/docs")).text

    discovery = f"{issuer.url}/.well-known/openid-configuration"
    assert described["components"]["securitySchemes"] == {
        "oauth2": {"type": "openIdConnect", "openIdConnectUrl": discovery}
    }
    roles = described["paths"]["/api/v1/things/roles"]["get"]
    assert roles["security"] == [{"oauth2": ["r"]}, {"oauth2": ["admin"]}]  # one of them will do
    assert "security" not in described["paths"]["/health/live"]["get"]
    assert '"usePkceWithAuthorizationCodeGrant": true' in page
