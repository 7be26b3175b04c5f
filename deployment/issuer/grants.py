# pyright: basic, reportMissingTypeStubs=false, reportOptionalMemberAccess=false, reportArgumentType=false
"""The OAuth2 server: Authlib does the protocol (RFC 6749, RFC 7636); here stand the clients, codes and keys."""

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, OAuth2Request
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge
from fastapi import Response
from joserfc import jwt
from joserfc.jwk import ECKey
from typing_extensions import override

from deployment.issuer.settings import Client, IssuerSettings

_CODE_S: Final = 60


class KnownClient(ClientMixin):
    """A client of the settings, as Authlib asks for it."""

    def __init__(self, id: str, client: Client) -> None:
        self.id = id
        self.client = client

    def get_client_id(self) -> str:
        return self.id

    def get_default_redirect_uri(self) -> str | None:
        return next(iter(self.client.redirect_uris), None)

    def get_allowed_scope(self, scope: str | None) -> str:
        """What is asked for and allowed; all that is allowed when nothing is asked for."""
        wanted = set(scope.split()) if scope else self.client.scopes
        return " ".join(sorted(wanted & self.client.scopes))

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.client.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return (
            secrets.compare_digest((self.client.secret or "").encode(), client_secret.encode())
            and self.client.secret is not None
        )

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint != "token" or (method == "none") == (self.client.secret is None)

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and bool(self.client.redirect_uris)

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == ("client_credentials" if self.client.secret else "authorization_code")


@dataclass(frozen=True)
class Code:
    """A code that a user was given for a client."""

    client_id: str
    user: str
    redirect_uri: str
    scope: str
    code_challenge: str
    code_challenge_method: str
    until: float

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


class Codes(AuthorizationCodeGrant):
    """Codes for public clients: each is good once, for a minute, with its verifier."""

    TOKEN_ENDPOINT_AUTH_METHODS = ["none"]  # noqa: RUF012 - Authlib's own annotation

    def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
        data = request.payload.data
        self.server.codes[code] = Code(
            request.client.get_client_id(), request.user, data.get("redirect_uri", ""), request.scope or "",
            data["code_challenge"], data["code_challenge_method"], time.monotonic() + _CODE_S,
        )  # fmt: skip

    def query_authorization_code(self, code: str, client: KnownClient) -> Code | None:
        found = self.server.codes.pop(code, None)  # whoever asks: it is not good a second time
        return found if found and found.client_id == client.id and time.monotonic() < found.until else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """It is gone already."""

    def authenticate_user(self, authorization_code: Code) -> str:
        return authorization_code.user


class S256(CodeChallenge):
    """The only kind of challenge, and it has to be there."""

    SUPPORTED_CODE_CHALLENGE_METHOD = ["S256"]  # noqa: RUF012 - Authlib's own annotation

    def validate_code_challenge(self, grant: AuthorizationCodeGrant, redirect_uri: str) -> None:
        data = grant.request.payload.data
        data.setdefault("code_challenge", "")
        data.setdefault("code_challenge_method", "plain")  # RFC 7636, section 4.3
        super().validate_code_challenge(grant, redirect_uri)


class TokenServer(AuthorizationServer):
    """Gives out tokens."""

    def __init__(self, settings: IssuerSettings) -> None:
        super().__init__()
        self.codes: dict[str, Code] = {}
        self.key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
        self._settings = settings
        self._clients = {id: KnownClient(id, client) for id, client in settings.issuer_clients.items()}
        self.register_grant(ClientCredentialsGrant)
        self.register_grant(Codes, [S256(required=True)])
        self.register_token_generator("default", self._token)

    def query_client(self, client_id: str) -> KnownClient | None:
        return self._clients.get(client_id)

    def save_token(self, token: Mapping[str, Any], request: OAuth2Request) -> None:
        """Nobody asks for it later."""

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Mapping[str, Any]) -> OAuth2Request:
        made = _Request(request["method"], "https://issuer" + request["path"], headers=request["headers"])
        made.payload = BasicOAuth2Payload(dict(request["data"]))
        return made

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        content = body if isinstance(body, str) else json.dumps(body)
        return Response(content, status, dict(headers))

    def _token(
        self, client: KnownClient, user: str | None = None, scope: str | None = None, **_: object
    ) -> dict[str, Any]:
        owner = self._settings.issuer_users[user] if user else client.client
        granted = sorted(set(client.get_allowed_scope(scope).split()) & owner.scopes)
        now, life = int(time.time()), self._settings.issuer_token_seconds
        audiences = self._settings.issuer_audiences if client.client.audiences is None else client.client.audiences
        claims = {
            "iss": self._settings.url, "sub": user or client.id, "aud": list(audiences),
            "client_id": client.id, "scope": " ".join(granted), "iat": now, "exp": now + life,
            "jti": secrets.token_urlsafe(16), **owner.claims,
        }  # fmt: skip
        token = jwt.encode({"alg": "ES256", "kid": self.key.kid, "typ": "at+jwt"}, claims, self.key)
        return {"token_type": "Bearer", "access_token": token, "expires_in": life, "scope": claims["scope"]}


class _Request(OAuth2Request):
    @property
    @override
    def form(self) -> dict[str, str]:
        return dict(self.payload.data)

    @property
    @override
    def args(self) -> dict[str, str]:
        return dict(self.payload.data)
