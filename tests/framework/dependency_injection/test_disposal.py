"""What was made is disposed of, in reverse, whatever happens."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import pytest

from neuroglia.dependency_injection import ServiceCollection, ServiceProvider


class Closes:
    """Writes down that it was closed."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.log.append(type(self).__name__)


class Inner(Closes): ...


class Middle(Closes):
    def __init__(self, inner: Inner, log: list[str]) -> None:
        super().__init__(log)


class Outer(Closes):
    def __init__(self, middle: Middle, inner: Inner, log: list[str]) -> None:
        super().__init__(log)


def collection(lifetime: str, log: list[str]) -> ServiceCollection:
    """Inner ← Middle ← Outer; Middle comes from an async generator, all others are closed by `aclose`."""

    async def middle(inner: Inner) -> AsyncIterator[Middle]:
        made = Middle(inner, log)
        try:
            yield made
        finally:
            await made.aclose()

    services = ServiceCollection()
    services.add_instance(list[str], log)
    add: Callable[..., None] = getattr(services, f"add_{lifetime}")
    add(Outer)
    add(Middle, middle)
    add(Inner)
    return services


async def fail_with(provider: ServiceProvider, kind: type[object]) -> None:
    """A message whose handling fails after it got a service."""
    async with provider.create_scope() as scope:
        await scope.get(kind)
        raise ZeroDivisionError


async def test_given_a_scope_when_left_then_what_it_made_is_disposed_of_in_reverse() -> None:
    log: list[str] = []
    async with ServiceProvider(collection("scoped", log)) as provider:
        async with provider.create_scope() as scope:
            await scope.get(Outer)
            assert log == []
        assert log == ["Outer", "Middle", "Inner"]
        async with provider.create_scope() as scope:  # nothing made, nothing to dispose of
            pass
    assert log == ["Outer", "Middle", "Inner"]


async def test_given_singletons_when_the_application_ends_then_they_are_disposed_of_in_reverse_and_once() -> None:
    log: list[str] = []
    async with ServiceProvider(collection("singleton", log)) as provider:
        async with provider.create_scope() as scope:
            await scope.get(Outer)
        assert log == []

    assert log == ["Outer", "Middle", "Inner"]


async def test_given_transients_when_their_scope_is_left_then_each_is_disposed_of() -> None:
    log: list[str] = []
    async with ServiceProvider(collection("transient", log)) as provider, provider.create_scope() as scope:
        await scope.get(Outer)  # an Inner for itself, another for its Middle

    assert sorted(log) == ["Inner", "Inner", "Middle", "Outer"]
    assert log[0] == "Outer"


async def test_given_an_instance_when_the_application_ends_then_it_stays_its_givers() -> None:
    log: list[str] = []
    services = ServiceCollection()
    services.add_instance(Inner, Inner(log))

    async with ServiceProvider(services) as provider:
        await provider.get(Inner)

    assert log == []


async def test_given_a_second_name_for_a_service_when_a_scope_is_left_then_the_service_is_not_closed_by_it() -> None:
    log: list[str] = []

    def alias(inner: Inner) -> Closes:
        return inner

    async def async_alias(inner: Inner) -> Closes:
        return inner

    for second in (alias, async_alias):
        services = ServiceCollection()
        services.add_singleton(Inner, lambda: Inner(log))
        services.add_scoped(Closes, second)
        async with ServiceProvider(services) as provider:
            async with provider.create_scope() as scope:
                assert await scope.get(Closes) is await provider.get(Inner)
            assert log == []
        assert log == ["Inner"]
        log.clear()


async def test_given_a_body_that_raises_when_its_scope_is_left_then_all_is_disposed_of_and_the_error_goes_on() -> None:
    log: list[str] = []
    async with ServiceProvider(collection("scoped", log)) as provider:
        with pytest.raises(ZeroDivisionError):
            await fail_with(provider, Outer)

    assert log == ["Outer", "Middle", "Inner"]


