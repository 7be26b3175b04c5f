"""Declaring projections, and finding everything that a service declares."""

from types import ModuleType

import pytest
from typing_extensions import override

from neuroglia.core import ConfigurationError
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.documents import Documents
from neuroglia.domain import AggregateRoot, DomainEvent, Envelope, event, upcast, when
from neuroglia.event_sourcing import EventCodec, Projection, on
from neuroglia.event_sourcing.handlers import SubscriberType
from neuroglia.event_sourcing.registration import add_aggregates, add_subscribers
from neuroglia.event_sourcing.subscriptions import SubscriptionRunner
from tests.framework.event_sourcing import counting
from tests.framework.event_sourcing.counting import (
    Counter,
    CounterClosed,
    CounterIncreased,
    CounterOpened,
    CounterProjection,
    CounterView,
)


def module(*members: type) -> ModuleType:
    """A module that defines these classes."""
    made = ModuleType("made")
    for member in members:
        member.__module__ = "made"
        setattr(made, member.__qualname__.replace(".", "_"), member)
    return made


# -- one projection ------------------------------------------------------------------------------------------------


def test_given_a_projection_when_reading_it_then_its_events_models_and_name_are_known() -> None:
    kind = SubscriberType.read(CounterProjection)

    assert set(kind.handlers) == {CounterOpened, CounterIncreased}
    assert kind.models == {CounterView}
    assert CounterProjection.name == "CounterProjection"


async def test_given_handlers_with_and_without_envelope_when_called_then_both_get_what_they_take() -> None:
    seen: list[object] = []

    class Both(Projection, name="kept-after-a-rename"):
        @on
        async def opened(self, event: CounterOpened) -> None:
            seen.append(event)

        @on
        async def closed(self, event: CounterClosed, envelope: Envelope) -> None:
            seen.extend((event, envelope))

    envelope = Envelope(
        event=CounterClosed(), id="", stream="", revision=0, position=0, recorded_at=None,  # type: ignore[arg-type]
        correlation_id="", causation_id=None, actor="",
    )  # fmt: skip
    handlers = SubscriberType.read(Both).handlers

    await handlers[CounterOpened](Both(), CounterOpened(name="x"), envelope)
    await handlers[CounterClosed](Both(), CounterClosed(), envelope)

    assert seen == [CounterOpened(name="x"), CounterClosed(), envelope]
    assert Both.name == "kept-after-a-rename"


def test_given_a_subclass_when_reading_it_then_it_inherits_replaces_and_has_a_name_of_its_own() -> None:
    class Louder(CounterProjection):
        @override
        @on
        async def opened(self, event: CounterOpened, envelope: Envelope) -> None: ...

    kind = SubscriberType.read(Louder)

    assert kind.handlers[CounterOpened] is vars(Louder)["opened"]
    assert kind.handlers[CounterIncreased] is vars(CounterProjection)["increased"]
    assert Louder.name == "Louder"


def test_given_handlers_that_cannot_be_understood_when_reading_then_they_are_refused() -> None:
    class NoAnnotation(Projection):
        @on
        async def broken(self, event) -> None: ...  # type: ignore[no-untyped-def]

    class NoEvent(Projection):
        @on
        async def broken(self, event: str) -> None: ...  # type: ignore[type-var]

    class WrongOrder(Projection):
        @on
        async def broken(self, envelope: Envelope, event: CounterOpened) -> None: ...  # type: ignore[type-var]

    class Nothing(Projection):
        @on
        async def broken(self) -> None: ...  # type: ignore[type-var]

    for projection in (NoAnnotation, NoEvent, WrongOrder, Nothing):
        with pytest.raises(ConfigurationError, match=f"{projection.__name__}.broken: an @on method takes an event"):
            SubscriberType.read(projection)


def test_given_two_handlers_of_one_event_when_reading_then_they_are_refused() -> None:
    class Twice(Projection):
        @on
        async def one(self, event: CounterOpened) -> None: ...

        @on
        async def two(self, event: CounterOpened) -> None: ...

    with pytest.raises(ConfigurationError, match="Twice: one and two are both @on CounterOpened"):
        SubscriberType.read(Twice)


