"""The session: what a message reads and changes, seen by itself at once and by others at its commit."""

import asyncio
import itertools
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, strategies as st
from typing_extensions import override

from neuroglia.core import ConcurrencyError, Unavailable
from neuroglia.documents import DocumentStore, DocumentType, Session, Write, eq, ge, lt
from neuroglia.documents.conditions import OPERATORS, stored_form
from neuroglia.documents.session import sort_key
from neuroglia.testing import InMemoryDocumentStore
from tests.framework.documents.models import OTHERS, THINGS, Find, OtherThing, Thing, find, insert

NewSession = Callable[[], Session]


# -- reading -------------------------------------------------------------------------------------------------------


async def test_given_a_document_when_it_is_read_again_then_it_is_the_same_object(
    memory: DocumentStore, session: Session
) -> None:
    await memory.commit([insert(Thing(id="a", name="x"))])

    first = await session.get(THINGS, "a")

    assert first is not None
    assert await session.get(THINGS, "a") is first
    assert (await session.find(THINGS, find(eq("name", "x"))))[0] is first


async def test_given_a_find_when_getting_then_it_is_the_same_object(memory: DocumentStore, session: Session) -> None:
    await memory.commit([insert(Thing(id="a", name="x"))])

    (first,) = await session.find(THINGS, find(eq("name", "x")))

    assert await session.get(THINGS, "a") is first


async def test_given_two_reads_at_once_when_both_return_then_it_is_the_same_object(
    memory: DocumentStore, session: Session
) -> None:
    await memory.commit([insert(Thing(id="a"))])

    first, second = await asyncio.gather(session.get(THINGS, "a"), session.get(THINGS, "a"))

    assert first is second is not None


async def test_given_two_sessions_when_both_read_then_they_share_nothing(
    memory: DocumentStore, new_session: NewSession
) -> None:
    await memory.commit([insert(Thing(id="a", name="x"))])
    mine, theirs = await new_session().get(THINGS, "a"), await new_session().get(THINGS, "a")

    assert mine is not None
    mine.name = "changed"

    assert theirs is not None
    assert theirs.name == "x"


# -- writing -------------------------------------------------------------------------------------------------------


