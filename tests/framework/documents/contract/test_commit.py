"""What every document store promises of `get` and `commit`."""

import asyncio
from contextlib import suppress

import pytest

from neuroglia.core import ConcurrencyError, Unavailable
from neuroglia.documents import DocumentStore, StoredDocument, Write
from tests.framework.documents.contract.adapters import on_shared_data, that_end_texts_at_nul
from tests.framework.documents.contract.conftest import OpenStore
from tests.framework.documents.models import OTHERS, THINGS, Thing, find, insert
from tests.support.hostile import HOSTILE
from tests.support.waiting import ends_when_cancelled

A1, A2 = b'{"id":"a","name":"one"}', b'{"id":"a","name":"two"}'


async def test_given_nothing_when_getting_then_it_is_none(store: DocumentStore) -> None:
    assert await store.get("things", "a") is None


async def test_given_a_document_when_it_is_written_again_then_its_versions_count_the_writes(
    store: DocumentStore,
) -> None:
    await store.commit([Write("things", "a", 0, A1)])
    assert await store.get("things", "a") == StoredDocument("a", 1, A1)

    await store.commit([Write("things", "a", 1, A2)])
    assert await store.get("things", "a") == StoredDocument("a", 2, A2)

    await store.commit([Write("things", "a", 2, A2)])
    assert await store.get("things", "a") == StoredDocument("a", 3, A2)

    await store.commit([Write("things", "a", 3, None)])
    assert await store.get("things", "a") is None

    await store.commit([Write("things", "a", 0, A1)])
    assert await store.get("things", "a") == StoredDocument("a", 1, A1)


@pytest.mark.parametrize(
    ("exists", "expected", "body"),
    [
        (True, 0, A2),
        (True, 1, A2),
        (True, 3, A2),
        (True, 0, None),
        (True, 1, None),
        (True, 3, None),
        (False, 1, A2),
        (False, 1, None),
        (False, 0, None),
    ],
)
async def test_given_another_version_when_writing_then_it_is_a_conflict_and_nothing_changes(
    store: DocumentStore, exists: bool, expected: int, body: bytes | None
) -> None:
    if exists:
        await store.commit([Write("things", "a", 0, A1)])
        await store.commit([Write("things", "a", 1, A1)])
    before = await store.get("things", "a")

    with pytest.raises(ConcurrencyError) as conflict:
        await store.commit([Write("things", "a", expected, body)])

    assert conflict.value.stream == "things/a"
    assert (conflict.value.expected, conflict.value.actual) == (expected, 2 if exists else 0)
    assert await store.get("things", "a") == before


@pytest.mark.parametrize("bad", [0, 1, 2, 3])
async def test_given_one_bad_write_of_several_when_committing_then_none_is_done(store: DocumentStore, bad: int) -> None:
    await store.commit([Write("things", "old", 0, A1), Write("things", "gone", 0, A1)])
    writes = [
        Write("things", "new", 0, A1),
        Write("things", "old", 1, A2),
        Write("other_things", "new", 0, A1),
        Write("things", "gone", 1, None),
    ]
    conflicting = Write("things", "missing", 7, A1)

    with pytest.raises(ConcurrencyError):
        await store.commit([*writes[:bad], conflicting, *writes[bad:]])

    assert await store.get("things", "new") is None
    assert await store.get("other_things", "new") is None
    assert await store.get("things", "old") == StoredDocument("old", 1, A1)
    assert await store.get("things", "gone") == StoredDocument("gone", 1, A1)

    await store.commit(writes)
    assert await store.get("things", "new") == StoredDocument("new", 1, A1)
    assert await store.get("other_things", "new") == StoredDocument("new", 1, A1)
    assert await store.get("things", "old") == StoredDocument("old", 2, A2)
    assert await store.get("things", "gone") is None


async def test_given_the_same_key_in_two_collections_then_these_are_two_documents(store: DocumentStore) -> None:
    await store.commit([Write("things", "a", 0, A1)])
    await store.commit([Write("other_things", "a", 0, A2)])

    assert await store.get("things", "a") == StoredDocument("a", 1, A1)
    assert await store.get("other_things", "a") == StoredDocument("a", 1, A2)


async def test_when_committing_nothing_then_nothing_happens(store: DocumentStore) -> None:
    await store.commit([])

    assert await store.find(THINGS, find()) == []


async def test_given_32_rivals_for_one_version_when_they_commit_then_exactly_one_wins(store: DocumentStore) -> None:
    await store.commit([Write("things", "a", 0, A1)])

    answers = await asyncio.gather(
        *(store.commit([Write("things", f"by-{rival}", 0, A1), Write("things", "a", 1, A2)]) for rival in range(32)),
        return_exceptions=True,
    )

    assert [type(answer) for answer in answers if answer is not None] == [ConcurrencyError] * 31
    assert len(await store.find(THINGS, find())) == 2
    assert await store.get("things", "a") == StoredDocument("a", 2, A2)


