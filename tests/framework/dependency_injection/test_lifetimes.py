"""What is made, how often, and from what."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

import pytest

from neuroglia.core import ConfigurationError
from neuroglia.dependency_injection import Scope, ServiceCollection, ServiceProvider


class Thing: ...


class Other: ...


class Needs:
    def __init__(self, thing: Thing) -> None:
        self.thing = thing


class NeedsToo:
    def __init__(self, thing: Thing) -> None:
        self.thing = thing


class Both:
    def __init__(self, one: Needs, two: NeedsToo) -> None:
        self.one, self.two = one, two


class Port(ABC):
    @abstractmethod
    def act(self) -> str: ...


class First(Port):
    def act(self) -> str:
        return "first"


class Second(Port):
    def act(self) -> str:
        return "second"


def services(register: Callable[[ServiceCollection], None] = lambda _: None) -> ServiceCollection:
    made = ServiceCollection()
    register(made)
    return made


def graph(lifetime: str) -> ServiceCollection:
    """`Both` asks for a `Thing` by two ways."""
    made = ServiceCollection()
    for kind in (Needs, NeedsToo, Both):
        made.add_transient(kind)
    getattr(made, f"add_{lifetime}")(Thing)
    return made


async def test_given_a_singleton_when_asked_for_in_many_scopes_then_it_is_one() -> None:
    async with ServiceProvider(graph("singleton")) as provider:
        async with provider.create_scope() as one, provider.create_scope() as two:
            first, second = await one.get(Both), await two.get(Both)

        assert first is not second
        assert first.one.thing is first.two.thing is second.one.thing is await provider.get(Thing)


async def test_given_a_scoped_service_when_asked_for_then_it_is_one_in_each_scope() -> None:
    provider = ServiceProvider(graph("scoped"))
    async with provider, provider.create_scope() as one, provider.create_scope() as two:
        first, second = await one.get(Both), await two.get(Both)
        again = await one.get(Thing)

    assert first.one.thing is first.two.thing is again
    assert first.one.thing is not second.one.thing


async def test_given_a_transient_service_when_asked_for_then_each_place_gets_its_own() -> None:
    async with ServiceProvider(graph("transient")) as provider, provider.create_scope() as scope:
        made = await scope.get(Both)

    assert made.one.thing is not made.two.thing


async def test_given_a_scope_in_a_scope_when_used_then_they_are_independent() -> None:
    async with ServiceProvider(graph("scoped")) as provider, provider.create_scope() as outer:
        thing = await outer.get(Thing)
        async with provider.create_scope() as inner:
            assert inner is not outer
            assert await inner.get(Thing) is not thing
        assert await outer.get(Thing) is thing


async def test_given_two_providers_of_one_collection_when_used_then_they_do_not_know_each_other() -> None:
    collection = graph("singleton")

    async with ServiceProvider(collection) as one, ServiceProvider(collection) as two:
        assert await one.get(Thing) is not await two.get(Thing)
        assert await one.get(ServiceProvider) is one
        assert await two.get(list[ServiceProvider]) == [two]
    assert ServiceProvider not in [registration.service for registration in collection.registrations]


async def test_given_many_registrations_when_asked_then_the_last_wins_and_a_list_has_all_in_order() -> None:
    class Chorus:
        def __init__(self, ports: list[Port]) -> None:
            self.said = [port.act() for port in ports]

    third = Second()
    collection = services()
    collection.add_scoped(Port, Second)
    collection.add_singleton(Port, First)
    collection.add_instance(Port, third)
    collection.add_scoped(Chorus)

    async with ServiceProvider(collection) as provider, provider.create_scope() as scope:
        assert await scope.get(Port) is third
        assert (await scope.get(Chorus)).said == ["second", "first", "second"]
        ports = await scope.get(list[Port])
        assert ports[0] is (await scope.get(list[Port]))[0]
        assert ports[2] is third
        assert await scope.get(list[Other]) == []


async def test_given_a_replaced_service_when_started_then_the_old_one_is_neither_checked_nor_made() -> None:
    class Real(Port):
        def __init__(self, not_there_in_tests: Other) -> None:
            raise AssertionError("nobody asked for it")

        def act(self) -> str:
            return "real"

    async def connect() -> AsyncIterator[Port]:
        raise AssertionError("nobody asked for it")
        yield Second()

    collection = services()
    collection.add_singleton(Port, Real)
    collection.add_singleton(Port, connect)
    collection.add_singleton(Port, First)

    async with ServiceProvider(collection) as provider:
        assert (await provider.get(Port)).act() == "first"


async def test_given_singletons_when_started_then_all_are_made_once_after_what_they_need() -> None:
    made: list[str] = []

    class Late:
        def __init__(self, early: Port) -> None:
            made.append("late")

    def early() -> Port:
        made.append("early")
        return First()

    collection = services()
    collection.add_singleton(Late)
    collection.add_singleton(Port, early)

    provider = ServiceProvider(collection)
    assert made == []
    async with provider, provider.create_scope() as scope:
        await scope.get(Late)
        assert made == ["early", "late"]


async def test_given_factories_of_each_kind_when_asked_then_all_serve_and_get_what_they_need() -> None:
    @dataclass
    class Sync:
        thing: Thing

    @dataclass
    class Async:
        sync: Sync

    @dataclass
    class Generated:
        inner: Async

    def sync(thing: Thing) -> Sync:
        return Sync(thing)

    async def later(sync: Sync) -> Async:
        await asyncio.sleep(0)
        return Async(sync)

    async def generated(*, inner: Async) -> AsyncIterator[Generated]:
        await asyncio.sleep(0)
        yield Generated(inner)

    class User:
        def __init__(self, generated: Generated, all_of_them: list[Async]) -> None:
            self.generated, self.all = generated, all_of_them

    for add in ("add_singleton", "add_scoped"):
        collection = services()
        collection.add_singleton(Thing)
        getattr(collection, add)(User)
        getattr(collection, add)(Generated, generated)
        getattr(collection, add)(Async, later)
        getattr(collection, add)(Sync, sync)

        async with ServiceProvider(collection) as provider, provider.create_scope() as scope:
            user = await scope.get(User)
            assert user.all == [user.generated.inner]
            assert user.generated.inner is await scope.get(Async)
            assert user.generated.inner.sync.thing is await provider.get(Thing)


async def test_given_parameters_that_may_go_without_when_made_then_what_is_there_is_given() -> None:
    class Choosy:
        def __init__(
            self,
            thing: Thing | None,
            other: Other | None = None,
            port: Port | None = None,
            size: int = 3,
            names: list[str] = ["default"],  # noqa: B006
            *positional: int,
            unannotated="as it is",  # type: ignore[no-untyped-def]
            **more: int,
        ) -> None:
            self.all = (thing, other, port, size, names, positional, unannotated, more)

    thing = Thing()
    collection = services(lambda made: made.add_instance(Thing, thing))
    collection.add_singleton(Port, First)
    collection.add_scoped(Choosy)

    async with ServiceProvider(collection) as provider, provider.create_scope() as scope:
        made = await scope.get(Choosy)

    first, other, port, *rest = made.all
    assert first is thing
    assert other is None
    assert isinstance(port, First)
    assert rest == [3, ["default"], (), "as it is", {}]


async def test_given_a_default_before_a_service_when_made_then_each_parameter_gets_its_own() -> None:
    class Mixed:
        def __init__(self, size: int = 3, *, thing: Thing) -> None:
            self.size, self.thing = size, thing

    class Ordered:
        def __init__(self, a: Thing, size: int = 3, b: Thing | None = None, c: Thing | None = None) -> None:
            self.all = (a, size, b, c)

    class Four:
        def __init__(self, a: Thing, b: Other, c: Thing, d: Other) -> None:
            self.all = (a, b, c, d)

    collection = services(lambda made: made.add_singleton(Thing))
    collection.add_singleton(Other)
    for kind in (Mixed, Ordered, Four):
        collection.add_scoped(kind)

    async with ServiceProvider(collection) as provider, provider.create_scope() as scope:
        thing, other = await scope.get(Thing), await scope.get(Other)
        mixed, ordered = await scope.get(Mixed), await scope.get(Ordered)
        assert (mixed.size, mixed.thing) == (3, thing)
        assert ordered.all == (thing, 3, thing, thing)
        assert (await scope.get(Four)).all == (thing, other, thing, other)


async def test_given_a_dataclass_or_an_inherited_constructor_when_made_then_its_types_count() -> None:
    @dataclass
    class Data:
        thing: Thing
        size: int = 1

    class Inherits(Needs): ...

    class Nothing: ...

    collection = services(lambda made: made.add_singleton(Thing))
    for kind in (Data, Inherits, Nothing):
        collection.add_transient(kind)

    async with ServiceProvider(collection) as provider, provider.create_scope() as scope:
        assert (await scope.get(Data)).thing is (await scope.get(Inherits)).thing
        assert isinstance(await scope.get(Nothing), Nothing)


async def test_given_an_equal_alias_that_is_another_object_when_asked_then_it_is_the_same_service() -> None:
    class Reader:
        def __init__(self, prices: dict[str, int]) -> None:
            self.prices = prices

    def prices() -> dict[str, int]:
        return {}

    collection = services()
    collection.add_singleton(dict[str, int], prices)
    collection.add_singleton(Reader)

    async with ServiceProvider(collection) as provider:
        assert (await provider.get(Reader)).prices is await provider.get(dict[str, int])


def test_given_a_provider_that_has_not_started_when_asked_then_what_needs_no_awaiting_is_there() -> None:
    provider = ServiceProvider(graph("singleton"))

    assert provider.get_now(Both).one.thing is provider.get_now(Thing)
    assert provider.has(Thing)
    assert not provider.has(Other)


async def later() -> Thing:
    return Thing()


@pytest.mark.parametrize("add", [ServiceCollection.add_singleton, ServiceCollection.add_transient])
def test_given_an_async_factory_when_asked_before_the_start_then_it_is_refused(
    add: Callable[[ServiceCollection, type[Thing], object], None],
) -> None:
    collection = services(lambda made: add(made, Thing, later))
    collection.add_transient(Needs)

    for kind in (Thing, Needs):
        with pytest.raises(ConfigurationError, match="async factory: it is there after the start"):
            ServiceProvider(collection).get_now(kind)


async def test_given_a_scoped_service_when_the_application_is_asked_then_it_is_refused() -> None:
    async with ServiceProvider(graph("scoped")) as provider:
        for kind in (Thing, Both, list[Thing]):
            with pytest.raises(ConfigurationError, match=r"belongs to a scope; get it from `create_scope\(\)`"):
                await provider.get(kind)
        with pytest.raises(ConfigurationError, match="Thing belongs to a scope"):
            provider.get_now(Thing)


async def test_given_an_unknown_service_when_asked_then_the_error_names_it() -> None:
    async with ServiceProvider(services()) as provider, provider.create_scope() as scope:
        with pytest.raises(ConfigurationError, match="nobody registered Other"):
            await scope.get(Other)
        with pytest.raises(ConfigurationError, match="nobody registered Thing"):
            await provider.get(Thing)


async def test_given_a_factory_that_hides_an_awaitable_when_asked_then_it_is_refused() -> None:
    collection = services(lambda made: made.add_scoped(Thing, lambda: later()))

    async with ServiceProvider(collection) as provider, provider.create_scope() as scope:
        with pytest.raises(ConfigurationError, match="write it as `async def`"):
            await scope.get(Thing)


async def test_given_a_provider_as_dependency_when_made_then_it_opens_scopes_of_its_own() -> None:
    class Runner:
        def __init__(self, provider: ServiceProvider) -> None:
            self.provider = provider

        def scope(self) -> Scope:
            return self.provider.create_scope()

    collection = graph("scoped")
    collection.add_singleton(Runner)

    async with ServiceProvider(collection) as provider:
        runner = await provider.get(Runner)
        async with runner.scope() as one, runner.scope() as two:
            assert await one.get(Thing) is not await two.get(Thing)
