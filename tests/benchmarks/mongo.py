"""The document store in MongoDB: a projection that catches up, beside the driver alone with the same documents."""

import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient, InsertOne

from neuroglia.documents import DocumentType
from openbank.application.projections.statement_projection import StatementProjection
from openbank.integration.models.transactions import TransactionDto
from tests.benchmarks.bank import catch_up, fill
from tests.benchmarks.harness import Figure, Target, compare, in_turns
from tests.support.mongo import mongo_server

_ROUNDS = 3
_ACCOUNTS = 100
_EVENTS = 2_000
_BATCH = 500
_TARGET = Target(least_ratio=0.6)
_KIND = DocumentType(TransactionDto)
_CHECKPOINT = {"_id": "by hand"}
Client = AsyncMongoClient[dict[str, Any]]


def measure() -> Sequence[Figure]:
    """The statement: one document for each event, with two indexes, from the first event on."""
    with tempfile.TemporaryDirectory() as name, mongo_server(Path(name)) as server, asyncio.Runner() as loop:
        folder, numbers = Path(name), itertools.count()
        loop.run(fill(folder, _ACCOUNTS, _EVENTS))

        def ours() -> float:
            return loop.run(catch_up(folder, StatementProjection, documents=server.url(f"ours-{next(numbers)}")))

        ours()  # the documents to copy
        documents = loop.run(_documents(server.url("ours-0")))

        def by_hand() -> float:
            return loop.run(_write(server.url(f"raw-{next(numbers)}"), documents))

        projected, written = in_turns([ours, by_hand], _ROUNDS)
    name = f"MongoDB: catch-up, {_EVENTS:,} events | bulk_write with a checkpoint, {_BATCH} in a transaction"
    return [compare(name, projected, written, _TARGET)]


async def _documents(url: str) -> Sequence[dict[str, Any]]:
    """What the projection has left, as the driver's users would write it."""
    async with Client(url) as client:
        found = client.get_default_database()[_KIND.collection].find()
        return [{"_id": row["_id"], "v": 1, **json.loads(row["body"])} async for row in found]


async def _write(url: str, documents: Sequence[dict[str, Any]]) -> float:
    async with Client(url, w="majority", journal=True) as client:
        database = client.get_default_database()
        written, checkpoints = database[_KIND.collection], database["checkpoints"]
        for index in _KIND.indexes:
            await written.create_index([*((name, 1) for name in index), ("_id", 1)])
        await checkpoints.insert_one({**_CHECKPOINT, "position": 0})
        start = time.perf_counter()
        for first in range(0, len(documents), _BATCH):
            rows = documents[first : first + _BATCH]
            async with client.start_session() as session, await session.start_transaction():
                await written.bulk_write([InsertOne(row) for row in rows], session=session)
                await checkpoints.update_one(_CHECKPOINT, {"$set": {"position": first + len(rows)}}, session=session)
        return len(documents) / (time.perf_counter() - start)
