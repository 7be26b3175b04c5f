"""Building services: the checked graph becomes one small function per service, composed once at start-up."""

import functools
import inspect
import sys
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack, asynccontextmanager
from types import CoroutineType
from typing import Any, Final, Self, TypeVar, cast

from typing_extensions import TypeForm

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import name_of
from neuroglia.dependency_injection.collection import Lifetime, Registration, ServiceCollection
from neuroglia.dependency_injection.graph import Graph, Node, Value, nodes_in, scoped_in

T = TypeVar("T")
Resolver = Callable[["Scope"], Any]
_MISSING: Final = object()


class Scope:
    """The services of one message. Leaving it disposes of what it made, in reverse order, whatever happened."""

    __slots__ = ("_exits", "_provider", "made")

    def __init__(self, provider: "ServiceProvider") -> None:
        self._provider = provider
        self.made: dict[Node, Any] = {}
        self._exits: AsyncExitStack | None = None

    async def get(self, service: TypeForm[T]) -> T:
        """The service of this type.

        Raises:
            ConfigurationError: nobody registered it.
        """
        resolver, is_async = self._provider.resolver(service)
        instance = resolver(self)
        return await instance if is_async else instance  # type: ignore[no-any-return]

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: Any) -> None:
        if self._exits is not None:  # a generator that swallows the error must not hide it from the caller
            await self._exits.__aexit__(*error)

    def exits(self) -> AsyncExitStack:
        """Where clean-up is registered; made on first use, for most scopes need none."""
        if self._exits is None:
            self._exits = AsyncExitStack()
        return self._exits

    def adopt(self, instance: T, given: Collection[object] = ()) -> T:
        """Disposes of an instance at the end, if it can be; unless it is just one of those that were given."""
        close = getattr(instance, "aclose", None)
        if close is not None and not any(instance is other for other in given):
            self.exits().push_async_callback(close)
        return instance


class ServiceProvider:
    """The built application. `async with provider:` makes the singletons and disposes of them at the end."""

    def __init__(self, services: ServiceCollection) -> None:
        """Checks the whole graph.

        Raises:
            ConfigurationError: naming class, parameter and remedy of every mistake.
        """
        own = Registration(ServiceProvider, Lifetime.SINGLETON, instance=self)
        self._graph = Graph(services, own)
        self._root = Scope(self)
        self._resolvers: dict[Any, tuple[Resolver, bool]] = {}
        self._compiled: dict[Node, tuple[Resolver, bool]] = {}
        self._starters: dict[Node, Resolver] = {}  # async singletons
        for node in list(self._graph.nodes):
            self._lookup(node)

    def create_scope(self) -> Scope:
        """A scope for one message, to be used with `async with`."""
        return Scope(self)

    def has(self, service: TypeForm[Any]) -> bool:
        """Whether somebody registered it."""
        return self._graph.find(service) is not None

    async def get(self, service: TypeForm[T]) -> T:
        """A singleton (or transient) service of the application itself.

        Raises:
            ConfigurationError: nobody registered it, or it is scoped.
        """
        self._refuse_scoped(service)
        return await self._root.get(service)

    def get_now(self, service: TypeForm[T]) -> T:
        """The same before the event loop runs, for what is made without awaiting.

        Raises:
            ConfigurationError: it needs an async factory, which only runs at start.
        """
        self._refuse_scoped(service)
        resolver, is_async = self.resolver(service)
        if is_async:
            raise ConfigurationError(f"{name_of(service)} needs an async factory: it is there after the start")
        return resolver(self._root)  # type: ignore[no-any-return]

    async def __aenter__(self) -> Self:
        try:
            for node in list(self._graph.nodes):  # in the order of their needs
                if start := self._starters.get(node):
                    await start(self._root)
                elif node.lifetime is Lifetime.SINGLETON:
                    self._compiled[node][0](self._root)
        except BaseException:  # what was made so far must not outlive a failed start
            await self._root.__aexit__(*sys.exc_info())
            raise
        return self

    async def __aexit__(self, *error: Any) -> None:
        await self._root.__aexit__(*error)

    def _refuse_scoped(self, service: Any) -> None:
        if any(way for node in nodes_in(self._graph.find(service)) for way in scoped_in(node)):
            raise ConfigurationError(f"{name_of(service)} belongs to a scope; get it from `create_scope()`")

    def resolver(self, service: Any) -> tuple[Resolver, bool]:
        """The function that gets a service for a scope, and whether its result must be awaited."""
        if (known := self._resolvers.get(service)) is None:
            if (found := self._graph.find(service)) is None:
                raise ConfigurationError(f"nobody registered {name_of(service)}; add it to the services")
            known = self._resolvers[service] = self._lookup(found)
        return known

    def _lookup(self, found: Node | list[Node] | Value) -> tuple[Resolver, bool]:
        match found:
            case Value(value):
                return (lambda _: value), False
            case Node():
                return self._compiled.get(found) or self._compiled.setdefault(found, self._compile(found))
            case _:
                parts = [self._lookup(node) for node in found]
                if any(waits for _, waits in parts):
                    return functools.partial(_gather, parts), True
                return (lambda scope: [resolver(scope) for resolver, _ in parts]), False

    def _compile(self, node: Node) -> tuple[Resolver, bool]:
        make, instance, root = node.make, node.instance, self._root
        if make is None:
            return (lambda _: instance), False
        needs = {name: self._lookup(need) for name, need in node.needs.items()}
        ready = {name: resolver for name, (resolver, _) in needs.items()}
        is_generator = inspect.isasyncgenfunction(make)
        is_async = is_generator or inspect.iscoroutinefunction(make) or any(waits for _, waits in needs.values())
        build: Resolver
        if is_async:
            build = functools.partial(_call_async, make, asynccontextmanager(make) if is_generator else None, needs)
        elif inspect.isclass(make) and not hasattr(make, "aclose"):
            build = _constructor(make, ready)
        else:
            build = functools.partial(_call, make, ready)
        if node.lifetime is Lifetime.TRANSIENT:
            return build, is_async
        once = (_once_async if is_async else _once)(node, build)
        if node.lifetime is Lifetime.SCOPED:
            return once, is_async
        if is_async:
            self._starters[node] = once
            once = _once(node, functools.partial(_not_started, node))
        return (lambda _: once(root)), False


