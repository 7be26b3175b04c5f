"""The sink's address, its memory as JSON, and a page that follows it."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from pathlib import Path
from typing import Annotated, Final

from fastapi import FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from fastapi.responses import FileResponse, StreamingResponse

from deployment.viewer.kept import KeptEvents
from deployment.viewer.settings import ViewerSettings
from neuroglia.cloud_events.messages import dump, receive
from neuroglia.core.errors import MalformedRequest

_PAGES: Final = Path(__file__).with_name("page")
_FILES: Final = {"/": "index.html", "/viewer.js": "viewer.js", "/viewer.css": "viewer.css"}
_PROTECTIONS: Final = {
    # What events say never gets into the page's markup; if it did, the browser would run nothing of it.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


def create_app(settings: ViewerSettings) -> FastAPI:
    """The viewer as an ASGI application."""
    app = FastAPI(title="CloudEvents", openapi_url=None, docs_url=None, redoc_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(settings.viewer_hosts))
    kept = KeptEvents(settings.viewer_events, settings.viewer_kept_bytes)
    watchers = 0

    @app.get("/health/ready")
    async def ready() -> dict[str, str]:
        return {"status": "ready"}

    @app.options("/")
    async def allowed() -> Response:
        return Response(headers={"allow": "GET, OPTIONS, POST"})

    @app.post("/", status_code=204)
    async def take(request: Request) -> Response:
        headers = [(name.lower(), value) for name, value in request.headers.items()]
        try:
            received = receive(headers, await _body(request, settings.viewer_max_body_bytes))
        except MalformedRequest as error:
            raise HTTPException(400, str(error)) from None
        for event, _ in received:
            await kept.add(event.get_type(), event.get_subject(), dump(event))
        return Response(status_code=204)

    @app.get("/events")
    async def newest(
        type: str | None = None, subject: str | None = None, limit: Annotated[int, Query(ge=1)] = 200
    ) -> Response:
        """The newest of those that fit, oldest first."""
        found = [
            one.text for one in kept.after(0) if type in {None, one.type} and subject in {None, one.subject}
        ]  # fmt: skip
        return Response(f"[{','.join(found[-limit:])}]", headers=_PROTECTIONS, media_type="application/json")

    @app.get("/events/live")
    async def live(last_event_id: Annotated[int, Header(ge=0)] = 0) -> Response:
        if watchers >= settings.viewer_watchers:
            raise HTTPException(503, "Too many pages are open.", headers={"retry-after": "10"})
        return StreamingResponse(stream(last_event_id), headers=_PROTECTIONS, media_type="text/event-stream")

    async def stream(number: int) -> AsyncGenerator[str]:
        nonlocal watchers
        watchers += 1
        try:
            yield ": here\n\n"
            async for one in kept.follow(number):
                yield f"id: {one.number}\ndata: {one.text}\n\n"  # JSON text has no line breaks
        finally:
            watchers -= 1

    for path, name in _FILES.items():
        app.add_api_route(path, _file(name))
    return app


def _file(name: str) -> Callable[[], Awaitable[Response]]:
    async def show() -> Response:
        return FileResponse(_PAGES / name, headers=_PROTECTIONS)

    return show


async def _body(request: Request, most: int) -> bytes:
    """The request's body, which is not read any further than to its limit."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > most:
            raise HTTPException(413, f"An event has at most {most} bytes.")
    return bytes(body)
