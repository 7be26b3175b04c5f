"""Our local issuer with Keycloak's ways: its port, its folder of realms to import, and its name: `KC_HOSTNAME`, or how
it is called. With `KC_HOSTNAME_BACKCHANNEL_DYNAMIC` keys and tokens are got at the address by which one calls.

Of a realm it knows clients with secrets, the scopes that they are given or may ask for, and for whom these are. Who its
users are it does not look at, but for what the roles of a client's own one allow.
"""

import json
import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from deployment.issuer.app import create_app
from deployment.issuer.settings import Client, IssuerSettings

IMPORTED = Path("/opt/keycloak/data/import")
PATHS = {"token": "token", "certs": "jwks", "auth": "authorize"}
"""Where Keycloak has it, and our issuer."""
Realm = Mapping[str, Any]


def read(file: Path) -> Realm:
    """A realm, its placeholders replaced by the environment."""
    text = re.sub(r"\$\{(\w+)\}", lambda found: os.environ.get(found[1], found[0]), file.read_text())
    return dict(json.loads(text))


def clients_of(realm: Realm) -> dict[str, Client]:
    """Those that get tokens."""
    roles = {user.get("serviceAccountClientId"): {*user["realmRoles"]} for user in realm["users"]}
    asks = {mapping["clientScope"]: {*mapping["roles"]} for mapping in realm["scopeMappings"]}
    audiences = {
        scope["name"]: {
            mapper["config"]["included.custom.audience"]
            for mapper in scope["protocolMappers"]
            if mapper["protocolMapper"] == "oidc-audience-mapper"
        }
        for scope in realm["clientScopes"]
        if scope["attributes"]["include.in.token.scope"] == "true"
    }
    found: dict[str, Client] = {}
    for client in realm["clients"]:
        if client.get("bearerOnly"):
            continue
        id_ = client["clientId"]
        listed = {*client["defaultClientScopes"], *client["optionalClientScopes"]} & audiences.keys()
        scopes = {scope for scope in listed if client["publicClient"] or asks[scope] & roles[id_]}
        found[id_] = Client(
            secret=client.get("secret"), scopes=frozenset(scopes), redirect_uris=tuple(client["redirectUris"]),
            audiences=tuple(sorted(audience for scope in scopes for audience in audiences[scope])),
        )  # fmt: skip
    return found


class Realms:
    """Serves each realm below /realms, to every host by which it is called an issuer of that name."""

    def __init__(self, realms: Mapping[str, Realm]) -> None:
        self._realms = realms
        self._issuers: dict[str, ASGIApp] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope.get("headers", ())).get(b"host", b"127.0.0.1").decode()
        realm, of_keycloak, endpoint = scope.get("path", "").partition("/protocol/openid-connect/")
        if of_keycloak:
            scope = {**scope, "path": f"{realm}/{PATHS.get(endpoint, endpoint)}"}
        called = os.environ.get("KC_HOSTNAME", f"http://{host}")
        if called not in self._issuers:
            self._issuers[called] = self._issuer(called)
        await self._issuers[called](scope, receive, send)

    def _issuer(self, called: str) -> ASGIApp:
        app = FastAPI()
        for name, realm in self._realms.items():
            settings = IssuerSettings(
                issuer_url=f"{called}/realms/{name}", issuer_clients=clients_of(realm),
                issuer_token_seconds=realm["accessTokenLifespan"],
                issuer_backchannel_dynamic=os.environ.get("KC_HOSTNAME_BACKCHANNEL_DYNAMIC") == "true",
            )  # fmt: skip
            app.mount(f"/realms/{name}", create_app(settings))
        return app


if __name__ == "__main__":
    if sys.argv[1:] != ["start-dev", "--import-realm"]:
        sys.exit(f"this does not start: {sys.argv[1:]}")
    imported = [read(file) for file in sorted(IMPORTED.glob("*.json"))]
    app = Realms({realm["realm"]: realm for realm in imported})
    uvicorn.run(app, host="0.0.0.0", port=8080, lifespan="off", access_log=False, log_level="warning")
