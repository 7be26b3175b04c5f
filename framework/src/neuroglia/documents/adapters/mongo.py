"""The document store in MongoDB: one collection for each collection, several writes in one transaction."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, cast

import pymongo
import tenacity
from pydantic_core import from_json
from pymongo import AsyncMongoClient, DeleteOne, IndexModel, InsertOne, UpdateOne
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError as BadUrl,
    DocumentTooLarge,
    OperationFailure,
    PyMongoError,
)
from typing_extensions import override

from neuroglia.core.errors import ConcurrencyError, ConfigurationError, Unavailable
from neuroglia.core.paging import Scalar
from neuroglia.documents.adapters.mongo_queries import as_filter, as_order, comparable, field_path
from neuroglia.documents.store import DocumentStore, Find, StoredDocument, Write
from neuroglia.documents.types import DocumentType

Record = dict[str, Any]
Operation = InsertOne[Record] | UpdateOne | DeleteOne

_SERVER_S: Final = 3
"""How long a call looks for a primary. An election takes longer: callers hear of it, rather than queue up."""
_COMMAND_S: Final = 10
"""How long one command may take: a server that hangs is as good as none."""
_INDEXING_S: Final = 600
"""How long one collection may take to be prepared: an index over many documents is much work."""
_DECIDE_S: Final = 10
"""How long rivals may keep a commit from being decided, and an unclear end of it from becoming clear."""
_PING_S: Final = 2
_MANY: Final = 500
"""More writes than these are prepared on a thread, so that the loop's other tasks go on."""
_DUPLICATE_KEY: Final = 11000
_WRITE_CONFLICT: Final = 112
_TOO_LARGE: Final = 10334
_NAMESPACE_EXISTS: Final = 48
_STORED: Final = {"v": 1, "body": 1}


class _Undecided(Unavailable):
    """Rivals were in the way, but every document stands at its expected version: try again."""


