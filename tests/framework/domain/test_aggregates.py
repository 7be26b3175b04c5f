"""Aggregates: decisions become events, events become state."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from neuroglia.domain import AggregateRoot, DomainEvent, RuleViolation, StateConflict, event, when
from neuroglia.testing import given

if TYPE_CHECKING:
    from tests.framework.domain.elsewhere import Hidden  # type: ignore[import-not-found]

NOON = datetime(2025, 1, 31, 12, tzinfo=UTC)


@event("shop.opened.v1")
class Opened(DomainEvent):
    name: str


@event("shop.renamed.v1")
class Renamed(DomainEvent):
    name: str


@event("shop.closed.v1")
class Closed(DomainEvent):
    pass


class NotAllowed(RuleViolation):
    code = "not-allowed"


class Shop(AggregateRoot, stream="shop"):
    name: str
    renames: int

    def open(self, name: str) -> Opened:
        return self.apply(Opened(name=name))

    def rename(self, name: str) -> Renamed:
        if not name:
            raise NotAllowed("A shop has a name.")
        return self.apply(Renamed(name=name))

    @when
    def _opened(self, event: Opened) -> None:
        self.name, self.renames = event.name, 0

    @when
    def _renamed(self, event: Renamed) -> None:
        self.name = event.name
        self.renames += 1


def test_given_a_new_aggregate_when_nothing_has_happened_then_it_is_blank() -> None:
    shop = Shop("7")

    assert (shop.id, shop.version, shop.pending, shop.created_at, shop.modified_at) == ("7", -1, (), None, None)
    assert Shop.stream == "shop"


def test_given_a_decision_when_applied_then_the_state_changes_and_the_event_waits_for_the_save() -> None:
    shop = Shop("7")

    opened = shop.open("Bread")
    renamed = shop.rename("Bread and more")

    assert shop.pending == (opened, renamed)
    assert (shop.name, shop.renames, shop.version) == ("Bread and more", 1, -1)


def test_given_pending_events_when_saved_then_they_are_gone_and_the_version_is_that_of_the_last() -> None:
    shop = Shop("7")
    shop.open("Bread")
    shop.rename("More")

    shop.mark_saved(1, NOON)

    assert (shop.pending, shop.version, shop.created_at, shop.modified_at) == ((), 1, NOON, NOON)
    assert shop.name == "More"


def test_given_a_history_when_replayed_then_the_state_is_the_same_and_nothing_is_pending() -> None:
    shop = Shop("7")

    shop.replay(Opened(name="Bread"), 0, NOON)
    shop.replay(Renamed(name="More"), 1, NOON + timedelta(hours=1))

    assert (shop.name, shop.renames, shop.version, shop.pending) == ("More", 1, 1, ())
    assert (shop.created_at, shop.modified_at) == (NOON, NOON + timedelta(hours=1))


def test_given_the_pending_events_when_looked_at_then_they_cannot_be_changed_from_outside() -> None:
    shop = Shop("7")
    before = shop.pending
    shop.open("Bread")

    assert before == ()
    assert isinstance(shop.pending, tuple)


def test_given_two_aggregates_when_one_changes_then_the_other_does_not() -> None:
    one, two = Shop("1"), Shop("2")
    one.open("Bread")

    assert two.pending == ()
    assert not hasattr(two, "name")


def test_given_a_refusal_when_decided_then_nothing_is_pending_and_the_code_is_told() -> None:
    refusal = given(Shop, Opened(name="Bread")).when(lambda shop: shop.rename("")).then_refused(NotAllowed)

    assert (refusal.code, refusal.detail) == ("not-allowed", "A shop has a name.")
    assert StateConflict.code != RuleViolation.code


def test_given_another_outcome_than_a_refusal_when_told_so_then_what_came_is_said() -> None:
    renamed = given(Shop, Opened(name="Bread")).when(lambda shop: shop.rename("More"))
    refused = given(Shop, Opened(name="Bread")).when(lambda shop: shop.rename(""))

    with pytest.raises(AssertionError, match=r"expected NotAllowed, but it was allowed: \[Renamed\(name='More'\)\]"):
        renamed.then_refused(NotAllowed)
    with pytest.raises(AssertionError, match=r"expected StateConflict, but it was refused with NotAllowed\("):
        refused.then_refused(StateConflict)


def test_given_an_event_that_an_aggregate_does_not_know_when_it_meets_it_then_the_remedy_is_told() -> None:
    shop = Shop("7")

    with pytest.raises(TypeError, match="Shop has no @when method for Closed; add one"):
        shop.apply(Closed())
    with pytest.raises(TypeError, match="Shop has no @when method for Closed; add one"):
        shop.replay(Closed(), 0, NOON)
    assert (shop.pending, shop.version) == ((), -1)


def test_given_a_subclass_when_it_replaces_a_method_then_its_own_counts_and_the_bases_stays() -> None:
    class LoudShop(Shop, stream="loud_shop"):
        @when
        def _shouted(self, event: Renamed) -> None:
            self.name = event.name.upper()

    loud, quiet = LoudShop("1"), Shop("2")
    for shop in (loud, quiet):
        shop.open("Bread")
        shop.rename("More")

    assert (loud.name, quiet.name) == ("MORE", "More")
    assert (LoudShop.stream, Shop.stream) == ("loud_shop", "shop")


@pytest.mark.parametrize("stream", ["", "bank-account"])
def test_given_a_stream_name_that_could_be_mistaken_when_declared_then_it_is_refused(stream: str) -> None:
    with pytest.raises(TypeError, match="Bad: a stream category is not empty and has no '-'"):

        class Bad(AggregateRoot, stream=stream): ...


@pytest.mark.parametrize("shared", [[], {}, set(), bytearray()])
def test_given_a_mutable_value_on_the_class_when_declared_then_it_is_refused(shared: Any) -> None:
    with pytest.raises(TypeError, match=r"Bad\.items: a mutable value on the class is shared by all instances; set it"):
        type("Bad", (AggregateRoot,), {"items": shared})


def test_given_two_methods_for_one_event_when_looked_up_then_both_are_named() -> None:
    class Twice(AggregateRoot, stream="twice"):
        @when
        def one(self, event: Opened) -> None: ...

        @when
        def two(self, event: Opened) -> None: ...

    with pytest.raises(TypeError, match="Twice: one and two are both @when for Opened"):
        Twice.transitions()


class NoAnnotation(AggregateRoot, stream="a"):
    @when
    def happened(self, event) -> None: ...  # type: ignore[no-untyped-def]


class NoEvent(AggregateRoot, stream="b"):
    @when  # type: ignore[type-var]
    def happened(self, event: int) -> None: ...


class TooMany(AggregateRoot, stream="c"):
    @when  # type: ignore[arg-type]
    def happened(self, event: Opened, more: Opened) -> None: ...


class NoParameter(AggregateRoot, stream="d"):
    @when  # type: ignore[arg-type]
    def happened(self) -> None: ...


@pytest.mark.parametrize("kind", [NoAnnotation, NoEvent, TooMany, NoParameter])
def test_given_a_when_method_of_a_wrong_shape_when_looked_up_then_it_is_named(kind: type[AggregateRoot]) -> None:
    with pytest.raises(
        TypeError, match=f"{kind.__name__}.happened: a @when method takes self and one event, annotated"
    ):
        kind.transitions()


def test_given_an_event_that_is_imported_for_checkers_alone_when_looked_up_then_the_remedy_is_told() -> None:
    class Careless(AggregateRoot, stream="careless"):
        @when
        def happened(self, event: "Hidden") -> None: ...

    with pytest.raises(TypeError, match=r"Careless\.happened: name 'Hidden' is not defined; import the event's class"):
        Careless.transitions()


def test_given_a_forgotten_mark_when_looked_up_then_the_remedy_is_told() -> None:
    class Forgetful(Shop, stream="forgetful"):
        def _closed(self, event: Closed) -> None: ...

    with pytest.raises(TypeError, match=r"Forgetful\._closed: takes an event but is not marked; write @when over it"):
        Forgetful.transitions()


def test_given_helpers_that_take_events_too_when_looked_up_then_they_are_left_alone() -> None:
    class Helped(Shop, stream="helped"):
        @when
        def _closed(self, event: Closed) -> None:
            self._note(event)

        def _note(self, event: DomainEvent) -> None: ...

        def _note_closed(self, event: Closed) -> None: ...

        def close_with(self, event: Closed, reason: str) -> None: ...

        def close_for(self, event: "Hidden") -> None: ...

    assert set(Helped.transitions()) == {Opened, Renamed, Closed}
