"""The check of the whole object graph: every mistake is found when the application is built, and named."""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import arguments, class_bindings, is_variable, name_of, substitute
from neuroglia.dependency_injection.collection import Lifetime, Registration, ServiceCollection


@dataclass(slots=True, eq=False)
class Node:
    """A registration whose needs are known.

    `needs` maps parameter names to nodes; to a list of nodes for `list[Service]`; to a plain value for
    `kind: type[T]`. Parameters that keep their default are left out.
    """

    registration: Registration
    service: Any
    make: Callable[..., Any] | None
    needs: dict[str, "Node | list[Node] | Value"] = field(default_factory=dict[str, "Node | list[Node] | Value"])

    @property
    def lifetime(self) -> Lifetime:
        return self.registration.lifetime

    def direct(self) -> Sequence["Node"]:
        """The nodes that this one is made from."""
        found: list[Node] = []
        for need in self.needs.values():
            found += need if isinstance(need, list) else [need] if isinstance(need, Node) else []
        return found


@dataclass(frozen=True, slots=True)
class Value:
    """A constant that is passed as it is."""

    value: Any


class Graph:
    """All nodes of an application, linked and checked.

    Raises:
        ConfigurationError: with every mistake, one a line, when any is found.
    """

    def __init__(self, services: ServiceCollection) -> None:
        self._open = services.open_registrations
        self._nodes: dict[Registration, Node] = {}
        self._all: dict[Any, list[Registration]] = {}
        self._closed: dict[Any, Node] = {}
        self._problems: dict[str, None] = {}  # in the order found, each once
        for registration in services.registrations:
            self._all.setdefault(registration.service, []).append(registration)
        for registrations in list(self._all.values()):
            for registration in registrations:
                self._link(registration, registration.service, ())
        if self._problems:
            raise ConfigurationError("\n".join(self._problems))

    def nodes(self) -> Sequence[Node]:
        """Every registration's node, each behind those that it needs."""
        ordered: dict[Node, None] = {}

        def visit(node: Node) -> None:
            if node not in ordered:
                for need in node.direct():
                    visit(need)
                ordered[node] = None

        for node in [*self._nodes.values(), *self._closed.values()]:
            visit(node)
        return list(ordered)

    def find(self, service: Any) -> Node | list[Node] | None:
        """What serves a type: the last registration, all of them for `list[T]`, or the closed open generic."""
        if get_origin(service) is list:
            (item,) = get_args(service)
            return [self._nodes[registration] for registration in self._all.get(item, [])]
        if service in self._all:
            return self._nodes[self._all[service][-1]]
        return self._closed.get(service)

    def _link(self, registration: Registration, service: Any, path: tuple[Node, ...]) -> Node:
        known = self._closed.get(service) if service is not registration.service else self._nodes.get(registration)
        if known is not None:
            if known in path:
                names = [*(name_of(node.service) for node in path[path.index(known) :]), name_of(service)]
                self._report(f"{' → '.join(names)}: a cycle; one of them has to ask for less, or for a factory")
            return known
        node = Node(registration, service, registration.make)
        if service is registration.service:
            self._nodes[registration] = node
        else:
            self._closed[service] = node
        if node.make is None:
            return node
        self._check_implementation(node)
        for name, need, default in self._parameters(node):
            found = self._serve(need, (*path, node))
            if found is None and default is inspect.Parameter.empty:
                self._report(f"{_where(node)}: parameter '{name}' needs {name_of(need)}, which {self._missing(need)}")
            elif found is not None:
                node.needs[name] = found
        self._check_captives(node)
        return node

    def _serve(self, need: Any, path: tuple[Node, ...]) -> Node | list[Node] | Value | None:
        if isinstance(need, Value):
            return need
        if get_origin(need) is list:
            (item,) = get_args(need)
            return [self._link(registration, item, path) for registration in self._all.get(item, [])]
        if need in self._all:
            return self._link(self._all[need][-1], need, path)
        if (origin := get_origin(need)) in self._open:
            self._check_bound(need, path)
            return self._link(self._open[origin], need, path)
        return None

    def _parameters(self, node: Node) -> Sequence[tuple[str, Any, Any]]:
        """Name, wanted type and default of each parameter of what makes the node."""
        make = node.make
        assert make is not None
        bindings = _bindings(node)
        target = getattr(make, "__init__") if inspect.isclass(make) else make  # noqa: B009 - mypy: unsound access
        try:
            hints = get_type_hints(target)
            parameters = inspect.signature(make).parameters.values()
        except (NameError, TypeError, ValueError) as error:
            self._report(f"{_where(node)}: an annotation cannot be resolved ({error}); import it at module level")
            return []
        found: list[tuple[str, Any, Any]] = []
        for parameter in parameters:
            if parameter.kind in {parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD}:
                continue
            if parameter.name not in hints:
                if parameter.default is parameter.empty:
                    self._report(f"{_where(node)}: parameter '{parameter.name}' has no type; annotate it")
                continue
            need = substitute(hints[parameter.name], bindings)
            if get_origin(need) is type and hints[parameter.name] != need:
                need = Value(get_args(need)[0])
            found.append((parameter.name, need, parameter.default))
        return found

    def _check_implementation(self, node: Node) -> None:
        """A class that is registered for a service must be one, type arguments included."""
        make, service = node.make, node.service
        base = get_origin(service) or service
        if not inspect.isclass(make) or not isinstance(base, type):
            return
        if inspect.isabstract(make):
            missing = ", ".join(sorted(make.__abstractmethods__))  # type: ignore[attr-defined]
            self._report(f"{name_of(service)}: {make.__name__} is abstract ({missing}); register what implements it")
        elif getattr(base, "_is_protocol", False):
            return  # structural: the type checker's business
        elif not issubclass(make, base):
            self._report(f"{name_of(service)}: {make.__name__} is registered for it but does not implement it")
        elif service is node.registration.service and (wanted := get_args(service)):
            given = arguments(make, base)
            if given and given != wanted and not any(is_variable(argument) for argument in given):
                self._report(
                    f"{name_of(service)}: {make.__name__} is registered for it but implements "
                    f"{base.__name__}[{', '.join(map(name_of, given))}]"
                )

    def _check_bound(self, need: Any, path: tuple[Node, ...]) -> None:
        variables: tuple[TypeVar, ...] = getattr(get_origin(need), "__parameters__", ())
        for variable, argument in zip(variables, get_args(need), strict=False):
            bound = variable.__bound__
            if inspect.isclass(bound) and inspect.isclass(argument) and not issubclass(argument, bound):
                self._report(
                    f"{_where(path[-1])}: {name_of(need)} is not possible, {argument.__name__} is no {bound.__name__}"
                )

    def _check_captives(self, node: Node) -> None:
        """A singleton lives longer than any scope: it must not hold a scoped service, not even through others."""
        if node.lifetime is not Lifetime.SINGLETON:
            return
        for need in _reach(node):
            if need.lifetime is Lifetime.SCOPED:
                self._report(
                    f"{_where(node)}: a singleton would keep the scoped {name_of(need.service)} for ever; "
                    f"make {name_of(node.service)} scoped, or open a scope for each use"
                )

    def _missing(self, need: Any) -> str:
        near = [name_of(known) for known in self._all if get_origin(known) and get_origin(known) is get_origin(need)]
        hint = f" (there is {', '.join(near)})" if near else ""
        return f"nobody registered{hint}; add it to the services, or give the parameter a default"

    def _report(self, problem: str) -> None:
        self._problems.setdefault(problem)


def _bindings(node: Node) -> dict[Any, Any]:
    """What the type variables of an open registration's maker stand for, given the closed service."""
    make = node.make
    if inspect.isclass(make):
        closed = class_bindings(make)
        given = arguments(make, get_origin(node.service) or node.service) or ()
    else:
        closed = {}
        result: Any = get_type_hints(make).get("return") if make is not None else None
        given = get_args(result)
    wanted = get_args(node.service)
    own = {variable: argument for variable, argument in zip(given, wanted, strict=False) if is_variable(variable)}
    return {**{variable: substitute(value, own) for variable, value in closed.items()}, **own}


def _reach(node: Node) -> Sequence[Node]:
    """What a node holds on to: its needs, and those of the transient ones among them."""
    found: list[Node] = []
    for need in node.direct():
        found.append(need)
        if need.lifetime is Lifetime.TRANSIENT:
            found += _reach(need)
    return found


def _where(node: Node) -> str:
    make = node.make
    name = getattr(make, "__qualname__", None) or repr(make)
    return name if not inspect.isclass(make) else name_of(make)
