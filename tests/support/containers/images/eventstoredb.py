"""The stand-in with the real server's ways: its port, its folder, and HTTP/1.1 beside gRPC on the same port."""

import asyncio
import signal
import sys
from pathlib import Path

PORT, INNER = 2113, 2114
LOG = Path("/var/lib/eventstore/log")
LIVE = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"
MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Passes on what comes, to the end."""
    try:
        while some := await reader.read(2**16):
            writer.write(some)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection: gRPC goes to the stand-in."""
    first = await reader.read(2**16)
    if first.startswith(b"GET "):
        writer.write(LIVE if first.startswith(b"GET /health/live ") else MISSING)
        await writer.drain()
        writer.close()
        return
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", INNER)
    inner_writer.write(first)
    await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))


async def main() -> None:
    """Runs until somebody ends it."""
    command = [sys.executable, "-m", "tests.support.eventstoredb", "--port", str(INNER), "--data", str(LOG)]
    pipe = asyncio.subprocess.PIPE
    stand_in = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    assert stand_in.stdout is not None
    await stand_in.stdout.readline()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stand_in.terminate)
    async with await asyncio.start_server(serve, "0.0.0.0", PORT):
        sys.exit(await stand_in.wait())


LOG.parent.mkdir(parents=True, exist_ok=True)
asyncio.run(main())
