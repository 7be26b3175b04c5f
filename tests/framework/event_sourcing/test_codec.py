"""From events to JSON and back, and from old shapes to new ones."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from neuroglia.core import ConfigurationError
from neuroglia.domain import DomainEvent, RuleViolation, event, upcast
from neuroglia.domain.events import Upcaster
from neuroglia.event_sourcing import EventCodec, StoredEvent, UndecodableEvent, UnknownEventType
from tests.framework.event_sourcing.counting import (
    COUNTER_CODEC,
    CounterClosed,
    CounterIncreased,
    CounterOpened,
    note_was_added,
    plus_became_by,
)
from tests.framework.event_sourcing.events import NOON


class Shade(StrEnum):
    LIGHT = "light"
    DARK = "dark"


@dataclass(frozen=True, slots=True)
class Percentage:
    value: Decimal

    def __post_init__(self) -> None:
        if not 0 <= self.value <= 100:
            raise RuleViolation("no percentage")


@event("test.everything-happened.v1")
class EverythingHappened(DomainEvent):
    at: datetime
    on: date
    share: Percentage
    shade: Shade | None
    tags: tuple[str, ...]
    scores: Mapping[str, int]
    id: UUID
    sure: bool = True


EVERYTHING = EverythingHappened(
    at=datetime(2025, 1, 31, 15, 0, 0, 1, tzinfo=timezone(timedelta(hours=2))),
    on=date(2024, 2, 29),
    share=Percentage(Decimal("12.50")),
    shade=None,
    tags=("007", "2025-01-31", "ü"),
    scores={"a": 2**60},
    id=UUID(int=1),
)
TEXT = (
    '{"at":"2025-01-31T13:00:00.000001Z","on":"2024-02-29","share":{"value":"12.50"},"shade":null,'
    '"tags":["007","2025-01-31","ü"],"scores":{"a":1152921504606846976},'
    '"id":"00000000-0000-0000-0000-000000000001","sure":true}'
)


def stored(type: str, data: str) -> StoredEvent:
    """An event as a store holds it."""
    return StoredEvent(
        position=9, stream="counter-1", revision=7, id="e", type=type, data=data.encode(), recorded_at=NOON,
        correlation_id="correlation", causation_id=None, actor="ada",
    )  # fmt: skip


def test_given_values_of_all_kinds_when_encoding_then_the_text_is_exact_and_decodes_to_the_same() -> None:
    codec = EventCodec([EverythingHappened])

    assert codec.encode(EVERYTHING).decode() == TEXT
    assert codec.decode(stored("test.everything-happened.v1", TEXT)) == EVERYTHING


def test_given_text_that_looks_like_something_else_when_decoding_then_it_stays_text() -> None:
    decoded = EventCodec([EverythingHappened]).decode(stored("test.everything-happened.v1", TEXT))

    assert isinstance(decoded, EverythingHappened)
    assert decoded.tags == ("007", "2025-01-31", "ü")
    assert str(decoded.share.value) == "12.50"


def test_given_a_naive_time_when_encoding_then_it_is_refused() -> None:
    naive = EverythingHappened(
        at=datetime(2025, 1, 31), on=EVERYTHING.on, share=EVERYTHING.share, shade=Shade.DARK,  # noqa: DTZ001
        tags=(), scores={}, id=EVERYTHING.id,
    )  # fmt: skip

    with pytest.raises(ValueError, match="naive"):
        EventCodec([EverythingHappened]).encode(naive)


@given(
    made=st.builds(
        EverythingHappened,
        at=st.datetimes(timezones=st.just(UTC)),
        on=st.dates(),
        share=st.decimals(0, 100, allow_nan=False).map(Percentage),
        shade=st.none() | st.sampled_from(Shade),
        tags=st.lists(st.text(st.characters(codec="utf-8"))).map(tuple),
        scores=st.dictionaries(st.text(st.characters(codec="utf-8")), st.integers()),
        id=st.uuids(),
        sure=st.booleans(),
    )
)
def test_given_any_event_when_encoding_and_decoding_then_it_is_the_same(made: EverythingHappened) -> None:
    codec = EventCodec([EverythingHappened])

    assert codec.decode(stored(codec.name(made), codec.encode(made).decode())) == made


def test_given_a_stored_event_when_opening_then_the_envelope_tells_all_the_store_knows() -> None:
    envelope = COUNTER_CODEC.open(stored("test.counter-opened.v1", '{"name":"x"}'))

    assert envelope.event == CounterOpened(name="x")
    assert (envelope.id, envelope.stream, envelope.aggregate_id) == ("e", "counter-1", "1")
    assert (envelope.revision, envelope.position) == (7, 9)
    assert (envelope.recorded_at, envelope.correlation_id) == (NOON, "correlation")
    assert (envelope.causation_id, envelope.actor) == (None, "ada")


# -- what cannot be decoded ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("type", ["test.counter-opened.v2", "", "CounterOpened", "os.system", "test.counter-OPENED.v1"])
def test_given_a_type_that_nobody_knows_when_decoding_then_it_says_so(type: str) -> None:
    with pytest.raises(UnknownEventType, match=rf"counter-1@7 is of the unknown type {type}$"):
        COUNTER_CODEC.decode(stored(type, '{"name":"x"}'))


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("test.counter-opened.v1", '{"name":5}'),
        ("test.counter-opened.v1", "{}"),
        ("test.counter-opened.v1", "[]"),
        ("test.counter-opened.v1", "no json"),
        ("test.counter-opened.v1", ""),
        ("test.counter-increased.v0", '{"minus":5}'),
        ("test.counter-increased.v0", "[5]"),
        ("test.counter-increased.v0", "null"),
        ("test.counter-increased.v0", "no json"),
        ("test.counter-increased.v0", '{"plus":"secret"}'),
        ("test.everything-happened.v1", TEXT.replace("12.50", "secret")),
        ("test.everything-happened.v1", TEXT.replace("12.50", "101")),  # the value object itself refuses
        ("test.everything-happened.v1", TEXT.replace("13:00:00.000001Z", "13:00:00.000001")),  # no zone
    ],
)
def test_given_data_that_does_not_fit_when_decoding_then_it_names_the_event_and_no_data(type: str, data: str) -> None:
    codec = EventCodec([CounterOpened, CounterIncreased, EverythingHappened], [plus_became_by, note_was_added])

    with pytest.raises(UndecodableEvent, match=r"counter-1@7 \(test\.") as error:
        codec.decode(stored(type, data))

    assert "secret" not in str(error.value)
    assert error.value.__suppress_context__


# -- names ---------------------------------------------------------------------------------------------------------


def test_given_an_event_without_a_name_when_building_then_it_is_refused() -> None:
    class Nameless(DomainEvent):
        pass

    class Inherited(CounterOpened):
        pass

    for kind in (Nameless, Inherited):
        with pytest.raises(ConfigurationError, match=f"{kind.__name__}: an event needs a name"):
            EventCodec([kind])


def test_given_two_events_with_one_name_when_building_then_it_is_refused() -> None:
    @event("test.counter-opened.v1")
    class Again(DomainEvent):
        pass

    with pytest.raises(ConfigurationError, match=r"Again: another event is already called test\.counter-opened\.v1"):
        EventCodec([CounterOpened, Again])


def test_given_an_event_that_was_not_registered_when_encoding_then_it_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="CounterClosed is not in the package given to add_event_sourcing"):
        EventCodec([CounterOpened]).encode(CounterClosed())


# -- upcasters -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("type", "data"),
    [
        ("test.counter-increased.v0", '{"plus":5}'),
        ("test.counter-increased.v1", '{"by":5}'),
        ("test.counter-increased.v2", '{"by":5,"note":null}'),
    ],
)
def test_given_an_old_shape_when_decoding_then_it_comes_in_the_newest(type: str, data: str) -> None:
    assert COUNTER_CODEC.decode(stored(type, data)) == CounterIncreased(by=5, note=None)


def test_given_an_old_shape_with_values_of_all_kinds_when_decoding_then_they_are_read_as_ever() -> None:
    @upcast("test.everything-happened.v0", to="test.everything-happened.v1")
    def shade_was_added(data: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**data, "shade": None}

    old = json.loads(TEXT)
    del old["shade"]
    codec = EventCodec([EverythingHappened], [shade_was_added])

    assert codec.decode(stored("test.everything-happened.v0", json.dumps(old))) == EVERYTHING


def test_given_the_name_of_a_stored_event_when_asking_for_its_class_then_it_is_that_which_decoding_makes() -> None:
    class_of = COUNTER_CODEC.class_of

    assert class_of("test.counter-opened.v1") is CounterOpened
    assert [class_of(f"test.counter-increased.v{version}") for version in (0, 1, 2)] == [CounterIncreased] * 3
    assert class_of("test.counter-increased.v3") is None


def step(old: str, new: str) -> Upcaster:
    """An upcaster that changes the name alone."""

    @upcast(old, to=new)
    def unchanged(data: Mapping[str, Any]) -> Mapping[str, Any]:
        return data

    return unchanged


NEWEST = "test.counter-closed.v1"


@pytest.mark.parametrize(
    ("upcasters", "complaint"),
    [
        (lambda: [step("a", "b")], r"a: its upcasters end at b, which is no event of this service"),
        (lambda: [step("a", "b"), step("c", NEWEST)], r"a: its upcasters end at b"),
        (lambda: [step("a", "a")], r"a: its upcasters form a cycle at a"),
        (lambda: [step("a", "b"), step("b", "c"), step("c", "b")], r"cycle"),
        (lambda: [step("a", NEWEST), step("a", NEWEST)], r"a: two upcasters start from it; keep one"),
        (lambda: [step(NEWEST, "test.counter-opened.v1")], r"an event class and an upcaster both have this name"),
    ],
)
def test_given_a_broken_chain_when_building_then_it_is_refused(
    upcasters: Callable[[], list[Upcaster]], complaint: str
) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        EventCodec([CounterOpened, CounterClosed], upcasters())


def test_given_two_chains_that_meet_when_decoding_then_each_leads_to_the_newest() -> None:
    codec = EventCodec([CounterClosed], [step("b", "c"), step("x", "c"), step("c", NEWEST), step("a", "b")])

    for old in "abcx":
        assert codec.decode(stored(old, "{}")) == CounterClosed()