class MongoDocumentStore(DocumentStore):
    """Documents as `{_id: key, v: version, body: JSON text, f: {field: value}}`.

    The text comes back as it was written. `f` repeats all fields of the document's top level that can be compared,
    not only those that an index names: an index that is declared later finds the older documents too, and a
    process can write to a collection that another one prepared. With it a document must fit into 16 MiB.
    Whatever the URL says, writes are durable on a majority before they are acknowledged, and the primary is read.
    """

    def __init__(self, url: str) -> None:
        """Takes a URL as `mongodb://host/database?replicaSet=rs0`; without a database it is `neuroglia`."""
        self._url = url
        self._client: AsyncMongoClient[Record] | None = None
        self._known: set[str] = set()

    @override
    async def open(self) -> None:
        """Connects.

        Raises:
            ConfigurationError: the URL is none, or the server has no transactions.
            Unavailable: no primary answers.
        """
        try:
            self._client = AsyncMongoClient(
                self._url,
                serverSelectionTimeoutMS=_SERVER_S * 1000,
                connectTimeoutMS=_SERVER_S * 1000,
                socketTimeoutMS=_COMMAND_S * 1000,
                retryWrites=True,
                w="majority",
                journal=True,
                readConcernLevel="majority",
                readPreference="primary",
            )
        except (BadUrl, ValueError) as error:  # its text may show a part of the password
            raise ConfigurationError(
                f"DOCUMENT_STORE_URL: no MongoDB URL ({type(error).__name__}); "
                "it reads mongodb://host:27017/database?replicaSet=rs0"
            ) from None
        try:
            async with self._asking() as database:
                hello = await database.client.admin.command("hello")
            if "setName" not in hello and hello.get("msg") != "isdbgrid":
                raise ConfigurationError(
                    "DOCUMENT_STORE_URL: transactions need a replica set: start mongod with --replSet rs0 and run "
                    "rs.initiate(), one node will do"
                )
        except BaseException as error:
            known = self._client.topology_description.server_descriptions()
            error.add_note(f"DOCUMENT_STORE_URL names {', '.join(sorted(f'{host}:{port}' for host, port in known))}.")
            await self.aclose()
            raise

    @override
    async def aclose(self) -> None:
        client, self._client = self._client, None
        self._known.clear()
        if client is not None:
            await client.close()

    @override
    async def ping(self) -> None:
        async with self._asking() as database:
            with pymongo.timeout(_PING_S):
                await database.client.admin.command("ping")

    @override
    async def prepare(self, types: Sequence[DocumentType[Any]]) -> None:
        async with self._asking() as database:
            for kind in types:
                with pymongo.timeout(_INDEXING_S):
                    await _prepare(database, kind)
                self._known.add(kind.collection)

    @override
    async def drop(self, types: Sequence[DocumentType[Any]]) -> None:
        async with self._asking() as database:
            for kind in types:
                self._known.discard(kind.collection)
                await database.drop_collection(kind.collection)

    @override
    async def get(self, collection: str, key: str) -> StoredDocument | None:
        async with self._asking(collection) as database:
            row = await database[collection].find_one({"_id": {"$eq": key}}, _STORED)
        return None if row is None else _stored(row)

    @override
    async def find(self, kind: DocumentType[Any], find: Find) -> Sequence[StoredDocument]:
        kind.index_for(find.where, find.order)  # refuses what no index serves
        if find.limit < 1 or any(condition.value is None for condition in find.where):
            return []  # for MongoDB no limit is 0, and nothing equals nothing
        async with self._asking(kind.collection) as database:
            found = database[kind.collection].find(
                as_filter(find), _STORED, sort=as_order(find), limit=find.limit, batch_size=find.limit
            )
            return [_stored(row) async for row in found]

    @override
    async def commit(self, writes: Sequence[Write]) -> None:
        """Does all the writes, durably, or none.

        Raises:
            ConcurrencyError: a document is not at its expected version.
            Unavailable: MongoDB does not answer; if it broke off at the very end, the writes may have been done.
            ValueError: a document does not fit into 16 MiB.
        """
        batches = await asyncio.to_thread(_batches, writes) if len(writes) > _MANY else _batches(writes)
        await self._decide(writes, batches)

    @tenacity.retry(
        retry=tenacity.retry_if_exception_type(_Undecided),
        stop=tenacity.stop_after_delay(_DECIDE_S),
        wait=tenacity.wait_random(0, 0.05),
        reraise=True,
    )
    async def _decide(self, writes: Sequence[Write], batches: Mapping[str, Sequence[Operation]]) -> None:
        async with self._asking(*batches) as database:
            if await (_write_one(database, batches) if len(writes) < 2 else _write_all(database, batches)):
                return
            await _refuse_outdated(database, writes)
        raise _Undecided("the documents are being changed by many at once")

    @asynccontextmanager
    async def _asking(self, *collections: str) -> AsyncGenerator[AsyncDatabase[Record]]:
        """The database, with these collections in it; the driver's errors become ours, without the data in them."""
        if self._client is None:
            raise Unavailable("the document store is closed")
        database = self._client.get_default_database("neuroglia")
        task = asyncio.current_task()
        cancelled = task.cancelling() if task is not None else 0
        try:
            for name in collections:
                if name not in self._known and not await database.list_collection_names(filter={"name": name}):
                    raise Unavailable(f"the collection '{name}' was never prepared")
                self._known.add(name)  # else a write would make it, without its indexes
            yield database
        except (PyMongoError, RuntimeError) as error:
            if task is not None and task.cancelling() > cancelled:
                # before Python 3.12, wait_for may break the driver's lock (RuntimeError)
                raise asyncio.CancelledError from None
            if isinstance(error, RuntimeError):
                raise
            raise Unavailable(f"MongoDB does not do it: {type(error).__name__} {_code(error) or ''}".rstrip()) from None
        if task is not None and task.cancelling() > cancelled:
            raise asyncio.CancelledError  # before Python 3.12, the driver's wait_for may lose it


async def _prepare(database: AsyncDatabase[Record], kind: DocumentType[Any]) -> None:
    try:
        await database.create_collection(kind.collection, check_exists=False)
    except OperationFailure as error:
        if error.code != _NAMESPACE_EXISTS:
            raise
    if kind.indexes:
        await database[kind.collection].create_indexes(
            [
                IndexModel([*((field_path(name), 1) for name in index), ("_id", 1)], name=",".join(index))
                for index in kind.indexes
            ]
        )


async def _write_one(database: AsyncDatabase[Record], batches: Mapping[str, Sequence[Operation]]) -> bool:
    """Does a write that needs no transaction; the driver repeats it once when the connection breaks.

    Returns:
        False: a document was not as expected, or rivals were in the way.
    """
    try:
        return all([await _apply(database[name], operations) for name, operations in batches.items()])
    except PyMongoError as error:
        if _lost(error):
            return False
        raise


