"""Any acyclic graph without captives is built rightly."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, strategies as st

from neuroglia.core import ConfigurationError
from neuroglia.dependency_injection import Lifetime, ServiceCollection, ServiceProvider
from neuroglia.dependency_injection.collection import Registration

Plan = list[tuple[Lifetime, bool, set[int]]]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """For each service: its lifetime, whether its factory is async, and which earlier ones it needs."""
    plan: Plan = []
    for index in range(draw(st.integers(1, 10))):
        needs = draw(st.sets(st.integers(0, index - 1), max_size=4)) if index else set()
        plan.append((draw(st.sampled_from(Lifetime)), draw(st.booleans()), needs))
    return plan


def holds_scoped(plan: Plan, index: int) -> bool:
    lifetime, _, needs = plan[index]
    if lifetime is Lifetime.TRANSIENT:
        return any(holds_scoped(plan, need) for need in needs)
    return lifetime is Lifetime.SCOPED


def is_captive(plan: Plan) -> bool:
    return any(
        lifetime is Lifetime.SINGLETON and any(holds_scoped(plan, need) for need in needs)
        for lifetime, _, needs in plan
    )


def classes(plan: Plan, made: list[Any], closed: list[Any]) -> list[type[Any]]:
    kinds: list[type[Any]] = []
    for index, (_, _, needs) in enumerate(plan):

        async def aclose(self: Any) -> None:
            closed.append(self)

        def init(self: Any, **given: Any) -> None:
            self.given = given
            made.append(self)

        names = {f"n{need}": kinds[need] for need in sorted(needs)}
        parameters = ", ".join(["self", *names])
        scope: dict[str, Any] = {"init": init}
        exec(f"def __init__({parameters}): init(self, {', '.join(f'{name}={name}' for name in names)})", scope)
        scope["__init__"].__annotations__ = names
        kinds.append(type(f"Service{index}", (), {"__init__": scope["__init__"], "aclose": aclose}))
    return kinds


def async_factory(kind: type[Any]) -> Any:
    async def make(**given: Any) -> Any:
        await asyncio.sleep(0)
        return kind(**given)

    names = dict(kind.__init__.__annotations__)
    scope: dict[str, Any] = {"make": make}
    exec(f"async def factory({', '.join(names)}): return await make({', '.join(f'{n}={n}' for n in names)})", scope)
    scope["factory"].__annotations__ = names
    return scope["factory"]


@given(plans(), st.randoms(use_true_random=False))
def test_given_any_acyclic_graph_when_built_then_each_is_made_once_after_its_needs_and_disposed_of_in_reverse(
    plan: Plan, random: Any
) -> None:
    made: list[Any] = []
    closed: list[Any] = []
    kinds = classes(plan, made, closed)
    services = ServiceCollection()
    entries = [
        Registration(kind, lifetime, async_factory(kind) if is_async else kind)
        for kind, (lifetime, is_async, _) in zip(kinds, plan, strict=True)
    ]
    random.shuffle(entries)  # the order of registration says nothing
    services.registrations += entries

    async def run() -> None:
        async with ServiceProvider(services) as provider:
            for _ in range(2):
                async with provider.create_scope() as scope:
                    for kind in random.sample(kinds, len(kinds)):
                        await scope.get(kind)
                    mark = len(closed)
                scoped = closed[mark:]
                order = [instance for instance in made if any(instance is other for other in scoped)]
                assert scoped == order[::-1]

    if is_captive(plan):
        with pytest.raises(ConfigurationError, match="in a singleton"):
            ServiceProvider(services)
        return

    asyncio.run(run())
    count = Counter(type(instance) for instance in made)
    for kind, (lifetime, _, _) in zip(kinds, plan, strict=True):
        assert lifetime is Lifetime.TRANSIENT or count[kind] == {Lifetime.SINGLETON: 1, Lifetime.SCOPED: 2}[lifetime]
    place = {id(instance): index for index, instance in enumerate(made)}
    assert all(place[id(need)] < place[id(user)] for user in made for need in user.given.values())
    assert Counter(map(id, closed)) == Counter(map(id, made))
    end = {id(instance): index for index, instance in enumerate(closed)}
    assert all(end[id(user)] < end[id(need)] for user in made for need in user.given.values())
