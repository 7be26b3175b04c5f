"""The mediator: takes a request through the pipeline to its handler, in a scope of its own."""

import functools
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from enum import IntEnum
from typing import Any, ClassVar, Final, TypeVar

from neuroglia.core.context import current_context
from neuroglia.core.errors import ConfigurationError
from neuroglia.core.lifecycle import UnitOfWork
from neuroglia.dependency_injection import ServiceProvider
from neuroglia.mediation.handlers import HandlerRegistry
from neuroglia.mediation.requests import Command, Request, RequestHandler

R = TypeVar("R")
Proceed = Callable[[Request[Any]], Awaitable[Any]]
begun: Final[ContextVar[Sequence[UnitOfWork]]] = ContextVar("neuroglia_begun", default=())
"""Those of the command that this task is handling."""


class Stage(IntEnum):
    """The fixed order of the pipeline, from the outside in. Each try of RETRY runs all that is below it anew."""

    TRACE = 1
    AUTHORISE = 2
    IDEMPOTENCY = 3
    RETRY = 4
    VALIDATE = 5
    WAIT = 6


class PipelineBehavior(ABC):
    """Something that is done around handlers. A singleton; its `stage` says where it stands."""

    stage: ClassVar[Stage]

    def applies_to(self, request: type[Request[Any]], handler: type[RequestHandler[Any, Any]]) -> bool:  # noqa: ARG002
        """Whether requests of this type run through it. Asked once, when the pipeline is composed."""
        return True

    @abstractmethod
    async def handle(self, request: Request[Any], proceed: Proceed) -> Any:
        """Does its part and calls `proceed(request)` for the rest of the pipeline."""


class Mediator:
    """Sends requests to their handlers."""

    def __init__(self, provider: ServiceProvider, registry: HandlerRegistry, behaviors: list[PipelineBehavior]) -> None:
        ordered = sorted(behaviors, key=lambda behavior: behavior.stage, reverse=True)
        self._pipelines: dict[type[Request[Any]], Proceed] = {}
        for request, handler in registry.handlers.items():
            proceed = _invoker(provider, request, handler)
            for behavior in ordered:
                if behavior.applies_to(request, handler):
                    proceed = functools.partial(behavior.handle, proceed=proceed)
            self._pipelines[request] = proceed

    async def execute(self, request: Request[R], /) -> R:
        """Runs a request through the pipeline and returns its handler's result.

        Raises:
            DomainError, ApplicationError: the request is refused; nothing was changed.
            ConfigurationError: there is no handler for it.
        """
        kind = type(request)
        if (pipeline := self._pipelines.get(kind)) is None:
            raise ConfigurationError(f"{kind.__name__} has no handler in the packages given to add_mediation")
        if isinstance(request, Command):  # its effect would look like somebody else's to the command that sends it
            await _confirm(begun.get())
        return await pipeline(request)  # type: ignore[no-any-return]


def _invoker(
    provider: ServiceProvider, request: type[Request[Any]], handler: type[RequestHandler[Any, Any]]
) -> Proceed:
    async def answer(request: Request[Any]) -> Any:
        async with provider.create_scope() as scope:
            return await (await scope.get(handler)).handle(request)

    async def carry_out(request: Request[Any]) -> Any:
        async with provider.create_scope() as scope:
            units = [*await scope.get(list[UnitOfWork])]
            for unit in units:
                unit.begin()
            outer = begun.set(units)
            try:
                current_context().reply.result = result = await (await scope.get(handler)).handle(request)
            except Exception:  # whatever it is: on an old state it may be because of that
                await _confirm(units)
                raise
            else:
                await _confirm(units)  # all of them, before any of them stores something
                for unit in units:
                    await unit.commit()
                return result
            finally:
                begun.reset(outer)
                units.clear()  # for tasks that the handler has left behind

    return carry_out if issubclass(request, Command) and provider.has(UnitOfWork) else answer


async def _confirm(units: Sequence[UnitOfWork]) -> None:
    for unit in units:
        await unit.confirm()
