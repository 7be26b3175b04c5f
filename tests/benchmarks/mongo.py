"""The document store in MongoDB: a commit of many new documents, beside the driver alone in a transaction."""

import asyncio
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from pymongo import AsyncMongoClient, InsertOne
from pymongo.asynchronous.collection import AsyncCollection

from neuroglia.core import SystemIds
from neuroglia.documents import DocumentType, Write
from neuroglia.documents.adapters.mongo import MongoDocumentStore
from openbank.integration.models.transactions import TransactionDto, TransactionType
from tests.benchmarks.harness import Figure, Target, compare, in_turns
from tests.support.mongo import mongo_server

_ROUNDS = 7
_COMMITS = 4
_DOCUMENTS = 500
_TARGET = Target(least_ratio=0.6)
_KIND = DocumentType(TransactionDto)


def measure() -> Sequence[Figure]:
    with tempfile.TemporaryDirectory() as folder, mongo_server(Path(folder)) as server, asyncio.Runner() as loop:
        store = MongoDocumentStore(server.url("ours"))
        client = AsyncMongoClient[dict[str, Any]](server.url("raw"), w="majority", journal=True)
        collection = client.get_default_database()["transactions"]
        loop.run(_prepare(store, collection))
        ours, raw = in_turns([lambda: loop.run(_ours(store)), lambda: loop.run(_raw(client, collection))], _ROUNDS)
        loop.run(store.aclose())
        loop.run(client.close())
    name = f"MongoDB: documents, {_DOCUMENTS} in a commit | bulk_write in a transaction"
    return [compare(name, ours, raw, _TARGET)]


async def _prepare(store: MongoDocumentStore, collection: AsyncCollection[dict[str, Any]]) -> None:
    await store.open()
    await store.prepare([_KIND])
    for index in _KIND.indexes:
        await collection.create_index([*((name, 1) for name in index), ("_id", 1)])


async def _ours(store: MongoDocumentStore) -> float:
    groups = [_documents() for _ in range(_COMMITS)]
    start = time.perf_counter()
    for documents in groups:
        writes = [Write(_KIND.collection, document.id, 0, _KIND.codec.encode(document)) for document in documents]
        await store.commit(writes)
    return _COMMITS * _DOCUMENTS / (time.perf_counter() - start)


async def _raw(client: AsyncMongoClient[dict[str, Any]], collection: AsyncCollection[dict[str, Any]]) -> float:
    groups = [_documents() for _ in range(_COMMITS)]
    start = time.perf_counter()
    for documents in groups:
        rows = [{"_id": document.id, "v": 1, **document.model_dump(mode="json")} for document in documents]
        async with client.start_session() as session, await session.start_transaction():
            await collection.bulk_write([InsertOne(row) for row in rows], session=session)
    return _COMMITS * _DOCUMENTS / (time.perf_counter() - start)


def _documents() -> Sequence[TransactionDto]:
    ids, account = SystemIds(), SystemIds().new()
    return [
        TransactionDto(
            id=ids.new(),
            account_id=account,
            type=TransactionType.DEPOSIT,
            amount=Decimal("12.50"),
            currency="EUR",
            balance_after=Decimal("1200.00"),
            reference="rent",
            recorded_at=datetime.now(UTC),
            revision=revision,
        )
        for revision in range(_DOCUMENTS)
    ]
