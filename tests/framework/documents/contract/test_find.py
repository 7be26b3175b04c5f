"""What every document store promises of `find`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from neuroglia.core import ConfigurationError
from neuroglia.core.paging import Scalar
from neuroglia.documents import Condition, DocumentStore, Write, eq, ge, gt, le, lt
from neuroglia.documents.conditions import OPERATORS, stored_form
from neuroglia.documents.session import sort_key
from tests.framework.documents.models import THINGS, Colour, Find, Thing, find, insert, things
from tests.support.hostile import HOSTILE, STRUCTURES

NOON = datetime(2025, 1, 31, 12, tzinfo=UTC)


async def found(store: DocumentStore, wanted: Find) -> list[str]:
    """The keys of what a store finds."""
    return [document.key for document in await store.find(THINGS, wanted)]


async def fill(store: DocumentStore, *stored: Thing) -> None:
    """Stores things."""
    await store.commit([insert(thing) for thing in stored])


# -- conditions ----------------------------------------------------------------------------------------------------


async def test_given_equal_values_when_finding_then_these_documents_come_with_their_versions(
    store: DocumentStore,
) -> None:
    first = Thing(id="a", name="x")
    await fill(store, first, Thing(id="b", name="y"), Thing(id="c", name="x"))
    await store.commit([Write("things", "a", 1, THINGS.codec.encode(first))])

    stored = await store.find(THINGS, find(eq("name", "x")))

    assert [(document.key, document.version) for document in stored] == [("a", 2), ("c", 1)]
    assert things(stored) == [first, Thing(id="c", name="x")]


@pytest.mark.parametrize(
    ("conditions", "ranks"),
    [
        ([ge("rank", 3)], [3, 4, 5]),
        ([gt("rank", 3)], [4, 5]),
        ([le("rank", 3)], [-1, 2, 3]),
        ([lt("rank", 3)], [-1, 2]),
        ([ge("rank", 2), lt("rank", 4)], [2, 3]),
        ([gt("rank", 5)], []),
        ([gt("rank", 4), lt("rank", 3)], []),
    ],
)
async def test_given_ranges_when_finding_then_their_bounds_hold(
    store: DocumentStore, conditions: list[Condition], ranks: list[int]
) -> None:
    await fill(store, *(Thing(id=f"t{rank}", rank=rank) for rank in (5, -1, 3, 2, 4)))

    wanted = find(eq("owner", "ada"), *conditions, order=["rank"])

    assert [thing.rank for thing in things(await store.find(THINGS, wanted))] == ranks


async def test_given_numbers_when_ordering_then_ten_comes_behind_nine(store: DocumentStore) -> None:
    await fill(store, *(Thing(id=f"t{rank}", rank=rank) for rank in (10, 9, -10, 100, 0)))

    assert await found(store, find(order=["rank"])) == ["t-10", "t0", "t9", "t10", "t100"]


@pytest.mark.parametrize(
    "condition",
    [
        eq("colour", Colour.BLUE),
        eq("active", False),
        eq("made_on", date(2024, 2, 29)),
        eq("name", "007"),
        eq("rank", 7),
    ],
    ids=lambda condition: condition.field,
)
async def test_given_values_of_all_kinds_when_finding_by_them_then_they_are_compared_as_they_are_stored(
    store: DocumentStore, condition: Condition
) -> None:
    wanted = Thing(id="x", colour=Colour.BLUE, active=False, made_on=date(2024, 2, 29), name="007", rank=7)
    await fill(store, Thing(id="a", name="7"), wanted, Thing(id="z", name="7.0"))

    assert await found(store, find(condition)) == ["x"]


async def test_given_times_when_finding_a_range_then_it_is_about_moments_whatever_the_zone(
    store: DocumentStore,
) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    moments = {
        "a": NOON - timedelta(microseconds=1),
        "b": NOON.astimezone(india),
        "c": NOON + timedelta(microseconds=1),
        "d": (NOON + timedelta(seconds=1)).replace(microsecond=0),
    }
    await fill(store, *(Thing(id=key, made_at=moment) for key, moment in moments.items()))
    conditions = [eq("owner", "ada"), gt("made_at", NOON.astimezone(india))]

    assert await found(store, find(*conditions, order=["made_at"])) == ["c", "d"]
    assert await found(store, find(conditions[0], ge("made_at", NOON), order=["made_at"])) == ["b", "c", "d"]


async def test_given_none_when_finding_then_it_equals_nothing_and_lies_in_no_range(store: DocumentStore) -> None:
    await fill(store, Thing(id="a"), Thing(id="b", note=""), Thing(id="c", note="null"), Thing(id="d", note="None"))

    assert await found(store, find(eq("note", ""))) == ["b"]
    assert await found(store, find(eq("note", "null"))) == ["c"]
    assert things(await store.find(THINGS, find()))[0].note is None


@pytest.mark.parametrize("text", [*(text for text in HOSTILE.values() if "\0" not in text), "a%", "A"])
async def test_given_text_that_means_something_to_a_store_when_finding_then_it_is_only_text(
    store: DocumentStore, text: str
) -> None:
    await fill(store, Thing(id="a", name="a"), Thing(id="b", name="abc"), Thing(id="c", name="", rank=1))
    assert await found(store, find(eq("name", text))) == []
    assert await found(store, find(eq("owner", text), ge("rank", 0), order=["rank"])) == []

    await fill(store, Thing(id="x", name=text, owner=text))

    assert await found(store, find(eq("name", text))) == ["x"]
    assert await found(store, find(eq("owner", text), order=["rank"], after=[-1, text])) == ["x"]
    assert len(await store.find(THINGS, find())) == 4


@pytest.mark.parametrize("text", ["\0", "a\0", "a\0b"])
async def test_given_nul_in_a_text_that_is_looked_for_then_it_is_found_as_itself_alone_or_refused(
    store: DocumentStore, text: str
) -> None:
    await fill(store, Thing(id="a", name="a"), Thing(id="b", name=""))
    stored = ["x"]
    try:
        await fill(store, Thing(id="x", name=text))
    except ValueError:
        stored = []

    assert await found(store, find(eq("name", text))) == stored
    assert await found(store, find(eq("name", "a"))) == ["a"]
    assert await found(store, find(eq("name", ""))) == ["b"]


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
async def test_given_a_structure_where_a_value_belongs_then_it_is_no_condition(structure: Any) -> None:
    for make in (eq, ge, gt, le, lt, lambda field, value: Condition(field, "=", value)):
        with pytest.raises(TypeError, match="cannot be looked for"):
            make("name", structure)


@pytest.mark.parametrize("operator", ["", "==", "!=", "$ne", "$where", "LIKE", "= name OR name =", "= ? --", "<>"])
async def test_given_an_operator_that_nobody_declared_then_it_is_no_condition(operator: str) -> None:
    with pytest.raises(ValueError, match="compares"):
        Condition("name", operator, "x")


@pytest.mark.parametrize("field", ["nothing", "name') OR 1=1 --", "$where", "name.first", ""])
async def test_given_a_field_that_is_not_declared_when_finding_then_it_is_refused(
    store: DocumentStore, field: str
) -> None:
    for wanted in (find(eq(field, "x")), find(order=[field]), find(ge(field, "x"))):
        with pytest.raises(ConfigurationError):
            await store.find(THINGS, wanted)


# -- indexes -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wanted", "remedy"),
    [
        (find(eq("price", "1.50")), r"Thing: no index serves this find; declare \('price',\) in @document"),
        (find(order=["made_at"]), r"declare \('made_at',\)"),
        (find(eq("owner", "ada")), r"declare \('owner',\)"),
        (find(eq("name", "x"), order=["rank"]), r"declare \('name', 'rank'\)"),
        (find(eq("owner", "x"), order=["name", "rank"]), r"declare \('owner', 'name', 'rank'\)"),
        (find(eq("owner", "x"), eq("colour", "red"), order=["rank"]), r"declare \('owner', 'colour', 'rank'\)"),
        (find(ge("rank", 1)), "Thing: order by rank to find a range of it"),
        (find(eq("owner", "x"), ge("made_at", NOON), order=["rank"]), "order by made_at"),
        (find(order=["note"]), "Thing: note may be None, so it gives no order"),
    ],
)
async def test_given_no_index_for_it_when_finding_then_it_is_refused_with_the_remedy(
    store: DocumentStore, wanted: Find, remedy: str
) -> None:
    with pytest.raises(ConfigurationError, match=remedy):
        await store.find(THINGS, wanted)


async def test_given_equalities_in_any_order_when_finding_then_the_index_serves_them(store: DocumentStore) -> None:
    await fill(store, Thing(id="a", rank=2, name="b"), Thing(id="b", rank=2, name="a"), Thing(id="c", rank=1))

    wanted = find(eq("rank", 2), eq("colour", Colour.RED), eq("owner", "ada"), order=["name"])

    assert await found(store, wanted) == ["b", "a"]


# -- order and paging ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("descending", [False, True])
async def test_given_several_fields_when_ordering_then_each_breaks_the_ties_of_those_before_and_the_key_the_last(
    store: DocumentStore, descending: bool
) -> None:
    ordered = [
        Thing(id="z", rank=1, name="a"),
        Thing(id="b", rank=1, name="b"),
        Thing(id="c", rank=1, name="b"),
        Thing(id="a", rank=2, name="a"),
    ]
    await fill(store, *ordered[::-1])

    keys = await found(store, find(order=["rank", "name"], descending=descending))

    assert keys == [thing.id for thing in (reversed(ordered) if descending else ordered)]


@pytest.mark.parametrize("descending", [False, True])
async def test_given_no_order_when_finding_then_it_is_by_key(store: DocumentStore, descending: bool) -> None:
    keys = ["", "A", "a", "b", "ü", "東", "🏦"]
    await fill(store, *(Thing(id=key) for key in keys[::-1]))

    assert await found(store, find(descending=descending)) == (keys[::-1] if descending else keys)
    assert await found(store, find(descending=descending, after=["b"])) == (keys[2::-1] if descending else keys[4:])


text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3)
some_things = st.lists(
    st.builds(
        Thing,
        id=text,
        owner=st.sampled_from(["ada", "bob"]),
        name=text,
        rank=st.integers(-2, 2) | st.integers(-(2**63), 2**63 - 1),
        colour=st.sampled_from(Colour),
        made_at=st.datetimes(timezones=st.just(UTC)),
        note=st.none() | text,
    ),
    unique_by=lambda thing: thing.id,
    max_size=12,
)
shapes: Sequence[tuple[Sequence[str], Sequence[str]]] = [  # fields that are equal, fields that order
    ((), ()),
    ((), ("name",)),
    ((), ("rank",)),
    ((), ("rank", "name")),
    (("owner",), ("rank",)),
    (("owner",), ("made_at",)),
    (("owner", "colour"), ("rank", "name")),
    (("note",), ()),
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    stored=some_things,
    shape=st.sampled_from(shapes),
    operators=st.lists(st.sampled_from([">=", ">", "<=", "<"]), max_size=2),
    descending=st.booleans(),
    limit=st.integers(1, 5),
    data=st.data(),
)
async def test_given_any_documents_when_paging_through_a_find_then_it_is_what_a_plain_list_gives_each_once(
    store: DocumentStore,
    stored: list[Thing],
    shape: tuple[Sequence[str], Sequence[str]],
    operators: list[str],
    descending: bool,
    limit: int,
    data: st.DataObject,
) -> None:
    equal, order = shape
    example: Any = data.draw(st.sampled_from(stored)) if stored else Thing(id="", note="")
    where = [Condition(name, "=", stored_form(getattr(example, name))) for name in equal]
    where += [Condition(order[0], operator, stored_form(getattr(example, order[0]))) for operator in operators if order]
    expected = [thing for thing in stored if all(_meets(thing, condition) for condition in where)]
    expected.sort(key=lambda thing: sort_key(THINGS, find(order=order), thing), reverse=descending)
    await fill(store, *stored)
    try:
        paged: list[Thing] = []
        after: Sequence[Scalar] | None = None
        while page := things(await store.find(THINGS, Find(where, order, descending, limit, after))):
            assert len(page) <= limit
            paged += page
            after = sort_key(THINGS, find(order=order), page[-1])
        assert paged == expected
        assert things(await store.find(THINGS, Find(where, order, descending, 50))) == expected
    finally:
        await store.commit([Write("things", thing.id, 1, None) for thing in stored])


def _meets(thing: Thing, condition: Condition) -> bool:
    value = stored_form(getattr(thing, condition.field))
    return value is not None and condition.value is not None and OPERATORS[condition.operator](value, condition.value)
