"""Keycloak's realm gives out what the samples ask for, to those who may have it, and holds no secret."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute

from api_gateway.settings import ApiGatewaySettings
from desktop_controller.settings import DesktopControllerSettings
from openbank.main import create_app
from openbank.settings import OpenBankSettings
from tests.desktop_controller.conftest import builder_on
from tests.desktop_controller.doubles import FakeHost

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deployment/keycloak/realm.json"
REALM: dict[str, Any] = json.loads(FILE.read_text())
SCOPES = {scope["name"]: scope for scope in REALM["clientScopes"]}
CLIENTS = {client["clientId"]: client for client in REALM["clients"]}
USERS = {user["username"]: user for user in REALM["users"]}
GATEWAY = {"gateway:admin", "prompts:respond"}
SERVICES = {"bank": "openbank", "desktop": "desktop-controller", "gateway": "api-gateway", "prompts": "api-gateway"}
PLACEHOLDER = re.compile(r"\$\{[A-Z][A-Z_]*\}")


def told() -> set[str]:
    """The scopes that a token can say."""
    return {name for name, scope in SCOPES.items() if scope["attributes"]["include.in.token.scope"] == "true"}


def mappers(scope: str, kind: str) -> list[dict[str, str]]:
    """What a scope of the realm puts into a token, by the kind of mapper."""
    return [one["config"] for one in SCOPES[scope]["protocolMappers"] if one["protocolMapper"] == kind]


def test_its_scopes_are_those_of_the_samples() -> None:
    apps = [create_app(OpenBankSettings(log_level="ERROR")), builder_on(FakeHost()).build()]
    asked = {scope for app in apps for route in app.routes for scope in scopes_of(route)}

    assert told() == asked | GATEWAY


def scopes_of(route: object) -> list[str]:
    included = getattr(route, "original_router", None)
    if included is not None:
        return [scope for one in included.routes for scope in scopes_of(one)]
    return list(getattr(route, "scopes", ())) if isinstance(route, APIRoute) else []


def test_a_scope_makes_a_token_for_the_services_that_know_it_and_no_others() -> None:
    assert {*SERVICES.values()} == {
        OpenBankSettings.service, DesktopControllerSettings.service, ApiGatewaySettings.service
    }  # fmt: skip
    for scope in told():
        named = SERVICES.get(scope.partition(":")[0])
        audiences = {config["included.custom.audience"] for config in mappers(scope, "oidc-audience-mapper")}
        assert audiences == ({named} if named else {*SERVICES.values()}), scope
        assert {config["access.token.claim"] for config in mappers(scope, "oidc-audience-mapper")} == {"true"}
    assert all(CLIENTS[service]["bearerOnly"] for service in SERVICES.values())


def test_every_token_says_whose_it_is_and_which_person_only_an_administrator_says() -> None:
    for client in CLIENTS.values():
        assert client["bearerOnly" if "bearerOnly" in client else "enabled"]
        assert client.get("bearerOnly") or "basic" in client["defaultClientScopes"]
    assert [config["access.token.claim"] for config in mappers("basic", "oidc-sub-mapper")] == ["true"]
    assert "person" in CLIENTS["swagger"]["defaultClientScopes"]
    (person,) = mappers("person", "oidc-usermodel-attribute-mapper")
    assert (person["user.attribute"], person["claim.name"], person["access.token.claim"]) == (
        "person_id", "person_id", "true",
    )  # fmt: skip
    (profile,) = REALM["components"]["org.keycloak.userprofile.UserProfileProvider"]
    attributes = {one["name"]: one for one in json.loads(profile["config"]["kc.user.profile.config"][0])["attributes"]}
    assert attributes["person_id"]["permissions"]["edit"] == ["admin"]


def test_the_pages_of_the_documentation_log_in_with_pkce_and_are_named_exactly() -> None:
    swagger = CLIENTS["swagger"]

    assert swagger["publicClient"] is True
    assert "secret" not in swagger
    assert swagger["attributes"]["pkce.code.challenge.method"] == "S256"
    assert swagger["redirectUris"] == [
        f"http://127.0.0.1:{port}/api/docs/oauth2-redirect" for port in (8081, 8082, 8083)
    ]
    assert swagger["webOrigins"] == [f"http://127.0.0.1:{port}" for port in (8081, 8082, 8083)]


@pytest.mark.parametrize("name", CLIENTS)
def test_a_client_can_do_no_more_than_it_has_to(name: str) -> None:
    client = CLIENTS[name]

    assert client["fullScopeAllowed"] is False
    assert not client.get("implicitFlowEnabled")
    assert not client.get("directAccessGrantsEnabled")
    assert not [uri for uri in client["redirectUris"] + client["webOrigins"] if "*" in uri or uri == "+"]
    assert (name == "swagger") == bool(client.get("standardFlowEnabled")) == bool(client["redirectUris"])
    assert {*client["defaultClientScopes"], *client["optionalClientScopes"]} <= SCOPES.keys()
    if client.get("serviceAccountsEnabled"):
        assert PLACEHOLDER.fullmatch(client["secret"])


def test_who_logs_in_gets_what_their_roles_allow_whatever_the_page_asks_for() -> None:
    known = {role["name"] for role in REALM["roles"]["realm"]}
    asks = {mapping["clientScope"]: mapping["roles"] for mapping in REALM["scopeMappings"]}

    assert asks.keys() == told()
    assert all(asks.values())
    assert {role for roles in asks.values() for role in roles} == known
    assert all({*user["realmRoles"]} <= known for user in USERS.values())
    assert USERS["ada"]["realmRoles"] == ["customer"]
    assert USERS["ada"]["attributes"]["person_id"]
    assert "customer" not in asks["bank:write"]


def test_the_agent_answers_prompts_and_does_nothing_else() -> None:
    agent = CLIENTS["agent"]

    assert {*agent["defaultClientScopes"], *agent["optionalClientScopes"]} == {"basic", "prompts:respond"}
    assert USERS["service-account-agent"]["realmRoles"] == ["agent"]


def test_no_secret_is_in_the_file() -> None:
    credentials = [one["value"] for user in USERS.values() for one in user.get("credentials", [])]
    secrets = [client["secret"] for client in CLIENTS.values() if "secret" in client]

    assert len(credentials) == 3
    assert len({*credentials, *secrets}) == len(credentials + secrets) == 5
    assert all(PLACEHOLDER.fullmatch(value) for value in credentials + secrets)
    assert not re.search(r"(?i)privateKey|hashedSaltedValue|secretData|BEGIN ", FILE.read_text())


def test_the_commands_of_its_page_start_what_compose_has_and_name_the_same_issuer() -> None:
    (commands,) = re.findall(r"^```sh\n(.*?)^```", (FILE.parent / "README.md").read_text(), re.MULTILINE | re.DOTALL)
    compose = (ROOT / "docker-compose.yml").read_text()
    (started,) = re.findall(r"^docker compose up --wait ([a-z]+)$", commands, re.MULTILINE)
    (issuer,) = re.findall(r"^OAUTH2_ISSUER=(\S+) \.venv/bin/python -m openbank$", commands, re.MULTILINE)
    (known,) = re.findall(r"^  OAUTH2_ISSUER: (\S+)$", compose, re.MULTILINE)

    (service,) = re.findall(rf"^  {started}:\n((?:    .*\n|\n)+)", compose, re.MULTILINE)
    assert "/opt/keycloak/data/import/realm.json" in service
    assert "depends_on" not in service
    assert issuer == known.replace("${KEYCLOAK_PORT:-8090}", "8090")
    assert issuer.rpartition("/")[2] == REALM["realm"]
