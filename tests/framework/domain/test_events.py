"""Events: named, frozen, keyword-only."""

import dataclasses
import pickle
from dataclasses import field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from neuroglia.cloud_events import cloud_event
from neuroglia.domain import DomainEvent, Envelope, event, upcast
from neuroglia.event_sourcing import EventCodec, StoredEvent
from neuroglia.event_sourcing.codec import UndecodableEvent
from neuroglia.testing import FixedClock


@event("shop.priced.v2")
class Priced(DomainEvent):
    """A price was set."""

    amount: int
    note: str = ""


@event("shop.priced-down.v1")
class PricedDown(Priced):
    reason: str


def test_given_an_event_when_made_then_it_has_its_name_and_its_values() -> None:
    priced = Priced(amount=3)

    assert Priced.event_type == "shop.priced.v2"
    assert (priced.amount, priced.note) == (3, "")
    assert priced == Priced(amount=3, note="")
    assert hash(priced) == hash(Priced(amount=3))
    assert repr(priced) == "Priced(amount=3, note='')"
    assert Priced.__doc__ == "A price was set."


def test_given_an_event_when_somebody_would_change_it_then_it_is_refused() -> None:
    priced = Priced(amount=3)

    with pytest.raises(dataclasses.FrozenInstanceError):
        priced.amount = 4  # type: ignore[misc]
    with pytest.raises((AttributeError, TypeError)):
        priced.other = 4  # type: ignore[attr-defined]
    assert not hasattr(priced, "__dict__")


def test_given_an_event_when_made_by_position_then_it_is_refused() -> None:
    with pytest.raises(TypeError, match="positional"):
        Priced(3)  # type: ignore[misc, call-arg]


def test_given_an_event_of_another_event_when_made_then_it_has_the_fields_of_both_and_its_own_name() -> None:
    down = PricedDown(amount=3, reason="old")

    assert (PricedDown.event_type, Priced.event_type) == ("shop.priced-down.v1", "shop.priced.v2")
    assert (down.amount, down.note, down.reason) == (3, "", "old")
    assert down != Priced(amount=3)


def test_given_a_mutable_default_when_an_event_is_declared_then_it_is_refused() -> None:
    class Bad(DomainEvent):
        items: list[str] = []  # noqa: RUF012

    with pytest.raises(ValueError, match="mutable default"):
        event("shop.bad.v1")(Bad)


@pytest.mark.parametrize("declare", [event, cloud_event], ids=["event", "cloud event"])
@pytest.mark.parametrize("default", [datetime.now(UTC), datetime.now(UTC).date(), uuid4()], ids=["now", "today", "id"])
def test_given_a_default_that_is_made_at_the_import_when_an_event_is_declared_then_it_is_refused(
    declare: Any, default: object
) -> None:
    bad = type("Bad", (DomainEvent,), {"__annotations__": {"at": type(default)}, "at": default})

    with pytest.raises(ValueError, match=r"Bad\.at: its default was made when the module was imported"):
        declare("shop.bad.v1")(bad)


def test_given_stored_events_when_they_are_read_then_defaults_and_rules_hold_as_for_new_ones() -> None:
    @event("shop.priced.v3")
    class Checked(Priced):
        tags: tuple[str, ...] = field(default_factory=tuple)

        def __post_init__(self) -> None:
            if self.amount < 0:
                raise ValueError("a price is not negative")

    codec = EventCodec([Checked])

    def stored(data: bytes) -> StoredEvent:
        return StoredEvent(
            id="e", stream="shop-1", revision=0, position=1, type="shop.priced.v3", data=data,
            recorded_at=FixedClock().now(), correlation_id="c", causation_id=None, actor="test",
        )  # fmt: skip

    assert codec.decode(stored(b'{"amount": 3}')) == Checked(amount=3, note="", tags=())
    with pytest.raises(UndecodableEvent):
        codec.decode(stored(b'{"amount": -3}'))


def test_given_an_event_when_copied_or_pickled_then_it_is_equal() -> None:
    priced = Priced(amount=3, note="a")

    assert dataclasses.replace(priced, amount=4) == Priced(amount=4, note="a")
    assert pickle.loads(pickle.dumps(priced)) == priced


def test_given_an_upcaster_when_declared_then_it_stays_a_function_and_says_from_what_to_what() -> None:
    @upcast("shop.priced.v1", to="shop.priced.v2")
    def add_note(data: Any) -> Any:
        return {**data, "note": ""}

    assert add_note({"amount": 3}) == {"amount": 3, "note": ""}
    assert add_note.__upcasts__ == ("shop.priced.v1", "shop.priced.v2")  # type: ignore[attr-defined]


def test_given_an_envelope_when_asked_for_the_aggregate_then_its_id_is_all_behind_the_first_dash() -> None:
    envelope = Envelope(
        event=Priced(amount=1),
        id="e",
        stream="shop-2025-01-31",
        revision=0,
        position=1,
        recorded_at=FixedClock().now(),
        correlation_id="c",
        causation_id=None,
        actor="test",
    )

    assert envelope.aggregate_id == "2025-01-31"
