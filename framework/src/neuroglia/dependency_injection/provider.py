"""Building services: the checked graph becomes one small function per service, composed once at start-up."""

import functools
import inspect
from collections.abc import Callable
from contextlib import AsyncExitStack, asynccontextmanager
from types import TracebackType
from typing import Any, Final, Self, TypeVar

from typing_extensions import TypeForm

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import name_of
from neuroglia.dependency_injection.collection import Lifetime, ServiceCollection
from neuroglia.dependency_injection.graph import Graph, Node, Value

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

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        if self._exits is None:
            return None
        return await self._exits.__aexit__(kind, error, trace)

    def exits(self) -> AsyncExitStack:
        """Where clean-up is registered; made on first use, for most scopes need none."""
        if self._exits is None:
            self._exits = AsyncExitStack()
        return self._exits


class ServiceProvider:
    """The built application. `async with provider:` makes the singletons and disposes of them at the end."""

    def __init__(self, services: ServiceCollection) -> None:
        """Checks the whole graph.

        Raises:
            ConfigurationError: naming class, parameter and remedy of every mistake.
        """
        services.add_instance(ServiceProvider, self)
        self._graph = Graph(services)
        self._root = Scope(self)
        self._resolvers: dict[Any, tuple[Resolver, bool]] = {}
        self._compiled: dict[Node, tuple[Resolver, bool]] = {}
        self._starters: dict[Node, Resolver] = {}  # async singletons
        for node in self._graph.nodes():
            self._compiled[node] = self._compile(node)

    def create_scope(self) -> Scope:
        """A scope for one message, to be used with `async with`."""
        return Scope(self)

    def has(self, service: TypeForm[Any]) -> bool:
        """Whether somebody registered it."""
        return self._graph.find(service) is not None

    async def get(self, service: TypeForm[T]) -> T:
        """A singleton (or transient) service of the application itself."""
        return await self._root.get(service)

    def get_now(self, service: TypeForm[T]) -> T:
        """The same before the event loop runs, for what is made without awaiting.

        Raises:
            ConfigurationError: it needs an async factory, which only runs at start.
        """
        resolver, is_async = self.resolver(service)
        if is_async:
            raise ConfigurationError(f"{name_of(service)} needs an async factory: it is there after the start")
        return resolver(self._root)  # type: ignore[no-any-return]

    async def __aenter__(self) -> Self:
        for node in self._graph.nodes():  # in the order of their needs
            if start := self._starters.get(node):
                await start(self._root)
            elif node.lifetime is Lifetime.SINGLETON:
                self._compiled[node][0](self._root)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        return await self._root.__aexit__(kind, error, trace)

    def resolver(self, service: Any) -> tuple[Resolver, bool]:
        """The function that gets a service for a scope, and whether its result must be awaited."""
        try:
            return self._resolvers[service]
        except KeyError:
            found = self._graph.find(service)
            if found is None:
                raise ConfigurationError(f"nobody registered {name_of(service)}; add it to the services") from None
            return self._resolvers.setdefault(service, self._lookup(found))

    def _lookup(self, found: Node | list[Node] | Value) -> tuple[Resolver, bool]:
        match found:
            case Value(value):
                return (lambda _: value), False
            case Node():
                return self._compiled[found]
            case _:
                parts = [self._compiled[node] for node in found]
                if not any(is_async for _, is_async in parts):
                    resolvers = [resolver for resolver, _ in parts]
                    return (lambda scope: [resolver(scope) for resolver in resolvers]), False
                return functools.partial(_gather, parts), True

    def _compile(self, node: Node) -> tuple[Resolver, bool]:
        make = node.make
        if make is None:
            instance = node.registration.instance
            return (lambda _: instance), False
        needs = {name: self._lookup(need) for name, need in node.needs.items()}
        is_async = (
            inspect.iscoroutinefunction(make)
            or inspect.isasyncgenfunction(make)
            or any(need_async for _, need_async in needs.values())
        )
        build = (
            _async_builder(make, needs) if is_async else _builder(make, [need for need, _ in needs.values()], [*needs])
        )
        if node.lifetime is Lifetime.TRANSIENT:
            return build, is_async
        if node.lifetime is Lifetime.SCOPED:
            return (_per_scope_async if is_async else _per_scope)(node, build), is_async
        if is_async:
            self._starters[node] = _per_scope_async(node, build)
        return _singleton(node, None if is_async else build, self._root), False


def _per_scope(node: Node, build: Resolver) -> Resolver:
    def resolve(scope: Scope) -> Any:
        made = scope.made
        instance = made.get(node, _MISSING)
        if instance is _MISSING:
            instance = made[node] = build(scope)
        return instance

    return resolve


def _per_scope_async(node: Node, build: Resolver) -> Resolver:
    async def resolve(scope: Scope) -> Any:
        made = scope.made
        instance = made.get(node, _MISSING)
        if instance is _MISSING:
            instance = made[node] = await build(scope)
        return instance

    return resolve


def _singleton(node: Node, build: Resolver | None, root: Scope) -> Resolver:
    """Looks an instance up in the root scope; `build` is None for what only the start can make."""
    made = root.made

    def resolve(_: Scope) -> Any:
        instance = made.get(node, _MISSING)
        if instance is _MISSING:
            if build is None:
                raise ConfigurationError(f"{name_of(node.service)} has an async factory: it is there after the start")
            instance = made[node] = build(root)
        return instance

    return resolve


def _builder(make: Callable[..., Any], needs: list[Resolver], names: list[str]) -> Resolver:
    """Makes an instance from its needs. The common short argument lists are spelled out: this is the hot path."""
    build: Resolver
    if any(parameter.kind is parameter.KEYWORD_ONLY for parameter in inspect.signature(make).parameters.values()) or (
        names != [*inspect.signature(make).parameters][: len(names)]
    ):
        pairs = list(zip(names, needs, strict=True))
        build = lambda scope: make(**{name: need(scope) for name, need in pairs})  # noqa: E731
    else:
        match needs:
            case []:
                build = lambda _: make()  # noqa: E731
            case [a]:
                build = lambda scope: make(a(scope))  # noqa: E731
            case [a, b]:
                build = lambda scope: make(a(scope), b(scope))  # noqa: E731
            case [a, b, c]:
                build = lambda scope: make(a(scope), b(scope), c(scope))  # noqa: E731
            case _:
                build = lambda scope: make(*[need(scope) for need in needs])  # noqa: E731
    if inspect.isclass(make) and not hasattr(make, "aclose"):
        return build

    def build_disposable(scope: Scope) -> Any:
        instance = build(scope)
        if (close := getattr(instance, "aclose", None)) is not None:
            scope.exits().push_async_callback(close)
        return instance

    return build_disposable


def _async_builder(make: Callable[..., Any], needs: dict[str, tuple[Resolver, bool]]) -> Resolver:
    enter = asynccontextmanager(make) if inspect.isasyncgenfunction(make) else None

    async def build(scope: Scope) -> Any:
        arguments = {
            name: await resolver(scope) if is_async else resolver(scope) for name, (resolver, is_async) in needs.items()
        }
        if enter is not None:
            return await scope.exits().enter_async_context(enter(**arguments))
        instance = make(**arguments)
        if inspect.isawaitable(instance):
            instance = await instance
        if (close := getattr(instance, "aclose", None)) is not None:
            scope.exits().push_async_callback(close)
        return instance

    return build


async def _gather(parts: list[tuple[Resolver, bool]], scope: Scope) -> list[Any]:
    return [await resolver(scope) if is_async else resolver(scope) for resolver, is_async in parts]
