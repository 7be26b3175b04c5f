"""Stores in memory: what they promise beyond the contracts, and a service that runs on them."""

import asyncio

import pytest

from neuroglia.core import ConcurrencyError, Unavailable
from neuroglia.documents import DocumentStore, Write
from neuroglia.event_sourcing import NO_STREAM, EventStore
from neuroglia.hosting import ServiceSettings, WebApplicationBuilder
from neuroglia.testing import InMemoryDocumentStore, InMemoryEventStore, in_memory, running
from tests.framework.documents.models import THINGS, Thing, insert
from tests.framework.event_sourcing.events import ids, new_events, stream_of
from tests.framework.hosting.lamps import Lamp, LampLit


async def test_given_a_service_that_was_stopped_when_its_stores_are_opened_again_then_everything_is_there() -> None:
    events, documents, new = InMemoryEventStore(), InMemoryDocumentStore(), new_events(2)
    await events.open()
    await documents.open()
    await documents.prepare([THINGS])
    await events.append("a-1", new, NO_STREAM)
    await documents.commit([insert(Thing(id="a"))])

    for store in (events, documents):
        await store.aclose()
        with pytest.raises(Unavailable):
            await store.ping()
        await store.open()

    assert ids(await stream_of(events, "a-1")) == ids(new)
    assert await documents.get("things", "a") is not None


async def test_given_two_that_read_before_they_write_when_they_run_at_once_then_one_of_them_meets_the_conflict() -> (
    None
):
    documents = InMemoryDocumentStore()
    await documents.open()
    await documents.prepare([THINGS])
    await documents.commit([insert(Thing(id="a"))])

    async def write_again() -> None:
        found = await documents.get("things", "a")
        assert found is not None
        await documents.commit([Write("things", "a", found.version, found.body)])

    answers = await asyncio.gather(write_again(), write_again(), return_exceptions=True)

    assert [type(answer) for answer in answers] == [type(None), ConcurrencyError]


async def test_given_a_collection_that_was_not_prepared_when_using_it_then_it_is_unavailable_as_elsewhere() -> None:
    documents = InMemoryDocumentStore()
    await documents.open()

    with pytest.raises(Unavailable, match="things"):
        await documents.get("things", "a")
    with pytest.raises(Unavailable):
        await documents.commit([insert(Thing(id="a"))])


@pytest.mark.service
async def test_given_a_builder_in_memory_when_its_service_runs_then_its_stores_are_not_those_of_its_settings() -> None:
    lamps = "tests.framework.hosting.lamps"
    builder = WebApplicationBuilder(ServiceSettings(event_store_url="none://", document_store_url="none://"))
    builder.add_mediation(lamps)
    builder.add_event_sourcing(lamps, subscriptions=lamps)
    builder.add_documents(lamps)

    async with running(in_memory(builder).build()) as service:
        await service.given(Lamp, "1", LampLit())
        events, documents = await service.services.get(EventStore), await service.services.get(DocumentStore)
        shown = await documents.get("lamps", "1")

    assert (type(events), type(documents)) == (InMemoryEventStore, InMemoryDocumentStore)
    assert shown is not None
