"""The container: what a scope with three objects costs."""

from collections.abc import Sequence
from typing import Self

from neuroglia.dependency_injection import ServiceCollection, ServiceProvider
from tests.benchmarks.graph import A, B, C
from tests.benchmarks.harness import Figure, Target, compare, in_turns, rate_of

_ROUNDS = 15
_TIMES = 20_000


class _HandScope:
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None


def measure() -> Sequence[Figure]:
    services = ServiceCollection()
    for service in (A, B, C):
        services.add_scoped(service)
    provider = ServiceProvider(services)

    async def ours() -> C:
        async with provider.create_scope() as scope:
            return await scope.get(C)

    async def by_hand() -> C:
        async with _HandScope():
            a = A()
            return C(a, B(a))

    mine, hand_made = in_turns([rate_of(ours, _TIMES), rate_of(by_hand, _TIMES)], _ROUNDS)
    target = Target(least_rate=200_000, least_ratio=1 / 6)
    return [compare("scope with 3 objects | by hand", mine, hand_made, target)]
