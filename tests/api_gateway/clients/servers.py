"""Servers of all manners on loopback: each says byte by byte what it is told to, to whoever comes."""

import asyncio
import ssl
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

Handler = Callable[["Asked", asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Asked:
    """A request as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class LoopbackServer:
    """Where it is, and what it was asked."""

    host: str
    port: int
    scheme: str = "http"
    asked: list[Asked] = field(default_factory=list)
    visits: int = 0

    @property
    def url(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}"


def answer(status: int, body: bytes = b"", **headers: str) -> bytes:
    """A complete answer."""
    lines = [f"HTTP/1.1 {status} So", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(*pieces: bytes) -> Handler:
    """One that says this to everybody, and hangs up."""

    async def handle(_: Asked, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()

    return handle


def in_turn(*answers: bytes) -> Handler:
    """One that has another answer for each visitor, and the last for all that come after."""
    left = list(answers)

    async def handle(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(left.pop(0) if len(left) > 1 else left[0])
        await writer.drain()

    return handle


def never_ends(start: bytes, piece: bytes, pause: float = 0) -> Handler:
    """One that says `piece` again and again, for as long as somebody listens."""

    async def handle(_: Asked, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return handle


async def stays(_: Asked, writer: asyncio.StreamWriter) -> None:
    """One that answers, and does not hang up: it would take another request."""
    writer.write(b"HTTP/1.1 202 So\r\ncontent-length: 0\r\n\r\n")
    await asyncio.Event().wait()


async def silence(_: Asked, writer: asyncio.StreamWriter) -> None:
    """One that never answers."""
    await asyncio.Event().wait()


@asynccontextmanager
async def server(
    handle: Handler, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
) -> AsyncGenerator[LoopbackServer]:
    """Listens until the end of the block, and whoever is still there then is sent away."""
    at_work: set[asyncio.Task[None]] = set()

    async def come(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        at_work.add(task)
        made.visits += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                made.asked.append(asked := await _read(reader))
                await handle(asked, writer)
        finally:
            at_work.discard(task)
            writer.close()
            with suppress(ConnectionError, asyncio.CancelledError, ssl.SSLError):
                await writer.wait_closed()

    listener = await asyncio.start_server(come, host, port, ssl=tls)
    made = LoopbackServer(host, listener.sockets[0].getsockname()[1], "https" if tls else "http")
    try:
        yield made
    finally:
        listener.close()
        for task in list(at_work):
            task.cancel()
        if at_work:
            await asyncio.wait(at_work)


async def _read(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    line, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (one.partition(":") for one in lines)}
    return Asked(line, headers, await reader.readexactly(int(headers.get("content-length", 0))))
