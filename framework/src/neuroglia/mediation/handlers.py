"""Finding the handlers: exactly one for each request, with the result that the request promises."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeGuard, get_type_hints

from neuroglia.core.errors import ConfigurationError
from neuroglia.core.generics import arguments, is_variable, name_of
from neuroglia.core.scanning import classes
from neuroglia.dependency_injection import ServiceCollection
from neuroglia.mediation.requests import Request, RequestHandler

Handlers = Mapping[type[Request[Any]], type[RequestHandler[Any, Any]]]


@dataclass(frozen=True, slots=True)
class HandlerRegistry:
    """Which handler answers which request."""

    handlers: Handlers


def add_handlers(services: ServiceCollection, modules: Sequence[ModuleType]) -> HandlerRegistry:
    """Registers every handler that these modules define.

    Raises:
        ConfigurationError: a request without a handler or with two, or a handler whose result is another
            than its request's, or whose method is no coroutine or takes another request.
    """
    problems: list[str] = []
    handlers: dict[type[Request[Any]], type[RequestHandler[Any, Any]]] = {}
    for handler in classes(modules, RequestHandler[Any, Any]):
        name, (request, result) = handler.__name__, arguments(handler, RequestHandler) or (None, None)
        if not _is_request(request):
            problems.append(f"{name}: name its request and result, as CommandHandler[OpenAccount, AccountDto]")
            continue
        asked, (promised,) = request.__name__, arguments(request, Request) or (None,)
        if is_variable(promised):
            problems.append(f"{asked}: say what answers it, as Command[AccountDto] or Command[None]")
        elif not _fits(result, promised):
            both = f"answers {asked} with {name_of(result)}, but {asked} promises {name_of(promised)}"
            problems.append(f"{name}: {both}; change one of them")
        if wrong := _wrong(handler.handle, request):
            problems.append(f"{name}.handle: {wrong}")
        if request in handlers:
            problems.append(f"{asked}: has two handlers, {handlers[request].__name__} and {name}; keep one")
        handlers[request] = handler
        services.add_transient(handler)
    problems += [
        f"{request.__name__}: has no handler; write {request.__name__}Handler beside it"
        for request in classes(modules, Request[Any])
        if request not in handlers
    ]
    if problems:
        raise ConfigurationError("\n".join(problems))
    return HandlerRegistry(handlers)


def _is_request(kind: object) -> TypeGuard[type[Request[Any]]]:
    return inspect.isclass(kind) and issubclass(kind, Request)


def _fits(result: Any, promised: Any) -> bool:
    both_classes = inspect.isclass(result) and inspect.isclass(promised)
    return result == promised or (both_classes and issubclass(result, promised))


def _wrong(handle: Callable[..., object], request: type[Request[Any]]) -> str | None:
    """What is wrong with a handler's method, so that no call of it could succeed."""
    if not inspect.iscoroutinefunction(handle):
        return "is a coroutine; write async def"
    with suppress(NameError, TypeError):  # types for checkers alone, and protocols, are left to these
        for kind in [get_type_hints(handle).get(name) for name in inspect.signature(handle).parameters][1:2]:
            if inspect.isclass(kind) and not issubclass(request, kind):
                return f"takes {kind.__name__}, but its class answers {request.__name__}; change one of them"
    return None