async def _write_all(database: AsyncDatabase[Record], batches: Mapping[str, Sequence[Operation]]) -> bool:
    """Does writes in a transaction, or none of them; see `_write_one`."""
    async with database.client.start_session() as session:  # its end aborts what is not committed
        await session.start_transaction()
        try:
            for name, operations in batches.items():
                if not await _apply(database[name], operations, session):
                    return False
            await _end(session)
        except PyMongoError as error:
            if _lost(error):
                return False
            raise
    return True


async def _apply(
    collection: AsyncCollection[Record], operations: Sequence[Operation], session: AsyncClientSession | None = None
) -> bool:
    try:
        done = await collection.bulk_write(operations, session=session)
    except (PyMongoError, DocumentTooLarge) as error:
        if isinstance(error, DocumentTooLarge) or _code(error) == _TOO_LARGE:  # no matter of waiting
            raise ValueError(f"{collection.name}: a document and its fields have to fit into 16 MiB") from None
        raise
    return done.inserted_count + done.matched_count + done.deleted_count == len(operations)


def _is_unclear(error: BaseException) -> bool:
    return isinstance(error, PyMongoError) and error.has_error_label("UnknownTransactionCommitResult")


@tenacity.retry(
    retry=tenacity.retry_if_exception(_is_unclear),
    stop=tenacity.stop_after_delay(_DECIDE_S),
    wait=tenacity.wait_random(0, 0.05),
    reraise=True,
)
async def _end(session: AsyncClientSession) -> None:
    """Commits. The server knows a transaction that it has committed, so asking again does no harm."""
    await session.commit_transaction()


def _lost(error: PyMongoError) -> bool:
    """Whether rivals, or a connection that broke before the commit, made the writes be left undone."""
    return _code(error) in {_DUPLICATE_KEY, _WRITE_CONFLICT} or error.has_error_label("TransientTransactionError")


def _code(error: PyMongoError) -> int | None:
    if isinstance(error, BulkWriteError):
        details = cast("Mapping[str, Sequence[Mapping[str, int]]]", error.details)
        return next((problem["code"] for problem in details["writeErrors"]), error.code)
    return error.code if isinstance(error, OperationFailure) else None


async def _refuse_outdated(database: AsyncDatabase[Record], writes: Sequence[Write]) -> None:
    """Looks for the document that is not at its expected version."""
    versions: dict[tuple[str, str], int] = {}
    for name in {write.collection for write in writes}:
        keys = [write.key for write in writes if write.collection == name]
        async for row in database[name].find({"_id": {"$in": keys}}, {"v": 1}):
            versions[name, row["_id"]] = row["v"]
    for write in writes:
        place = (write.collection, write.key)
        actual = versions.get(place, 0)
        if actual != write.expected or (actual == 0 and write.body is None):
            raise ConcurrencyError(f"{write.collection}/{write.key}", write.expected, actual)
        versions[place] = 0 if write.body is None else actual + 1


def _batches(writes: Sequence[Write]) -> Mapping[str, Sequence[Operation]]:
    """The writes of each collection, those of a kind together: the driver sends each run as one command."""
    if len({(write.collection, write.key) for write in writes}) == len(writes):  # else their order matters
        writes = sorted(writes, key=lambda write: (write.body is None, write.expected != 0))
    batches: dict[str, list[Operation]] = {}
    for write in writes:
        batches.setdefault(write.collection, []).append(_operation(write))
    return batches


def _operation(write: Write) -> Operation:
    guard = {"_id": {"$eq": write.key}, "v": write.expected}
    if write.body is None:
        return DeleteOne(guard)
    fields: Mapping[str, Scalar] = from_json(write.body)
    content = {
        "v": write.expected + 1,
        "body": write.body.decode(),
        "f": {name: comparable(value) for name, value in fields.items() if _can_be_looked_for(name, value)},
    }
    if write.expected == 0:
        return InsertOne({"_id": write.key, **content})
    return UpdateOne(guard, {"$set": content})


def _can_be_looked_for(name: str, value: object) -> bool:
    match value:
        case int():
            return name.isidentifier() and -(2**63) <= value < 2**63
        case str() | float():
            return name.isidentifier()  # so it has no $ and no dot
        case _:
            return False


def _stored(row: Mapping[str, Any]) -> StoredDocument:
    return StoredDocument(row["_id"], row["v"], row["body"].encode())