async def test_given_a_generator_that_swallows_errors_when_the_body_raises_then_the_caller_still_learns_of_it() -> None:
    class Swallower: ...

    async def swallow() -> AsyncIterator[Swallower]:
        with suppress(ZeroDivisionError):
            yield Swallower()

    services = ServiceCollection()
    services.add_scoped(Swallower, swallow)

    async with ServiceProvider(services) as provider:
        with pytest.raises(ZeroDivisionError):
            await fail_with(provider, Swallower)


async def test_given_a_disposer_that_raises_when_a_scope_is_left_then_the_others_run_and_the_error_is_told() -> None:
    log: list[str] = []

    class Broken(Closes):
        def __init__(self, inner: Inner, log: list[str]) -> None:
            super().__init__(log)

        async def aclose(self) -> None:
            await super().aclose()
            raise OSError("cannot close")

    class Last(Closes):
        def __init__(self, broken: Broken, log: list[str]) -> None:
            super().__init__(log)

    services = collection("scoped", log)
    services.add_scoped(Broken)
    services.add_scoped(Last)
    async with ServiceProvider(services) as provider:
        with pytest.raises(OSError, match="cannot close"):
            async with provider.create_scope() as scope:
                await scope.get(Last)
        assert log == ["Last", "Broken", "Inner"]

        with pytest.raises(OSError, match="cannot close") as failed:
            await fail_with(provider, Last)
    assert isinstance(failed.value.__context__, ZeroDivisionError)  # the first error is not lost


async def test_given_a_task_that_is_cancelled_when_its_scope_is_left_then_all_is_disposed_of() -> None:
    log: list[str] = []
    inside = asyncio.Event()

    async def work(provider: ServiceProvider) -> None:
        async with provider.create_scope() as scope:
            await scope.get(Outer)
            inside.set()
            await asyncio.Event().wait()

    async with ServiceProvider(collection("scoped", log)) as provider:
        task = asyncio.create_task(work(provider))
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert log == ["Outer", "Middle", "Inner"]


async def test_given_a_cancellation_while_making_when_the_scope_is_left_then_what_was_made_is_disposed_of() -> None:
    log: list[str] = []
    inside = asyncio.Event()

    class Slow: ...

    async def slow(inner: Inner) -> Slow:
        inside.set()
        await asyncio.Event().wait()
        return Slow()

    async def work(provider: ServiceProvider) -> None:
        async with provider.create_scope() as scope:
            await scope.get(Slow)

    services = collection("scoped", log)
    services.add_scoped(Slow, slow)
    async with ServiceProvider(services) as provider:
        task = asyncio.create_task(work(provider))
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    assert log == ["Inner"]


async def test_given_a_constructor_that_raises_when_asked_for_then_what_was_made_before_is_disposed_of() -> None:
    log: list[str] = []

    class Broken:
        def __init__(self, middle: Middle) -> None:
            raise OSError("no luck")

    services = collection("scoped", log)
    services.add_scoped(Broken)
    async with ServiceProvider(services) as provider:
        with pytest.raises(OSError, match="no luck"):
            async with provider.create_scope() as scope:
                await scope.get(Broken)

    assert log == ["Middle", "Inner"]


async def test_given_a_start_that_fails_halfway_when_it_is_left_then_the_singletons_so_far_are_disposed_of() -> None:
    log: list[str] = []

    class Broken:
        def __init__(self, outer: Outer) -> None:
            raise OSError("no luck")

    services = collection("singleton", log)
    services.add_singleton(Broken)
    with pytest.raises(OSError, match="no luck"):
        async with ServiceProvider(services):
            pytest.fail("it must not start")

    assert log == ["Outer", "Middle", "Inner"]


async def test_given_scopes_that_run_at_once_when_left_then_each_disposes_of_its_own() -> None:
    log: list[str] = []
    both_inside = asyncio.Barrier(2)

    async def work(provider: ServiceProvider) -> Outer:
        async with provider.create_scope() as scope:
            made = await scope.get(Outer)
            await both_inside.wait()
            return made

    async with ServiceProvider(collection("scoped", log)) as provider:
        one, two = await asyncio.gather(work(provider), work(provider))

    assert one is not two
    assert sorted(log) == ["Inner", "Inner", "Middle", "Middle", "Outer", "Outer"]
