"""A read model can stand in several generations, of which one is read."""

import pytest
from pydantic import BaseModel

from neuroglia.core import ConfigurationError
from neuroglia.documents import Documents, DocumentStore, DocumentType, Generations, Session, document
from neuroglia.documents.generations import of_generation
from tests.framework.documents.models import OTHERS, THINGS, Thing


@pytest.fixture
async def store(any_store: DocumentStore) -> DocumentStore:
    await any_store.prepare([THINGS, OTHERS])
    return any_store


@pytest.fixture
async def second(store: DocumentStore) -> DocumentType[Thing]:
    """The second generation of things, beside the first."""
    kind = THINGS.at(2)
    await store.prepare([kind])
    for target, name in ((THINGS, "old"), (kind, "new")):
        session = Session(store)
        session.save(target, Thing(id="a", name=name))
        await session.commit()
    return kind


async def names(session: Session) -> list[str]:
    things = Documents(THINGS, session)
    return [(await things.get("a")).name, *[thing.name for thing in (await things.find()).items]]


async def test_given_a_swap_then_new_sessions_read_the_new_generation_and_old_ones_the_old(
    store: DocumentStore, second: DocumentType[Thing]
) -> None:
    generations = Generations()
    before = Session(store, generations)
    generations.use([THINGS], 2)
    after = Session(store, generations)

    assert await names(before) == ["old", "old"]
    assert await names(after) == ["new", "new"]
    generations.use([THINGS], 1)
    assert await names(Session(store, generations)) == ["old", "old"]


async def test_given_a_generation_that_is_being_built_when_a_session_uses_it_then_it_writes_there_alone(
    store: DocumentStore, second: DocumentType[Thing]
) -> None:
    session = Session(store)
    session.use(of_generation([THINGS], 2))
    things = Documents(THINGS, session)
    thing = await things.get("a")
    thing.name = "newer"
    await things.save(thing)
    await things.save(Thing(id="b"))
    await session.commit()
    await things.delete("b")
    await session.commit()

    assert await names(Session(store)) == ["old", "old"]
    assert (await Session(store).get(second, "a")) == Thing(id="a", name="newer")
    assert await Session(store).get(second, "b") is None


async def test_given_a_cursor_when_the_generation_is_swapped_then_it_leads_on(
    store: DocumentStore, second: DocumentType[Thing]
) -> None:
    generations = Generations()
    for kind in (THINGS, second):
        session = Session(store)
        session.save(kind, Thing(id="b", name="other"))
        await session.commit()
    first = await Documents(THINGS, Session(store, generations)).find(limit=1)
    generations.use([THINGS], 2)

    rest = await Documents(THINGS, Session(store, generations)).find(limit=1, cursor=first.next_cursor)

    assert [thing.id for thing in rest.items] == ["b"]


def test_the_first_generation_is_the_declared_collection() -> None:
    assert THINGS.at(1) is THINGS
    assert (THINGS.at(12).collection, THINGS.collection) == ("things__12", "things")
    assert set(of_generation([THINGS, OTHERS], 3)) == {"things", OTHERS.collection}


@pytest.mark.parametrize("name", ["things__2", "a__b", "a" * 60])
def test_given_a_name_that_could_be_a_later_generations_when_declared_then_it_is_refused(name: str) -> None:
    class Model(BaseModel):
        id: str

    with pytest.raises(ConfigurationError, match="is no collection name"):
        DocumentType(document(name)(Model))
