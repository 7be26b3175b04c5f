"""The repository of a document type: pages, cursors, and refusals."""

import pytest
from hypothesis import given, strategies as st

from neuroglia.core import ConfigurationError, MalformedRequest, NotFoundError
from neuroglia.documents import Documents, DocumentStore, Session, eq, ge
from neuroglia.testing import InMemoryDocumentStore
from tests.framework.documents.models import OTHERS, THINGS, Thing, insert


@pytest.fixture
async def five(memory: DocumentStore) -> None:
    await memory.commit([insert(Thing(id=f"t{rank}", rank=rank, name="x")) for rank in range(5)])


async def test_given_no_document_when_getting_then_it_is_not_found_and_when_looking_up_none(
    documents: Documents[Thing],
) -> None:
    with pytest.raises(NotFoundError) as missing:
        await documents.get("a")

    assert (missing.value.kind, missing.value.id) == ("thing", "a")
    assert await documents.lookup("a") is None


async def test_given_a_saved_document_when_getting_then_it_is_there_until_it_is_deleted(
    documents: Documents[Thing], session: Session, memory: DocumentStore
) -> None:
    thing = Thing(id="a")
    assert await documents.save(thing) == []
    assert await documents.get("a") is thing
    await session.commit()
    await documents.delete("a")
    await documents.delete("nothing")

    with pytest.raises(NotFoundError):
        await documents.get("a")
    await session.commit()
    assert await memory.get("things", "a") is None


@pytest.mark.usefixtures("five")
async def test_given_more_than_a_page_when_finding_then_the_cursor_leads_on_and_the_last_page_has_none(
    documents: Documents[Thing],
) -> None:
    first = await documents.find(eq("owner", "ada"), order="-rank", limit=2)
    second = await documents.find(eq("owner", "ada"), order="-rank", limit=2, cursor=first.next_cursor)
    third = await documents.find(eq("owner", "ada"), order="-rank", limit=2, cursor=second.next_cursor)

    pages = [[thing.rank for thing in page.items] for page in (first, second, third)]
    assert pages == [[4, 3], [2, 1], [0]]
    assert third.next_cursor is None
    assert (await documents.find(eq("owner", "ada"), order="rank", limit=5)).next_cursor is None


@pytest.mark.usefixtures("five")
async def test_given_a_cursor_when_the_page_size_changes_then_it_still_leads_on(documents: Documents[Thing]) -> None:
    first = await documents.find(order=("rank", "name"), limit=1)

    rest = await documents.find(order=("rank", "name"), limit=50, cursor=first.next_cursor)

    assert [thing.rank for thing in rest.items] == [1, 2, 3, 4]


@pytest.mark.usefixtures("five")
async def test_given_a_cursor_when_filters_order_or_collection_are_others_then_it_is_refused(
    documents: Documents[Thing], session: Session
) -> None:
    cursor = (await documents.find(eq("owner", "ada"), order="rank", limit=2)).next_cursor
    assert cursor is not None

    attempts = [
        documents.find(eq("owner", "bob"), order="rank", cursor=cursor),
        documents.find(eq("owner", "ada"), ge("rank", 1), order="rank", cursor=cursor),
        documents.find(eq("owner", "ada"), order="-rank", cursor=cursor),
        documents.find(eq("owner", "ada"), order="made_at", cursor=cursor),
        documents.find(order="rank", cursor=cursor),
        Documents(OTHERS, session).find(order="name", cursor=cursor),
        documents.find(eq("owner", "ada"), order="rank", cursor=cursor[:-1]),
        documents.find(eq("owner", "ada"), order="rank", cursor=""),
        documents.find(eq("owner", "ada"), order="rank", cursor="näh"),
        documents.find(eq("owner", "ada"), order="rank", cursor=cursor + "."),
    ]

    for attempt in attempts:
        with pytest.raises(MalformedRequest):
            await attempt


async def test_given_an_order_that_is_half_turned_round_when_finding_then_it_is_refused(
    documents: Documents[Thing],
) -> None:
    with pytest.raises(ConfigurationError, match="turn all of the order"):
        await documents.find(order=("rank", "-name"))


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("order", [("-rank", "-name"), ("-rank", "name")])
async def test_given_a_minus_on_the_first_field_when_finding_then_the_whole_order_is_turned_round(
    documents: Documents[Thing], order: tuple[str, str]
) -> None:
    assert [thing.rank for thing in (await documents.find(order=order)).items] == [4, 3, 2, 1, 0]


@given(ranks=st.lists(st.integers(0, 3), max_size=12), limit=st.integers(1, 5), turned=st.booleans())
async def test_given_any_documents_when_following_the_cursors_then_each_is_met_once_in_order(
    ranks: list[int], limit: int, turned: bool
) -> None:
    store = InMemoryDocumentStore()
    await store.open()
    try:
        await store.prepare([THINGS])
        await store.commit([insert(Thing(id=f"{key:02}", rank=rank)) for key, rank in enumerate(ranks)])
        met: list[tuple[int, str]] = []
        cursor = None
        while True:
            documents = Documents(THINGS, Session(store))
            page = await documents.find(order=("-rank" if turned else "rank", "name"), limit=limit, cursor=cursor)
            met += [(thing.rank, thing.id) for thing in page.items]
            if (cursor := page.next_cursor) is None:
                break
            assert len(page.items) == limit
        assert met == sorted(((rank, f"{key:02}") for key, rank in enumerate(ranks)), reverse=turned)
    finally:
        await store.aclose()
