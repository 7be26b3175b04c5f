"""A sink of CloudEvents: a real server on a loopback port, which answers as it is told."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn
from starlette.types import Receive, Scope, Send
from typing_extensions import override

from tests.support.waiting import eventually

Answer = tuple[int, dict[str, str]]


class _Server(uvicorn.Server):
    @override
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """They are the test runner's."""
        yield


class Sink:
    """Notes what comes.

    Attributes:
        events: all that it has taken, in order, duplicates included.
        attempts: all that was sent to it, taken or not, in order.
        traces: the header `traceparent` of each of them.
        refuses: answers for the next requests, used up in order.
        open: while it is clear, requests wait for their answer.
        inside: how many wait for theirs right now, and at most did.
    """

    def __init__(self) -> None:
        self.port = 0
        self.events: list[dict[str, Any]] = []
        self.attempts: list[dict[str, Any]] = []
        self.traces: list[str | None] = []
        self.media_types: set[str] = set()
        self.refuses: list[Answer] = []
        self.refused_types: dict[str, int] = {}
        self.open = asyncio.Event()
        self.open.set()
        self.inside = self.most = 0
        self._server: _Server | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events"

    async def up(self) -> None:
        """It listens, at the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port))
        self.port = listener.getsockname()[1]
        self._server = _Server(
            uvicorn.Config(
                self._answer, interface="asgi3", log_config=None, lifespan="off", timeout_graceful_shutdown=1
            )
        )
        self._task = asyncio.create_task(self._server.serve([listener]))

    async def down(self) -> None:
        """Nobody listens."""
        assert self._server is not None
        assert self._task is not None
        self._server.should_exit = self._server.force_exit = True
        await self._task

    async def has(self, count: int, seconds: float = 15) -> list[dict[str, Any]]:
        """All events, once there are so many."""

        async def there() -> bool:
            return len(self.events) >= count

        await eventually(there, seconds)
        return self.events

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        event = json.loads(body)
        self.attempts.append(event)
        self.traces.append(next((value.decode() for name, value in scope["headers"] if name == b"traceparent"), None))
        self.inside += 1
        self.most = max(self.most, self.inside)
        try:
            await self.open.wait()
        finally:
            self.inside -= 1
        status, headers = self.refuses.pop(0) if self.refuses else (self.refused_types.get(event["type"], 204), {})
        if 200 <= status < 300:
            self.events.append(event)
            self.media_types.add(dict(scope["headers"])[b"content-type"].decode())
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": raw})
        await send({"type": "http.response.body", "body": b""})


@asynccontextmanager
async def sink() -> AsyncGenerator[Sink]:
    """One that listens until the end."""
    made = Sink()
    await made.up()
    try:
        yield made
    finally:
        made.open.set()
        await made.down()
