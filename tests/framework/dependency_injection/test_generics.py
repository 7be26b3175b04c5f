"""Closed generics are services like any other; open ones serve every closed form."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from typing import Any, Generic, TypeVar

import pytest

from neuroglia.core import ConfigurationError
from neuroglia.dependency_injection import Lifetime, ServiceCollection, ServiceProvider


class Animal: ...


class Cat(Animal): ...


class Dog(Animal): ...


class Stone: ...


T = TypeVar("T")
A = TypeVar("A", bound=Animal)


class Repository(ABC, Generic[T]):
    @abstractmethod
    def kind(self) -> object: ...


class Codec(Generic[T]):
    def __init__(self, kind: type[T]) -> None:
        self.kind = kind


class AnimalRepository(Repository[A]):
    def __init__(self, kind: type[A], codec: Codec[A]) -> None:
        self._kind, self.codec = kind, codec

    def kind(self) -> object:
        return self._kind


class CatRepository(Repository[Cat]):
    def kind(self) -> object:
        return "cats"


class Shelter:
    def __init__(self, cats: Repository[Cat], dogs: Repository[Dog]) -> None:
        self.cats, self.dogs = cats, dogs


class HandlerBase(Generic[T]):
    """A constructor that its subclasses inherit, and that speaks of their type."""

    def __init__(self, repository: Repository[T]) -> None:
        self.repository = repository


class CatHandler(HandlerBase[Cat]): ...


def animals() -> ServiceCollection:
    services = ServiceCollection()
    services.add_open(Repository, AnimalRepository)
    services.add_open(Codec, Codec, Lifetime.SINGLETON)
    return services


async def test_given_an_open_generic_class_when_closed_forms_are_asked_for_then_its_variables_are_replaced() -> None:
    services = animals()
    services.add_transient(Shelter)

    async with ServiceProvider(services) as provider, provider.create_scope() as scope:
        shelter = await scope.get(Shelter)
        assert (shelter.cats.kind(), shelter.dogs.kind()) == (Cat, Dog)
        assert isinstance(shelter.cats, AnimalRepository)
        assert shelter.cats.codec is await provider.get(Codec[Cat])
        assert shelter.cats is await scope.get(Repository[Cat])
        assert shelter.cats is not (await provider.create_scope().get(Shelter)).cats


async def test_given_a_closed_registration_when_asked_for_then_it_goes_before_the_open_one() -> None:
    services = animals()
    services.add_scoped(Repository[Cat], CatRepository)
    services.add_transient(Shelter)
    services.add_transient(CatHandler)

    async with ServiceProvider(services) as provider, provider.create_scope() as scope:
        shelter = await scope.get(Shelter)
        assert (shelter.cats.kind(), shelter.dogs.kind()) == ("cats", Dog)
        assert (await scope.get(CatHandler)).repository is shelter.cats


async def test_given_a_form_that_no_constructor_mentions_when_asked_for_then_it_is_made_all_the_same() -> None:
    async with ServiceProvider(animals()) as provider, provider.create_scope() as scope:
        assert (await scope.get(Repository[Dog])).kind() is Dog
        assert await scope.get(Codec[Stone]) is await provider.get(Codec[Stone])


def sync_codec(kind: type[T]) -> Codec[T]:
    return Codec(kind)


async def async_codec(kind: type[T]) -> Codec[T]:
    return Codec(kind)


async def generated_codec(kind: type[T]) -> AsyncIterator[Codec[T]]:
    yield Codec(kind)


class SubCodec(Codec[T]): ...


def narrower(kind: type[T]) -> SubCodec[T]:
    return SubCodec(kind)


@pytest.mark.parametrize("make", [sync_codec, async_codec, generated_codec, narrower])
@pytest.mark.parametrize("lifetime", [Lifetime.SINGLETON, Lifetime.SCOPED, Lifetime.TRANSIENT])
async def test_given_an_open_factory_when_a_form_is_asked_for_then_its_result_says_what_the_variables_are(
    make: Any, lifetime: Lifetime
) -> None:
    class User:
        def __init__(self, codec: Codec[Cat]) -> None:
            self.codec = codec

    services = ServiceCollection()
    services.add_open(Codec, make, lifetime)
    services.add_transient(User)

    async with ServiceProvider(services) as provider, provider.create_scope() as scope:
        assert (await scope.get(User)).codec.kind is Cat


async def test_given_an_open_factory_without_a_result_when_built_then_the_remedy_is_told() -> None:
    def codec(kind: type[T]):  # type: ignore[no-untyped-def]
        return Codec(kind)

    services = ServiceCollection()
    services.add_open(Codec, codec)
    services.add_scoped(Repository[Cat], AnimalRepository)

    with pytest.raises(ConfigurationError, match=r"codec for Codec\[Cat\]: its result .* annotate it with Codec\[…\]"):
        ServiceProvider(services)


async def test_given_an_argument_that_the_makers_bound_forbids_when_built_then_asker_and_bound_are_named() -> None:
    class Quarry:
        def __init__(self, stones: Repository[Stone]) -> None: ...

    services = animals()
    services.add_scoped(Quarry)

    with pytest.raises(ConfigurationError) as failed:
        ServiceProvider(services)

    assert str(failed.value) == (
        "AnimalRepository for Repository[Stone]: Stone is no Animal, which it has to be; "
        "parameter 'stones' of Quarry asks for it"
    )


async def test_given_a_forbidden_argument_when_asked_for_at_run_time_then_it_is_refused_each_time() -> None:
    async with ServiceProvider(animals()) as provider, provider.create_scope() as scope:
        for _ in range(2):
            with pytest.raises(ConfigurationError, match="Stone is no Animal"):
                await scope.get(Repository[Stone])
        assert (await scope.get(Repository[Cat])).kind() is Cat


async def test_given_more_generics_than_typing_remembers_when_asked_for_then_each_is_still_made_once() -> None:
    services = ServiceCollection()
    kinds = [type(f"Kind{index}", (), {}) for index in range(300)]  # typing caches 128 subscriptions
    for kind in kinds:
        services.add_singleton(Codec[kind], lambda kind=kind: Codec(kind))  # type: ignore[valid-type, misc]

    async with ServiceProvider(services) as provider:
        for kind in kinds:
            codec: Any = await provider.get(Codec[kind])  # type: ignore[valid-type]
            assert codec is await provider.get(Codec[kind])  # type: ignore[valid-type]
            assert codec.kind is kind
