"""Prompts that the gateway takes in, beside the commits that they cost, made by hand."""

import asyncio
import itertools
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from api_gateway.main import create_app
from api_gateway.settings import ApiGatewaySettings
from neuroglia.scheduling.workers import JobWorkers
from neuroglia.security.api_keys import ApiKeys
from neuroglia.testing import RunningService, running
from tests.benchmarks.harness import Figure, compare, in_turns
from tests.benchmarks.raw import RawFile, Row, rows

_ROUNDS = 3
_PROMPTS = 300
_AT_ONCE = 32
_ITEMS = 3
"""Of each prompt that is taken in: to prepare it, to let it expire, and to tell of it."""


def measure() -> Sequence[Figure]:
    """Over the whole API: the key is checked, its rate is counted, and the prompt is stored with its jobs and events.
    Nobody works at the prompts meanwhile."""
    with tempfile.TemporaryDirectory() as name:
        folder, numbers = Path(name), itertools.count()

        def ours() -> float:
            return asyncio.run(_accepted(folder / str(next(numbers))))

        ours()  # the documents to copy
        model = folder / "0" / "documents.db"
        prompts, (window,) = rows(model, "SELECT * FROM prompts"), rows(model, "SELECT * FROM rate_windows")
        job = rows(model, "SELECT * FROM work_items LIMIT 1")[0]

        def by_hand() -> float:
            with RawFile(folder / f"raw-{next(numbers)}.db", model) as file:
                return _write(file, prompts, job, window)

        mine, raw = in_turns([ours, by_hand], _ROUNDS)
    return [compare(f"prompts accepted a second, {_AT_ONCE} at once | two commits by hand each", mine, raw)]


async def _accepted(folder: Path) -> float:
    async with running(create_app(ApiGatewaySettings(data_dir=folder, log_level="ERROR"))) as gateway:
        await (await gateway.services.get(JobWorkers)).stop()
        issued = await (await gateway.services.get(ApiKeys)).issue("acme", ["prompts:create"], "10000/minute")
        gateway.client.headers = {"X-API-Key": issued.secret.get_secret_value()}
        left = iter(range(_PROMPTS))
        start = time.perf_counter()
        await asyncio.gather(*[_send(gateway, left) for _ in range(_AT_ONCE)])
        return _PROMPTS / (time.perf_counter() - start)


async def _send(gateway: RunningService, left: Iterator[int]) -> None:
    for number in left:
        body = {"kind": "chat", "context": {"text": "hello", "number": number}, "request_id": str(number)}
        (await gateway.client.post("/api/v1/prompts", json=body)).raise_for_status()


def _write(file: RawFile, prompts: Sequence[Row], job: Row, window: Row) -> float:
    file.insert("rate_windows", window)
    start = time.perf_counter()
    for prompt in prompts:
        with file.commit():
            file.connection.execute(
                "UPDATE rate_windows SET version = version + 1, body = :body WHERE key = :key", window
            )
        with file.commit():
            file.insert("prompts", prompt)
            for number in range(_ITEMS):
                file.insert("work_items", {**job, "key": f"{prompt['key']}-{number}"})
    return len(prompts) / (time.perf_counter() - start)
