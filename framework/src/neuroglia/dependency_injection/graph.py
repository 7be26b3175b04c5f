"""The check of the whole object graph: every mistake is found when the application is built, and named."""

import inspect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import arguments, class_bindings, is_variable, name_of, substitute
from neuroglia.dependency_injection.collection import Lifetime, Registration, ServiceCollection

_NO_DEFAULT: Final = inspect.Parameter.empty
_VARIADIC: Final = {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD}


@dataclass(frozen=True, slots=True)
class Value:
    """A constant that is passed as it is."""

    value: Any


@dataclass(frozen=True, slots=True, eq=False)
class Node(Registration):
    """A registration whose needs are known.

    `needs` maps parameter names to nodes; to a list of nodes for `list[Service]`; to a plain value for
    `kind: type[T]`. Parameters that keep their default are left out.
    """

    needs: dict[str, "Node | list[Node] | Value"] = field(default_factory=dict[str, "Node | list[Node] | Value"])

    def direct(self) -> Sequence["Node"]:
        """The nodes that this one is made from."""
        return [node for need in self.needs.values() for node in nodes_in(need)]


Need = Node | list[Node] | Value
Path = tuple[tuple[Node, str], ...]
"""Who asked, and by which parameter, from the outside in."""


class Graph:
    """All nodes of an application, linked and checked.

    Of several registrations of one service only the last counts, unless somebody asks for a list of them: what a
    test replaced is neither checked nor made.

    Raises:
        ConfigurationError: with every mistake, one a line, when any is found.
    """

    def __init__(self, services: ServiceCollection, own: Registration) -> None:
        self._open, self._remedy = dict(services.open_registrations), services.remedy
        self._closed: dict[Any, Node] = {}
        self._all: dict[Any, list[Node]] = {}
        self.nodes: dict[Node, None] = {}  # those that count, each behind those that it needs
        self._problems: dict[str, str] = {}  # by their causes in the order found, each cause once
        for known in [*services.registrations, own]:
            node = Node(known.service, known.lifetime, known.make, known.instance)
            self._all.setdefault(node.service, []).append(node)
        for same in self._all.values():
            self._link(same[-1], ())
        self._refuse_problems()

    def find(self, service: Any) -> Need | None:
        """What serves a type: the last registration, all of them for `list[T]`, or the closed open generic."""
        before = len(self.nodes)
        found = self._serve(service, ())
        self._refuse_problems(before)
        return found

    def _link(self, node: Node, path: Path) -> Node:
        if node in self.nodes:
            self._check_cycle(node, path)
            return node
        self.nodes[node] = None
        self._check_implementation(node)
        for name, need, default in self._parameters(node, path):
            found = need if isinstance(need, Value) else self._serve(need, (*path, (node, name)))
            if found or (found is not None and default is _NO_DEFAULT):
                node.needs[name] = found
            elif default is _NO_DEFAULT:
                asker = f" (asked for by {_where(path[-1][0])})" if path and get_args(node.service) else ""
                missing = f"nobody registered; {remedy}" if (remedy := self._remedy(need)) else self._missing(need)
                self._report(node, f"parameter '{name}' needs {name_of(need)}, which {missing}{asker}", remedy)
        self._check_captives(node)
        self.nodes[node] = self.nodes.pop(node)  # behind what it needs
        return node

    def _serve(self, need: Any, path: Path) -> Need | None:
        if need in self._all:
            return self._link(self._all[need][-1], path)
        origin, inner = get_origin(need), get_args(need)
        if origin is list:
            return [self._link(node, path) for node in self._all.get(inner[0], [])]
        if origin in {Union, UnionType} and len(inner) == 2 and NoneType in inner:
            return self._serve(inner[0] if inner[1] is NoneType else inner[1], path)
        if origin in self._open:
            served = self._open[origin]
            return self._link(self._closed.setdefault(need, Node(need, served.lifetime, served.make)), path)
        return None

    def _parameters(self, node: Node, path: Path) -> Iterator[tuple[str, Any, Any]]:
        """Name, wanted type and default of each parameter of what makes the node."""
        make = node.make
        if make is None:
            return
        target = getattr(make, "__init__") if inspect.isclass(make) else make  # noqa: B009 - mypy: unsound access
        if inspect.isgeneratorfunction(target):
            self._report(node, "a factory that yields is an async generator; write `async def`")
        try:
            parameters = [one for one in inspect.signature(make).parameters.values() if one.kind not in _VARIADIC]
            hints = get_type_hints(target)
        except (NameError, AttributeError, SyntaxError, TypeError, ValueError) as error:
            unknown, written = str(getattr(error, "name", "")), getattr(target, "__annotations__", {})
            names = [f"'{name}'" for name, hint in written.items() if isinstance(hint, str) and unknown in hint]
            remedy = "register a class or a function whose types are imported at the top of its module"
            self._report(node, f"parameter {', '.join(names) or 'list'} cannot be read ({error}); {remedy}")
            return
        bindings = self._bindings(node, hints.get("return"))
        self._check_bounds(node, bindings, path)
        for parameter in parameters:
            need = substitute(hints.get(parameter.name), bindings)
            if need is not None:
                is_constant = get_origin(need) is type and need != hints[parameter.name]
                yield parameter.name, Value(get_args(need)[0]) if is_constant else need, parameter.default
            elif parameter.default is _NO_DEFAULT:
                self._report(node, f"parameter '{parameter.name}' has no type; annotate it")

    def _bindings(self, node: Node, result: Any) -> dict[Any, Any]:
        """What the type variables of what makes a closed generic service stand for."""
        origin = get_origin(node.service)
        if inspect.isclass(node.make):
            inherited, given = class_bindings(node.make), arguments(node.make, origin or node.service)
        else:
            if inspect.isasyncgenfunction(node.make):
                (result,) = get_args(result) or (None,)
            inherited, given = {}, arguments(result, origin) if inspect.isclass(origin) else None
            if given is None and origin in self._open:
                self._report(node, f"its result has another type; annotate it with {origin.__name__}[…]")
        pairs = zip(given or (), get_args(node.service), strict=False)
        own = {variable: argument for variable, argument in pairs if is_variable(variable)}
        return {**{variable: substitute(value, own) for variable, value in inherited.items()}, **own}

    def _check_implementation(self, node: Node) -> None:
        """What is registered for a service must be one, type arguments included."""
        make, base = node.make, get_origin(node.service) or node.service
        if not isinstance(base, type) or base is UnionType:
            return
        by_shape, wrong = getattr(base, "_is_protocol", False), ""  # a protocol's shape is the type checker's business
        if make is None:
            if not by_shape and not isinstance(node.instance, base):
                wrong = f"its instance is a {type(node.instance).__name__}; register a {base.__name__} instead"
        elif not inspect.isclass(make):
            return
        elif inspect.isabstract(make) or (make is base and by_shape):
            missing = ", ".join(sorted(getattr(make, "__abstractmethods__", ()))) or "a protocol"
            wrong = f"{make.__name__} is abstract ({missing}); register what implements it"
        elif base in make.__mro__:
            pairs = zip(given := arguments(make, base) or (), get_args(node.service), strict=False)
            if any(ours != theirs and not is_variable(ours) for ours, theirs in pairs):
                form = f"{base.__name__}[{', '.join(map(name_of, given))}]"
                wrong = f"{make.__name__} implements {form} instead; register it for that"
        elif not by_shape and not issubclass(make, base):
            wrong = f"{make.__name__} does not implement it; derive it from {base.__name__}, or register another class"
        if wrong:
            self._report(name_of(node.service), wrong)

    def _check_bounds(self, node: Node, bindings: Mapping[Any, Any], path: Path) -> None:
        for variable, argument in bindings.items():
            bound = variable.__bound__
            if inspect.isclass(bound) and inspect.isclass(argument) and not issubclass(argument, bound):
                asker = f"; parameter '{path[-1][1]}' of {_where(path[-1][0])} asks for it" if path else ""
                self._report(node, f"{argument.__name__} is no {bound.__name__}, which it has to be{asker}")

    def _check_cycle(self, known: Node, path: Path) -> None:
        nodes = [node for node, _ in path]
        if known in nodes:
            chain = " → ".join(f"{_where(node)}({name})" for node, name in path[nodes.index(known) :])
            self._report(f"{chain} → {_where(known)}", "a cycle; move what they share into a service of its own")

    def _check_captives(self, node: Node) -> None:
        """A singleton lives longer than any scope: it must not hold a scoped service, not even through others."""
        for name, need in node.needs.items() if node.lifetime is Lifetime.SINGLETON else ():
            for *through, scoped in (way for one in nodes_in(need) for way in scoped_in(one)):
                held = name_of(scoped.service) + (f" (through {', '.join(map(_where, through))})" if through else "")
                kept = f"parameter '{name}' would keep the scoped {held} for ever in a singleton"
                self._report(node, f"{kept}; make {name_of(node.service)} scoped, or open a scope for each use")

    def _missing(self, need: Any) -> str:
        near = [name_of(known) for known in self._all if get_origin(known) and get_origin(known) is get_origin(need)]
        hint = f" (there is {', '.join(near)})" if near else ""
        return f"nobody registered{hint}; add it to the services, or give the parameter a default"

    def _report(self, where: Node | str, problem: str, cause: str = "") -> None:
        told = f"{where if isinstance(where, str) else _where(where)}: {problem}"
        self._problems.setdefault(cause or told, told)

    def _refuse_problems(self, before: int = 0) -> None:
        problems, self._problems = self._problems.values(), {}
        if problems:
            for late in [*self.nodes][before:]:  # what is refused must not stay behind half linked
                del self.nodes[late]
            raise ConfigurationError("\n".join(problems))


def nodes_in(need: Need | None) -> Sequence[Node]:
    """The nodes of one need."""
    return need if isinstance(need, list) else [need] if isinstance(need, Node) else []


def scoped_in(node: Node, through: tuple[Node, ...] = ()) -> Iterator[tuple[Node, ...]]:
    """The scoped services that the holder of a node holds on to, each behind the transient ones between."""
    if node.lifetime is Lifetime.SCOPED:
        yield (*through, node)
    elif node.lifetime is Lifetime.TRANSIENT and node not in through:  # cycles are another check's finding
        for need in node.direct():
            yield from scoped_in(need, (*through, node))


def _where(node: Node) -> str:
    """What makes a node, as its author knows it."""
    make, service = node.make, name_of(node.service)
    if make is None or make is get_origin(node.service):
        return service
    name = getattr(make, "__name__", repr(make))
    return name if inspect.isclass(make) and not get_args(node.service) else f"{name} for {service}"
