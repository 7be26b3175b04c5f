# pyright: basic, reportMissingTypeStubs=false, reportOptionalMemberAccess=false, reportArgumentType=false, reportReturnType=false
"""The issuer's pages: discovery, keys, tokens, and a page on which one chooses who one is."""

from html import escape
from typing import Any, Final
from urllib.parse import parse_qsl

from authlib.oauth2 import OAuth2Error
from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import HTMLResponse, JSONResponse

from deployment.issuer.grants import TokenServer
from deployment.issuer.settings import IssuerSettings

_DISCOVERY: Final = "/.well-known/openid-configuration"


def create_app(settings: IssuerSettings) -> FastAPI:
    """The issuer as an ASGI application."""
    app, server = FastAPI(title="Local issuer", openapi_url=None), TokenServer(settings)
    app.add_middleware(CORSMiddleware, allow_origins=["*"], allow_methods=["GET", "POST"], allow_headers=["*"])

    @app.get(_DISCOVERY)
    async def discovery(request: Request) -> dict[str, Any]:
        clients = settings.issuer_clients.values()
        called = str(request.url.replace(query="")).removesuffix(_DISCOVERY)
        here = called if settings.issuer_backchannel_dynamic else settings.url
        return {
            "issuer": settings.url,
            "jwks_uri": f"{here}/jwks",
            "token_endpoint": f"{here}/token",
            "authorization_endpoint": f"{settings.url}/authorize",
            "scopes_supported": sorted({scope for client in clients for scope in client.scopes}),
            "response_types_supported": ["code"],
            "grant_types_supported": ["client_credentials", "authorization_code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "none"],
            "code_challenge_methods_supported": ["S256"],
        }

    @app.get("/jwks")
    async def jwks() -> JSONResponse:
        return JSONResponse({"keys": [server.key.as_dict(private=False)]})

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.post("/token")
    async def token(request: Request) -> Response:
        told = {"method": "POST", "path": "/token", "headers": request.headers, "data": await _form(request)}
        return server.create_token_response(told)

    @app.get("/authorize")
    async def who_are_you(request: Request) -> Response:
        try:
            server.get_consent_grant(_asked(request))
        except OAuth2Error as error:
            return HTMLResponse(f"<h1>This cannot be granted</h1><p>{escape(str(error.description))}", 400)
        buttons = "".join(
            f'<p><button name="user" value="{escape(name)}">{escape(name)}</button>' for name in settings.issuer_users
        )
        return HTMLResponse(f'<title>Local issuer</title><h1>Who are you?</h1><form method="post">{buttons}</form>')

    @app.post("/authorize")
    async def chosen(request: Request) -> Response:
        asked = _asked(request)
        try:
            grant = server.get_consent_grant(asked)
        except OAuth2Error as error:
            return HTMLResponse(f"<h1>This cannot be granted</h1><p>{escape(str(error.description))}", 400)
        user = (await _form(request)).get("user")
        granted = user if user in settings.issuer_users else None
        return server.create_authorization_response(grant.request, granted, grant)

    return app


def _asked(request: Request) -> dict[str, Any]:
    return {"method": "GET", "path": "/authorize", "headers": request.headers, "data": request.query_params}


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(errors="replace")))