def _once(node: Node, build: Resolver) -> Resolver:
    def resolve(scope: Scope) -> Any:
        instance = scope.made.get(node, _MISSING)
        if instance is _MISSING:
            instance = scope.made[node] = build(scope)
        return instance

    return resolve


def _once_async(node: Node, build: Resolver) -> Resolver:
    async def resolve(scope: Scope) -> Any:
        instance = scope.made.get(node, _MISSING)
        if instance is _MISSING:
            instance = scope.made[node] = await build(scope)
        return instance

    return resolve


def _not_started(node: Node, _: Scope) -> Any:
    raise ConfigurationError(f"{name_of(node.service)} has an async factory: it is there after the start")


def _constructor(make: Callable[..., Any], needs: dict[str, Resolver]) -> Resolver:
    """Makes an instance of a class. The common short argument lists are spelled out: this is the hot path."""
    parameters = inspect.signature(make).parameters.values()
    positional = [parameter.name for parameter in parameters if parameter.kind is not parameter.KEYWORD_ONLY]
    if [*needs] != positional[: len(needs)]:
        return lambda scope: make(**{name: need(scope) for name, need in needs.items()})
    match [*needs.values()]:
        case []:
            return lambda _: make()
        case [a]:
            return lambda scope: make(a(scope))
        case [a, b]:
            return lambda scope: make(a(scope), b(scope))
        case [a, b, c]:
            return lambda scope: make(a(scope), b(scope), c(scope))
        case more:
            return lambda scope: make(*[need(scope) for need in more])


def _call(make: Callable[..., Any], needs: dict[str, Resolver], scope: Scope) -> Any:
    arguments = {name: need(scope) for name, need in needs.items()}
    instance = make(**arguments)
    if isinstance(instance, CoroutineType):  # only `async def` tells in time that it has to be awaited
        cast("CoroutineType[Any, Any, Any]", instance).close()
        raise ConfigurationError(f"{name_of(make)}: a factory that returns an awaitable; write it as `async def`")
    return scope.adopt(instance, arguments.values())


async def _call_async(
    make: Callable[..., Any], enter: Callable[..., Any] | None, needs: dict[str, tuple[Resolver, bool]], scope: Scope
) -> Any:
    arguments = {name: await need(scope) if waits else need(scope) for name, (need, waits) in needs.items()}
    if enter is not None:
        return await scope.exits().enter_async_context(enter(**arguments))
    instance = make(**arguments)
    if inspect.isawaitable(instance):
        instance = await instance
    return scope.adopt(instance, arguments.values())


async def _gather(parts: list[tuple[Resolver, bool]], scope: Scope) -> list[Any]:
    return [await resolver(scope) if waits else resolver(scope) for resolver, waits in parts]