async def test_given_thousands_of_documents_when_they_are_committed_then_others_get_their_turn(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded, seen = 0, [0]
    encode = THINGS.codec.encode

    def counted(thing: Thing) -> bytes:
        nonlocal encoded
        encoded += 1
        return encode(thing)

    monkeypatch.setattr(THINGS.codec, "encode", counted)
    for number in range(2_000):
        session.save(THINGS, Thing(id=str(number)))

    async def look() -> None:
        while seen[-1] < 2_000:
            await asyncio.sleep(0)
            seen.append(encoded)

    async with asyncio.TaskGroup() as group:
        group.create_task(look())
        group.create_task(session.commit())

    assert max(after - before for before, after in itertools.pairwise(seen)) <= 500


async def test_given_a_saved_document_when_not_yet_committed_then_this_session_sees_it_and_no_other(
    session: Session, new_session: NewSession
) -> None:
    thing = Thing(id="a", name="x")

    session.save(THINGS, thing)

    assert await session.get(THINGS, "a") is thing
    assert await session.find(THINGS, find(eq("name", "x"))) == [thing]
    assert await new_session().get(THINGS, "a") is None
    await session.commit()
    assert await new_session().get(THINGS, "a") == thing


async def test_given_a_change_that_is_not_saved_when_committing_then_nothing_is_written(
    memory: DocumentStore, session: Session, new_session: NewSession
) -> None:
    await memory.commit([insert(Thing(id="a", name="x"))])
    thing = await session.get(THINGS, "a")
    assert thing is not None
    thing.name = "changed"

    await session.commit()

    stored = await memory.get("things", "a")
    assert stored is not None
    assert stored.version == 1


async def test_given_several_saves_of_one_document_when_committing_then_it_is_written_once(
    memory: DocumentStore, session: Session
) -> None:
    for name in ("x", "y", "z"):
        session.save(THINGS, Thing(id="a", name=name))

    await session.commit()

    stored = await memory.get("things", "a")
    assert stored is not None
    assert (stored.version, THINGS.codec.decode(stored.body).name) == (1, "z")


async def test_given_a_committed_session_when_committing_again_then_nothing_is_written_and_changes_go_on_from_there(
    memory: DocumentStore, session: Session
) -> None:
    thing = Thing(id="a")
    session.save(THINGS, thing)
    await session.commit()
    await session.commit()
    assert (await _version(memory, "a")) == 1

    thing.name = "y"
    session.save(THINGS, thing)
    await session.commit()
    assert (await _version(memory, "a")) == 2

    await session.delete(THINGS, "a")
    await session.commit()
    assert (await _version(memory, "a")) is None

    session.save(THINGS, thing)
    await session.commit()
    assert (await _version(memory, "a")) == 1


async def test_given_a_document_that_was_not_read_when_it_exists_then_saving_it_is_a_conflict(
    memory: DocumentStore, session: Session
) -> None:
    await memory.commit([insert(Thing(id="a", name="theirs"))])
    session.save(THINGS, Thing(id="a", name="mine"))
    session.save(THINGS, Thing(id="b"))

    with pytest.raises(ConcurrencyError) as conflict:
        await session.commit()

    assert (conflict.value.stream, conflict.value.expected, conflict.value.actual) == ("things/a", 0, 1)
    assert await _version(memory, "a") == 1
    assert await _version(memory, "b") is None


async def test_given_a_document_that_another_changed_when_committing_then_it_is_a_conflict_and_nothing_is_written(
    memory: DocumentStore, session: Session, new_session: NewSession
) -> None:
    await memory.commit([insert(Thing(id="a"))])
    rival = new_session()
    for one in (session, rival):
        thing = await one.get(THINGS, "a")
        assert thing is not None
        thing.rank += 1
        one.save(THINGS, thing)
    session.save(THINGS, Thing(id="new"))
    session.save(OTHERS, OtherThing(id="new"))
    await rival.commit()

    with pytest.raises(ConcurrencyError):
        await session.commit()

    assert await _version(memory, "a") == 2
    assert await _version(memory, "new") is None
    assert await memory.get("other_things", "new") is None


async def test_given_a_document_that_cannot_be_encoded_when_committing_then_nothing_is_written(
    memory: DocumentStore, session: Session
) -> None:
    session.save(THINGS, Thing(id="a"))
    session.save(THINGS, Thing(id="b", name="\ud800"))

    with pytest.raises(ValueError, match="surrogates"):
        await session.commit()

    assert await _version(memory, "a") is None


async def test_given_a_store_that_fails_when_committing_again_then_everything_is_written_once(
    memory: InMemoryDocumentStore, session: Session
) -> None:
    failing = FailingOnce(memory)
    session.store = failing
    session.save(THINGS, Thing(id="a"))
    with pytest.raises(Unavailable):
        await session.commit()
    assert await _version(memory, "a") is None

    await session.commit()

    assert await _version(memory, "a") == 1


# -- deleting ------------------------------------------------------------------------------------------------------


async def test_given_a_deleted_document_when_not_yet_committed_then_only_this_session_misses_it(
    memory: DocumentStore, session: Session, new_session: NewSession
) -> None:
    await memory.commit([insert(Thing(id="a", name="x")), insert(Thing(id="b", name="x"))])

    await session.delete(THINGS, "a")

    assert await session.get(THINGS, "a") is None
    assert [thing.id for thing in await session.find(THINGS, find(eq("name", "x")))] == ["b"]
    assert await new_session().get(THINGS, "a") is not None
    await session.commit()
    assert await new_session().get(THINGS, "a") is None


async def test_given_nothing_when_deleting_then_nothing_happens(memory: DocumentStore, session: Session) -> None:
    await session.delete(THINGS, "a")
    session.save(THINGS, Thing(id="b"))
    await session.delete(THINGS, "b")
    await session.delete(THINGS, "b")

    await session.commit()

    assert await memory.find(THINGS, find()) == []


async def test_given_a_deleted_document_when_it_is_saved_again_then_it_replaces_the_old_one(
    memory: DocumentStore, session: Session
) -> None:
    await memory.commit([insert(Thing(id="a", name="old"))])
    await session.delete(THINGS, "a")
    session.save(THINGS, Thing(id="a", name="new"))

    await session.commit()

    assert await _version(memory, "a") == 2


async def test_given_a_document_that_another_changed_when_it_is_deleted_then_it_is_a_conflict(
    memory: DocumentStore, session: Session
) -> None:
    await memory.commit([insert(Thing(id="a"))])
    await session.delete(THINGS, "a")
    await memory.commit([Write("things", "a", 1, THINGS.codec.encode(Thing(id="a", rank=1)))])

    with pytest.raises(ConcurrencyError):
        await session.commit()

    assert await _version(memory, "a") == 2


# -- finding what is staged ----------------------------------------------------------------------------------------


async def test_given_staged_changes_when_finding_then_documents_enter_leave_and_move(
    memory: DocumentStore, session: Session
) -> None:
    stored = [Thing(id=f"t{rank}", rank=rank) for rank in range(6)]
    await memory.commit([insert(thing) for thing in stored])
    moved, left = await session.get(THINGS, "t1"), await session.get(THINGS, "t3")
    assert moved is not None
    assert left is not None
    moved.rank, left.owner = 7, "bob"
    session.save(THINGS, moved)
    session.save(THINGS, left)
    session.save(THINGS, Thing(id="new", rank=2))
    await session.delete(THINGS, "t0")
    mine = eq("owner", "ada")

    async def keys(wanted: Find) -> list[str]:
        return [thing.id for thing in await session.find(THINGS, wanted)]

    assert await keys(find(mine, order=["rank"])) == ["new", "t2", "t4", "t5", "t1"]
    assert await keys(find(mine, order=["rank"], limit=2)) == ["new", "t2"]
    assert await keys(find(mine, order=["rank"], limit=2, after=[2, "t2"])) == ["t4", "t5"]
    assert await keys(find(mine, order=["rank"], descending=True, limit=2)) == ["t1", "t5"]
    assert await keys(find(mine, ge("rank", 5), order=["rank"])) == ["t5", "t1"]
    assert await keys(find(mine, lt("rank", 2), order=["rank"])) == []


async def test_given_two_readings_of_one_declaration_when_finding_then_staged_changes_are_seen_through_both(
    session: Session,
) -> None:
    session.save(DocumentType(Thing), Thing(id="a", name="x"))

    assert [thing.id for thing in await session.find(THINGS, find(eq("name", "x")))] == ["a"]


async def test_given_a_document_that_appears_after_it_was_missed_when_finding_it_then_it_is_a_conflict(
    memory: DocumentStore, session: Session
) -> None:
    assert await session.get(THINGS, "a") is None
    await memory.commit([insert(Thing(id="a", name="x"))])

    with pytest.raises(ConcurrencyError):
        await session.find(THINGS, find(eq("name", "x")))


keys = st.sampled_from("abcdef")
values = st.builds(
    Thing,
    id=keys,
    owner=st.sampled_from(["ada", "bob"]),
    name=st.sampled_from(["", "x", "y"]),
    rank=st.integers(0, 3),
    note=st.none() | st.just("n"),
)
finds = st.builds(
    lambda shape, descending, limit: find(*shape[0], order=shape[1], descending=descending, limit=limit),
    st.sampled_from(
        [
            ((), ()),
            ((), ("rank", "name")),
            ((eq("name", "x"),), ()),
            ((eq("note", "n"),), ()),
            ((eq("owner", "ada"),), ("rank",)),
            ((eq("owner", "ada"), ge("rank", 1)), ("rank",)),
            ((eq("owner", "bob"), ge("rank", 1), lt("rank", 3)), ("rank",)),
        ]
    ),
    st.booleans(),
    st.integers(1, 8),
)
steps = st.lists(
    st.tuples(st.just("save"), values) | st.tuples(st.just("delete"), keys) | st.tuples(st.just("find"), finds),
    max_size=15,
)


@given(before=st.lists(values, unique_by=lambda thing: thing.id), steps=steps, last=finds, page=st.integers(1, 3))
async def test_given_any_saves_and_deletes_when_finding_in_the_session_then_it_is_what_others_find_after_the_commit(
    before: list[Thing], steps: Sequence[tuple[str, Thing | str | Find]], last: Find, page: int
) -> None:
    store = InMemoryDocumentStore()
    await store.open()
    try:
        await store.prepare([THINGS])
        await store.commit([insert(thing) for thing in before])
        model = {thing.id: thing for thing in before}
        session = Session(store)
        for _, what in steps:
            if isinstance(what, Thing):
                await session.get(THINGS, what.id)
                session.save(THINGS, what.model_copy())
                model[what.id] = what
            elif isinstance(what, str):
                await session.delete(THINGS, what)
                model.pop(what, None)
            else:
                assert await session.find(THINGS, what) == _expected(model, what)
        inside = await session.find(THINGS, last)
        paged = await _paged(session, last, page)
        await session.commit()
        assert inside == await Session(store).find(THINGS, last) == _expected(model, last)
        assert paged == await _paged(Session(store), last, page)
        assert paged[: last.limit] == inside
    finally:
        await store.aclose()


def _expected(model: dict[str, Thing], wanted: Find) -> list[Thing]:
    found = [thing for thing in model.values() if all(_meets(thing, condition) for condition in wanted.where)]
    found.sort(key=lambda thing: sort_key(THINGS, wanted, thing), reverse=wanted.descending)
    return found[: wanted.limit]


def _meets(thing: Thing, condition: object) -> bool:
    value = stored_form(getattr(thing, condition.field))  # type: ignore[attr-defined]
    return value is not None and OPERATORS[condition.operator](value, condition.value)  # type: ignore[attr-defined]


async def _paged(session: Session, wanted: Find, size: int) -> list[Thing]:
    found: list[Thing] = []
    after = None
    while page := await session.find(THINGS, Find(wanted.where, wanted.order, wanted.descending, size, after)):
        found += page
        after = sort_key(THINGS, wanted, page[-1])
    return found


async def _version(store: DocumentStore, key: str) -> int | None:
    stored = await store.get("things", key)
    return None if stored is None else stored.version


class FailingOnce(InMemoryDocumentStore):
    """The same documents, in a store whose first commit fails."""

    def __init__(self, store: InMemoryDocumentStore) -> None:
        super().__init__()
        self._collections, self._compared, self._is_open = store._collections, store._compared, True
        self._failed = False

    @override
    async def commit(self, writes: Sequence[Write]) -> None:
        if not self._failed:
            self._failed = True
            raise Unavailable("down for a moment")
        await super().commit(writes)
