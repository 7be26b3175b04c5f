"""Finding the handlers: exactly one for each request, with the result that the request promises."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

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
            than its request's.
    """
    problems: list[str] = []
    handlers: dict[type[Request[Any]], type[RequestHandler[Any, Any]]] = {}
    for handler in classes(modules, RequestHandler[Any, Any]):
        request, result = arguments(handler, RequestHandler) or (None, None)
        if not inspect.isclass(request) or not issubclass(request, Request):
            problems.append(
                f"{handler.__name__}: name its request and result, as CommandHandler[OpenAccount, AccountDto]"
            )
            continue
        (promised,) = arguments(request, Request) or (None,)
        if is_variable(promised):
            problems.append(f"{request.__name__}: say what answers it, as Command[AccountDto] or Command[None]")
        elif not _fits(result, promised):
            problems.append(
                f"{handler.__name__}: answers {request.__name__} with {name_of(result)}, "
                f"but {request.__name__} promises {name_of(promised)}; change one of them"
            )
        if request in handlers:
            problems.append(
                f"{request.__name__}: has two handlers, {handlers[request].__name__} and {handler.__name__}; keep one"
            )
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


def _fits(result: Any, promised: Any) -> bool:
    both_classes = inspect.isclass(result) and inspect.isclass(promised)
    return result == promised or (both_classes and issubclass(result, promised))
