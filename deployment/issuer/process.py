"""The issuer as a process of its own, and tokens from it."""

import json
import secrets
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deployment.issuer.settings import Client, User
from deployment.processes import START_S, free_port, serving

_ROOT = Path(__file__).parents[2]


class RunningIssuer:
    """An OpenID Connect issuer: where it is, and what its clients get."""

    def __init__(self, url: str, passwords: Mapping[str, str]) -> None:
        self.url = url
        self._passwords = passwords

    def secret_of(self, client: str) -> str:
        """What a client gets tokens with by itself."""
        return self._passwords[client]

    def described(self) -> dict[str, Any]:
        """What it says of itself (OpenID Connect Discovery 1.0, section 4)."""
        return dict(httpx.get(f"{self.url}/.well-known/openid-configuration").raise_for_status().json())

    def answer(self, client: str, scope: str | None = None, *, secret: str | None = None) -> httpx.Response:
        """What a client is answered that asks for a token with its secret, or another one (RFC 6749, section 4.4)."""
        form = {"grant_type": "client_credentials"} | ({} if scope is None else {"scope": scope})
        auth = client, secret or self.secret_of(client)
        return httpx.post(self.described()["token_endpoint"], data=form, auth=auth)

    def token(self, client: str, scope: str | None = None) -> str:
        """An access token for a client that has a secret. `scope`: what for, where that is not what it always gets.

        Raises:
            HTTPStatusError: it gets none.
        """
        return str(self.answer(client, scope).raise_for_status().json()["access_token"])


@contextmanager
def issuing(
    folder: Path,
    clients: Mapping[str, Iterable[str]],
    *,
    audiences: Mapping[str, Iterable[str]] | None = None,
    users: Mapping[str, User] | None = None,
    pages: Iterable[str] = (),
    port: int | None = None,
    **settings: Any,
) -> Generator[RunningIssuer]:
    """Runs an issuer until the end of the block.

    `clients` are named with their scopes, and each gets a secret that nobody else knows; `audiences` of those whose
    tokens are not for all services. `pages` are where people may be sent back to who log in on the page of an API's
    documentation.
    """
    passwords = {name: secrets.token_urlsafe(32) for name in clients}
    known = {name: Client(scopes=frozenset(scopes), secret=passwords[name]) for name, scopes in clients.items()}
    for name, own in (audiences or {}).items():
        known[name] = known[name].model_copy(update={"audiences": tuple(own)})
    every = frozenset(scope for user in (users or {}).values() for scope in user.scopes)
    known["swagger"] = Client(scopes=every, redirect_uris=tuple(pages))
    told = {
        "ISSUER_CLIENTS": json.dumps({name: client.model_dump(mode="json") for name, client in known.items()}),
        "ISSUER_USERS": json.dumps({name: user.model_dump(mode="json") for name, user in (users or {}).items()}),
        "PYTHONPATH": str(_ROOT),
        **{name.upper(): json.dumps(value) for name, value in settings.items()},
    }
    with serving("deployment.issuer", folder, port=port or free_port(), within=START_S, **told) as process:
        yield RunningIssuer(process.url, passwords)