@pytest.mark.parametrize("key", ["", "a b", "ü 東京 🏦", "a/b", *HOSTILE.values()])
async def test_given_an_unusual_key_when_writing_and_getting_then_it_is_that_document_alone(
    store: DocumentStore, key: str
) -> None:
    await store.commit([Write("things", "plain", 0, A1)])
    await store.commit([Write("things", key, 0, A2)])

    assert await store.get("things", key) == StoredDocument(key, 1, A2)
    assert await store.get("things", "plain") == StoredDocument("plain", 1, A1)
    await store.commit([Write("things", key, 1, None)])
    assert [document.key for document in await store.find(THINGS, find())] == ["plain"]


async def test_given_a_large_document_when_getting_then_it_comes_back_unchanged(store: DocumentStore) -> None:
    body = b'{"id":"a","name":"' + "ü🏦".encode() * 200_000 + b'"}'

    await store.commit([Write("things", "a", 0, body)])

    assert await store.get("things", "a") == StoredDocument("a", 1, body)


async def test_given_prepared_collections_when_preparing_again_then_nothing_is_lost(store: DocumentStore) -> None:
    await store.commit([Write("things", "a", 0, A1)])

    await store.prepare([THINGS, OTHERS])
    await store.prepare([OTHERS, THINGS])
    await store.prepare([])

    assert await store.get("things", "a") == StoredDocument("a", 1, A1)


@on_shared_data
async def test_given_a_closed_store_when_it_is_opened_again_then_everything_is_there(open_store: OpenStore) -> None:
    first = await open_store()
    await first.commit([Write("things", "a", 0, A1), Write("things", "b", 0, A1)])
    await first.commit([Write("things", "a", 1, A2), Write("things", "b", 1, None)])
    await first.aclose()

    second = await open_store()

    assert await second.get("things", "a") == StoredDocument("a", 2, A2)
    assert await second.get("things", "b") is None


@on_shared_data
async def test_given_two_store_objects_on_the_same_data_when_both_write_then_each_sees_the_other_and_conflicts_show(
    open_store: OpenStore,
) -> None:
    here, there = await open_store(), await open_store()
    await here.commit([Write("things", "a", 0, A1)])
    await there.commit([Write("things", "a", 1, A2)])

    assert await here.get("things", "a") == StoredDocument("a", 2, A2)
    with pytest.raises(ConcurrencyError):
        await here.commit([Write("things", "a", 1, A1)])


async def test_given_a_closed_store_when_using_it_then_it_is_unavailable(store: DocumentStore) -> None:
    await store.ping()
    await store.aclose()

    with pytest.raises(Unavailable):
        await store.ping()
    with pytest.raises(Unavailable):
        await store.get("things", "a")
    with pytest.raises(Unavailable):
        await store.commit([Write("things", "a", 0, A1)])


async def test_given_a_collection_that_is_dropped_then_it_is_gone_with_its_documents_and_can_be_made_again(
    store: DocumentStore,
) -> None:
    await store.commit([Write("things", "a", 0, A1), Write(OTHERS.collection, "a", 0, A1)])

    await store.drop([THINGS, THINGS.at(7)])
    await store.prepare([THINGS])

    assert await store.get("things", "a") is None
    assert await store.get(OTHERS.collection, "a") is not None
    await store.commit([Write("things", "a", 0, A1)])
    assert [found.key for found in await store.find(THINGS, find(order=["name"]))] == ["a"]


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # pymongo, cancelled while it connects
async def test_given_a_task_that_never_pauses_when_it_is_cancelled_at_any_step_then_it_ends(
    store: DocumentStore,
) -> None:
    async def write_and_read() -> None:
        stored = await store.get("things", "a")
        version = 0 if stored is None else stored.version
        with suppress(ConcurrencyError):  # the task before was cancelled, but its write may still be done
            await store.commit([Write("things", "a", version, A1)])

    assert await ends_when_cancelled(write_and_read)


# -- NUL -----------------------------------------------------------------------------------------------------------


@that_end_texts_at_nul
@pytest.mark.parametrize("thing", [Thing(id="b", name="x\0y"), Thing(id="b", owner="\0"), Thing(id="b", note="\0")])
async def test_given_nul_in_an_indexed_text_when_writing_then_it_is_refused_and_nothing_is_written(
    store: DocumentStore, thing: Thing
) -> None:
    with pytest.raises(ValueError, match=r"^things: (name|owner|note) is indexed, so it cannot hold NUL$"):
        await store.commit([insert(Thing(id="a")), insert(thing)])

    assert await store.get("things", "a") is None


async def test_given_nul_in_a_text_that_no_index_names_when_written_then_it_is_kept(store: DocumentStore) -> None:
    body = b'{"id":"a","name":"\\\\u0000","text":"x\\u0000y"}'

    await store.commit([Write("things", "a", 0, body)])

    assert await store.get("things", "a") == StoredDocument("a", 1, body)
