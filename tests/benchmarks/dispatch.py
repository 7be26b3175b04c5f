"""The mediator: what it costs to send a request to its handler."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from neuroglia.dependency_injection import ServiceCollection, ServiceProvider
from neuroglia.mediation import HandlerRegistry, Mediator, PipelineBehavior, Proceed, Query, QueryHandler, Stage
from tests.benchmarks.graph import A, B, C
from tests.benchmarks.harness import Figure, Target, compare, in_turns, rate_of

_ROUNDS = 15
_TIMES = 20_000


@dataclass(frozen=True, slots=True)
class Ask(Query[int]):
    number: int


class BareHandler(QueryHandler[Ask, int]):
    async def handle(self, request: Ask) -> int:
        return request.number


class GraphHandler(QueryHandler[Ask, int]):
    def __init__(self, c: C) -> None:
        self.c = c

    async def handle(self, request: Ask) -> int:
        return request.number


class Outer(PipelineBehavior):
    stage: ClassVar[Stage] = Stage.TRACE

    async def handle(self, request: Any, proceed: Proceed) -> Any:
        return await proceed(request)


class Inner(PipelineBehavior):
    stage: ClassVar[Stage] = Stage.VALIDATE

    async def handle(self, request: Any, proceed: Proceed) -> Any:
        return await proceed(request)


def measure() -> Sequence[Figure]:
    return [_bare(), _in_scope()]


def _bare() -> Figure:
    mediator = _mediator(BareHandler, lambda _: None)
    handler, request = BareHandler(), Ask(1)
    ours, raw = in_turns(
        [rate_of(lambda: mediator.execute(request), _TIMES), rate_of(lambda: handler.handle(request), 5 * _TIMES)],
        _ROUNDS,
    )
    target = Target(least_rate=223_000, least_ratio=1 / 10)
    return compare("dispatch, bare | handler awaited directly", ours, raw, target)


def _in_scope() -> Figure:
    mediator = _mediator(GraphHandler, _add_graph_and_behaviors)
    request = Ask(1)

    async def outer() -> int:
        return await inner()

    async def inner() -> int:
        a = A()
        return await GraphHandler(C(a, B(a))).handle(request)

    ours, raw = in_turns([rate_of(lambda: mediator.execute(request), _TIMES), rate_of(outer, _TIMES)], _ROUNDS)
    return compare("dispatch, 3 scoped objects, 2 behaviours | by hand", ours, raw, Target(least_rate=63_000))


def _add_graph_and_behaviors(services: ServiceCollection) -> None:
    for service in (A, B, C):
        services.add_scoped(service)
    for behavior in (Outer, Inner):
        services.add_singleton(PipelineBehavior, behavior)


def _mediator(handler: type[QueryHandler[Ask, int]], add: Callable[[ServiceCollection], None]) -> Mediator:
    services = ServiceCollection()
    services.add_transient(handler)
    services.add_instance(HandlerRegistry, HandlerRegistry({Ask: handler}))
    services.add_singleton(Mediator)
    add(services)
    return ServiceProvider(services).get_now(Mediator)
