"""The page that shows the API, and what it says where Swagger UI cannot be loaded."""

from typing import Final

from fastapi import FastAPI, Request
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from starlette.routing import Route

DOCS: Final = "/api/docs"
BACK: Final = f"{DOCS}/oauth2-redirect"
OPENAPI: Final = "/api/openapi.json"
_ROOM: Final = '<div id="swagger-ui">'
_MEANWHILE: Final = f"""{_ROOM}If this page stays empty, the browser could not load Swagger UI from cdn.jsdelivr.net.
The description itself is at <a href="{OPENAPI}">{OPENAPI}</a>."""
_CLIENT: Final = {"clientId": "swagger", "usePkceWithAuthorizationCodeGrant": True}


def add_docs_page(app: FastAPI) -> None:
    """Serves FastAPI's own page with a few words where Swagger UI will stand, which puts itself in their place."""
    page = get_swagger_ui_html(openapi_url=OPENAPI, title=app.title, oauth2_redirect_url=BACK, init_oauth=_CLIENT)
    html = bytes(page.body).decode().replace(_ROOM, _MEANWHILE)

    async def docs(_: Request) -> HTMLResponse:
        return HTMLResponse(html)

    app.router.routes.insert(0, Route(DOCS, docs, include_in_schema=False))
