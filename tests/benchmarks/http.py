"""HTTP: what a controller, and the mediator behind it, cost over a plain FastAPI endpoint."""

import asyncio
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

from tests.benchmarks.harness import Figure, Target, compare, in_turns
from tests.benchmarks.servers import free_port, post_request, started, wait_for_200
from tests.support.issuer import local_issuer

_ROUNDS = 60  # many short ones: what disturbs the machine then disturbs all servers alike
_REQUESTS = 320
_CONNECTIONS = (1, 16)
_DIRECT = Target(least_ratio=0.90)
_MEDIATED = Target(least_ratio=0.80)


def measure() -> Sequence[Figure]:
    figures: list[Figure] = []
    with ExitStack() as servers:
        servers.enter_context(local_issuer(Path(servers.enter_context(tempfile.TemporaryDirectory()))))
        ports = [start(servers, name) for name in ("bare", "direct", "mediated")]
        for connections in _CONNECTIONS:
            subjects = [rate(port, connections) for port in ports]
            bare, direct, mediated = in_turns(subjects, _ROUNDS)
            figures += [
                compare(f"POST, controller, {connections} conn. | bare FastAPI", direct, bare, _DIRECT),
                compare(f"POST, controller + mediator, {connections} conn. | bare FastAPI", mediated, bare, _MEDIATED),
            ]
    return figures


def start(servers: ExitStack, name: str, **environment: str) -> int:
    """The port of an application that answers, until the end of the stack."""
    port = free_port()
    servers.enter_context(started(f"tests.benchmarks.apps.{name}", str(port), environment=environment))
    wait_for_200(post_request(port), port)
    return port


def rate(port: int, connections: int) -> Callable[[], float]:
    """A subject: how many requests a second are answered."""
    request = post_request(port)

    async def measure() -> float:
        streams = [await asyncio.open_connection("127.0.0.1", port) for _ in range(connections)]
        start = time.perf_counter()
        await asyncio.gather(*(_ask(*stream, request, _REQUESTS // connections) for stream in streams))
        elapsed = time.perf_counter() - start
        for _, writer in streams:
            writer.close()
            await writer.wait_closed()
        return _REQUESTS // connections * connections / elapsed

    return lambda: asyncio.run(measure())


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes, times: int) -> None:
    for _ in range(times):
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
