"""What the MongoDB adapter promises beyond the contract: of rivals, injections, later indexes and crashes."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pymongo import AsyncMongoClient

from neuroglia.core import ConcurrencyError, ConfigurationError, Unavailable
from neuroglia.documents import DocumentStore, DocumentType, StoredDocument, Write, document, eq
from neuroglia.documents.adapters.mongo import MongoDocumentStore
from neuroglia.hosting.backing_services import connect_document_store
from tests.framework.documents.models import OTHERS, THINGS, Thing, find, insert
from tests.support.mongo import MongoServer, mongo_peer
from tests.support.waiting import eventually

pytestmark = pytest.mark.integration
BODY = b'{"id":"a","name":"one"}'


@pytest.fixture(params=["mongo", pytest.param("mongo_in_container", marks=pytest.mark.containers)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    server: MongoServer = request.getfixturevalue(request.param)
    return server.url(tmp_path)


@pytest.fixture
async def store(url: str) -> AsyncIterator[DocumentStore]:
    store = connect_document_store(url)
    await store.open()
    await store.prepare([THINGS, OTHERS])
    yield store
    await store.aclose()


@pytest.fixture
async def raw(url: str) -> AsyncIterator[AsyncMongoClient[dict[str, Any]]]:
    """The same database without the adapter."""
    async with AsyncMongoClient[dict[str, Any]](url) as client:
        yield client


# -- starting ------------------------------------------------------------------------------------------------------


async def test_given_a_server_without_transactions_when_opening_then_the_remedy_is_named(tmp_path: Path) -> None:
    with mongo_peer(tmp_path, "--standalone") as peer:
        store = MongoDocumentStore(peer.url())

        with pytest.raises(ConfigurationError, match=r"start mongod with --replSet rs0 and run rs.initiate\(\)"):
            await store.open()

        with pytest.raises(Unavailable):
            await store.ping()


@pytest.mark.parametrize("url", ["mongodb://", "mongodb://me:se/cret@x", "mongodb://x:port"])
async def test_given_no_url_when_opening_then_it_is_refused_without_showing_what_may_be_a_password(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DOCUMENT_STORE_URL: no MongoDB URL") as refusal:
        await connect_document_store(url).open()

    assert "cret" not in str(refusal.value)
    assert refusal.value.__suppress_context__


async def test_given_nobody_there_when_opening_then_it_is_unavailable_and_what_to_look_at_is_noted() -> None:
    with pytest.raises(Unavailable) as refusal:
        await MongoDocumentStore("mongodb://me:se%40cret@127.0.0.1:1,127.0.0.1:2/x?authSource=y").open()

    assert str(refusal.value) == "MongoDB does not do it: ServerSelectionTimeoutError"
    assert refusal.value.__notes__ == ["DOCUMENT_STORE_URL names 127.0.0.1:1, 127.0.0.1:2."]


async def test_given_weaker_promises_in_the_url_when_opening_then_they_do_not_count(url: str) -> None:
    more = "&" if "?" in url else "?"
    store = MongoDocumentStore(f"{url}{more}w=0&journal=false&retryWrites=false&readPreference=secondary")
    await store.open()
    await store.prepare([THINGS])

    with pytest.raises(ConcurrencyError):  # with w=0 nobody would know
        await store.commit([Write("things", "a", 7, BODY)])

    await store.aclose()


# -- collections and indexes ---------------------------------------------------------------------------------------


async def test_given_a_collection_that_nobody_prepared_when_using_it_then_it_is_an_error_and_none_is_made(
    store: DocumentStore, raw: AsyncMongoClient[dict[str, Any]]
) -> None:
    for attempt in (
        lambda: store.get("nothing", "a"),
        lambda: store.commit([Write("nothing", "a", 0, BODY)]),
        lambda: store.find(THINGS.at(3), find()),
    ):
        with pytest.raises(Unavailable, match="was never prepared"):
            await attempt()

    assert sorted(await raw.get_default_database().list_collection_names()) == ["other_things", "things"]


async def test_given_a_collection_that_another_process_prepared_when_writing_then_it_can_be_found_by_its_indexes(
    store: DocumentStore, url: str
) -> None:
    await store.prepare([THINGS.at(2)])
    other = MongoDocumentStore(url)
    await other.open()

    await other.commit([Write("things__2", "a", 0, THINGS.codec.encode(Thing(id="a", name="x")))])
    await other.aclose()

    assert [found.key for found in await store.find(THINGS.at(2), find(eq("name", "x")))] == ["a"]


async def test_given_documents_when_an_index_is_declared_later_then_it_finds_them_too(store: DocumentStore) -> None:
    @document("things", indexes=["price"])
    class Later(BaseModel):
        id: str
        price: str

    await store.commit([insert(Thing(id="a"))])
    later: DocumentType[Any] = DocumentType(Later)
    await store.prepare([later])

    assert [found.key for found in await store.find(later, find(eq("price", "1.50")))] == ["a"]


async def test_given_declared_indexes_when_preparing_then_each_ends_with_the_key_and_there_are_no_others(
    store: DocumentStore, raw: AsyncMongoClient[dict[str, Any]]
) -> None:
    await store.prepare([THINGS])

    made = await raw.get_default_database()["things"].index_information()

    wanted = {",".join(index): [*((f"f.{name}", 1) for name in index), ("_id", 1)] for index in THINGS.indexes}
    assert {name: index["key"] for name, index in made.items()} == {"_id_": [("_id", 1)], **wanted}


# -- injections ----------------------------------------------------------------------------------------------------


async def test_given_fields_that_look_like_operators_when_writing_then_the_text_comes_back_and_nothing_else_happens(
    store: DocumentStore,
) -> None:
    body = json.dumps(
        {"id": "a", "$set": "x", "f.name": "y", "": "z", "a\0b": 1, "name": {"$gt": ""}, "rank": [1], "huge": 10**30}
    ).encode()

    await store.commit([Write("things", "a", 0, body)])
    await store.commit([Write("things", "a", 1, body)])

    assert await store.get("things", "a") == StoredDocument("a", 2, body)
    assert await store.find(THINGS, find(eq("name", ""))) == []
    assert await store.find(THINGS, find(eq("rank", 1))) == []


async def test_given_a_structure_where_a_key_belongs_when_getting_then_nothing_is_found(
    store: DocumentStore,
) -> None:
    await store.commit([insert(Thing(id="a", name="a"))])
    structure: Any = {"$gt": ""}

    assert await store.get("things", structure) is None


# -- writing -------------------------------------------------------------------------------------------------------


async def test_given_writes_of_one_document_in_one_commit_then_they_are_done_in_their_order(
    store: DocumentStore,
) -> None:
    await store.commit([insert(Thing(id="old"))])

    await store.commit(
        [
            Write("things", "old", 1, None),
            Write("things", "old", 0, BODY),
            Write("things", "old", 1, BODY),
            Write("things", "new", 0, BODY),
        ]
    )

    assert await store.get("things", "old") == StoredDocument("old", 2, BODY)
    with pytest.raises(ConcurrencyError) as conflict:
        await store.commit([Write("things", "new", 1, BODY), Write("things", "new", 1, BODY)])
    assert (conflict.value.stream, conflict.value.expected, conflict.value.actual) == ("things/new", 1, 2)
    assert await store.get("things", "new") == StoredDocument("new", 1, BODY)


@pytest.mark.parametrize("several", [True, False])
async def test_given_many_who_count_at_once_when_each_repeats_after_a_conflict_then_no_count_is_lost(
    store: DocumentStore, several: bool
) -> None:
    await store.commit([Write("things", "sum", 0, b'{"n":0}'), Write("other_things", "sum", 0, b'{"n":0}')])
    collections = ["things", "other_things"] if several else ["things"]

    async def count() -> int:
        conflicts = 0
        while True:
            found = await store.get("things", "sum")
            assert found is not None
            body = json.dumps({"n": json.loads(found.body)["n"] + 1}).encode()
            try:
                await store.commit([Write(name, "sum", found.version, body) for name in collections])
            except ConcurrencyError:
                conflicts += 1
            else:
                return conflicts

    assert sum(await asyncio.gather(*(count() for _ in range(8)))) > 0
    for name in collections:
        assert await store.get(name, "sum") == StoredDocument("sum", 9, b'{"n": 8}')


async def test_given_a_rival_that_holds_a_document_and_gives_it_up_when_committing_then_it_waits_and_is_done(
    store: DocumentStore, raw: AsyncMongoClient[dict[str, Any]]
) -> None:
    await store.commit([Write("things", "a", 0, BODY)])
    async with raw.start_session() as session:
        await session.start_transaction()
        await raw.get_default_database()["things"].update_one({"_id": "a"}, {"$set": {"v": 7}}, session=session)
        commit = asyncio.create_task(store.commit([Write("things", "a", 1, BODY), Write("things", "b", 0, BODY)]))
        await asyncio.wait([commit], timeout=0.2)
        assert not commit.done()
        await session.abort_transaction()
    await commit

    assert await store.get("things", "a") == StoredDocument("a", 2, BODY)


async def test_given_a_document_that_is_too_large_when_committing_then_it_is_no_matter_of_waiting(
    store: DocumentStore,
) -> None:
    body = json.dumps({"id": "a", "name": "x" * 9_000_000}).encode()

    for others in ([], [Write("other_things", "b", 0, BODY)]):
        with pytest.raises(ValueError, match="16 MiB"):
            await store.commit([*others, Write("things", "a", 0, body)])

    assert await store.get("other_things", "b") is None


# -- crashes -------------------------------------------------------------------------------------------------------


async def test_given_a_server_that_is_killed_while_many_commit_when_it_is_back_then_nothing_acknowledged_is_lost(
    tmp_path: Path,
) -> None:
    with mongo_peer(tmp_path) as peer:
        store = MongoDocumentStore(peer.url())
        await store.open()
        await store.prepare([THINGS, OTHERS])
        acknowledged: list[str] = []
        unclear: list[str] = []
        stopping = asyncio.Event()

        async def write(worker: int) -> None:
            number = 0
            while not stopping.is_set():
                key, number = f"{worker}-{number}", number + 1
                writes = [Write("things", key, 0, BODY), Write("other_things", key, 0, BODY)]
                try:
                    await store.commit(writes[: 1 + worker % 2])
                except (Unavailable, ConcurrencyError):  # the latter: it was done, and done again
                    unclear.append(key)
                else:
                    acknowledged.append(key)

        async def thirty_more() -> None:
            goal = len(acknowledged) + 30

            async def reached() -> bool:
                return len(acknowledged) >= goal

            await eventually(reached)

        workers = [asyncio.create_task(write(worker)) for worker in range(6)]
        for _ in range(2):
            await thirty_more()
            peer.kill()
            with pytest.raises(Unavailable, match="MongoDB does not do it"):
                await store.ping()
            peer.start()
            await thirty_more()
        stopping.set()
        await asyncio.gather(*workers)

        await store.ping()
        missing = [key for key in acknowledged if await store.get("things", key) is None]
        torn = [
            key
            for key in (*acknowledged, *unclear)
            if int(key.split("-")[0]) % 2
            and (await store.get("things", key) is None) != (await store.get("other_things", key) is None)
        ]
        await store.aclose()

    assert missing == []
    assert torn == []


async def test_given_a_server_that_dies_when_those_who_wait_for_it_are_cancelled_then_they_end_as_cancelled(
    tmp_path: Path,
) -> None:
    with mongo_peer(tmp_path) as peer:
        store = MongoDocumentStore(peer.url())
        await store.open()
        await store.prepare([THINGS, OTHERS])
        peer.kill()
        tasks = [
            asyncio.create_task(store.commit([insert(Thing(id=f"{number}-{part}")) for part in range(1 + number % 2)]))
            for number in range(6)
        ]
        with pytest.raises(Unavailable):
            await store.ping()

        for task in tasks:
            task.cancel()
        answers = await asyncio.gather(*tasks, return_exceptions=True)
        await store.aclose()

    assert [type(answer) for answer in answers] == [asyncio.CancelledError] * 6