# -- a whole service -----------------------------------------------------------------------------------------------


def test_given_a_domain_when_adding_it_then_prefixes_and_codec_know_all_of_it() -> None:
    services = ServiceCollection()

    prefixes = add_aggregates(services, [counting])

    assert prefixes == ["counter-"]
    (codec,) = [one.instance for one in services.registrations if one.service is EventCodec]
    assert codec.name(CounterClosed()) == "test.counter-closed.v1"
    assert set(codec._chains) == {"test.counter-increased.v0", "test.counter-increased.v1"}


def test_given_two_aggregates_with_one_stream_when_adding_then_it_is_refused() -> None:
    class Other(AggregateRoot, stream="counter"):
        pass

    with pytest.raises(ConfigurationError, match="Other: Counter already has the stream 'counter'"):
        add_aggregates(ServiceCollection(), [counting, module(Other)])


def test_given_an_aggregate_without_a_stream_when_adding_then_it_is_refused() -> None:
    class Homeless(AggregateRoot):
        pass

    with pytest.raises(ConfigurationError, match="Homeless: has no stream"):
        add_aggregates(ServiceCollection(), [module(Homeless)])


def test_given_an_aggregate_with_a_wrong_when_method_when_adding_then_it_is_refused() -> None:
    class Confused(AggregateRoot, stream="confused"):
        @when
        def _broken(self, event: str) -> None: ...  # type: ignore[type-var]

    with pytest.raises(ConfigurationError, match="_broken: a @when method takes self and one event"):
        add_aggregates(ServiceCollection(), [module(Confused)])


def test_given_an_event_whose_name_was_forgotten_when_adding_then_it_is_refused() -> None:
    class Forgotten(DomainEvent):
        pass

    with pytest.raises(ConfigurationError, match="Forgotten: an event needs a name"):
        add_aggregates(ServiceCollection(), [module(Forgotten)])


def test_given_an_upcaster_to_an_event_that_is_gone_when_adding_then_it_is_refused() -> None:
    made = ModuleType(__name__)
    made.step = upcast("test.a.v1", to="test.a.v2")(lambda data: data)  # type: ignore[attr-defined]

    with pytest.raises(ConfigurationError, match=r"test\.a\.v1: its upcasters end at test\.a\.v2"):
        add_aggregates(ServiceCollection(), [made])


def test_given_projections_when_adding_them_then_each_has_a_runner() -> None:
    services = ServiceCollection()

    add_subscribers(services, [counting], ["counter-"], 3.0)

    runners = [registration for registration in services.registrations if registration.service is SubscriptionRunner]
    assert len(runners) == 1


def test_given_two_projections_of_one_model_when_adding_then_they_are_refused() -> None:
    class Rival(Projection):
        def __init__(self, views: Documents[CounterView]) -> None: ...

    with pytest.raises(ConfigurationError, match="Rival and CounterProjection both write CounterView"):
        add_subscribers(ServiceCollection(), [counting, module(Rival)], [], 3.0)


def test_given_two_projections_with_one_name_when_adding_then_they_are_refused() -> None:
    class Impostor(Projection, name="CounterProjection"):
        pass

    with pytest.raises(ConfigurationError, match="Impostor: another subscriber is already called CounterProjection"):
        add_subscribers(ServiceCollection(), [counting, module(Impostor)], [], 3.0)


def test_given_events_with_a_common_base_when_adding_then_only_the_named_ones_are_stored() -> None:
    class Moved(DomainEvent):
        pass

    @event("test.moved-up.v1")
    class MovedUp(Moved):
        pass

    services = ServiceCollection()
    add_aggregates(services, [module(Moved, MovedUp)])

    (codec,) = [one.instance for one in services.registrations if one.service is EventCodec]
    assert set(codec._codecs) == {"test.moved-up.v1"}
    assert Counter.stream == "counter"
