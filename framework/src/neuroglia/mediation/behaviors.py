"""The first behaviours of the pipeline: log, retry on conflicts, validate."""

import asyncio
import dataclasses
import logging
import time
from collections.abc import Sequence
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any, ClassVar, Final
from weakref import WeakValueDictionary

import tenacity
from pydantic import ConfigDict, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict, override

from neuroglia.core.context import RequestContext, ambient_context, use_context
from neuroglia.core.errors import ApplicationError, ConcurrencyError, InvalidRequest
from neuroglia.core.generics import annotations
from neuroglia.core.validation import misfits
from neuroglia.domain import DomainError
from neuroglia.mediation.mediator import PipelineBehavior, Proceed, Stage
from neuroglia.mediation.requests import Command, Request, RequestHandler

_log: Final = logging.getLogger("neuroglia.mediation")
_queued: ContextVar[bool] = ContextVar("neuroglia_retry_queued", default=False)


class LogBehavior(PipelineBehavior):
    """One line for each command (info) and query (debug): name, outcome, duration. Never the values in it."""

    stage: ClassVar[Stage] = Stage.TRACE

    @override
    async def handle(self, request: Request[Any], proceed: Proceed) -> Any:
        level = logging.INFO if isinstance(request, Command) else logging.DEBUG
        start = time.perf_counter()
        outcome = "failed"
        try:
            result = await proceed(request)
            outcome = "done"
            return result
        except (DomainError, ApplicationError) as refusal:
            outcome = refusal.code
            raise
        finally:
            if _log.isEnabledFor(level):
                elapsed = round((time.perf_counter() - start) * 1000, 3)
                _log.log(
                    level,
                    "handled",
                    extra={"request": type(request).__name__, "outcome": outcome, "duration_ms": elapsed},
                )


class RetryBehavior(PipelineBehavior):
    """Runs a command again, in a new scope, when somebody else changed the same stream first.

    Only what had no effect is repeated: after an append, a second try would append again. (A command that may come
    twice carries an id, and its repeat finds what it appended.)

    Tries after the first run one at a time per stream: those who lost a race queue up instead of racing on. A
    command that a handler sends while it is in such a queue does not join a second one: two could wait for each
    other for ever.
    """

    stage: ClassVar[Stage] = Stage.RETRY

    def __init__(self, attempts: int = 8) -> None:
        self._attempts = attempts
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @override
    def applies_to(self, request: type[Request[Any]], handler: type[RequestHandler[Any, Any]]) -> bool:
        return issubclass(request, Command)

    @override
    async def handle(self, request: Request[Any], proceed: Proceed) -> Any:
        context = ambient_context()
        if context is None:
            with use_context(RequestContext.new()):
                return await self.handle(request, proceed)
        before = context.reply.event_position

        def had_no_effect(error: BaseException) -> bool:
            return isinstance(error, ConcurrencyError) and context.reply.event_position == before

        try:
            return await proceed(request)
        except ConcurrencyError as conflict:
            if self._attempts <= 1 or not had_no_effect(conflict):
                raise
            lock = self._locks.setdefault(conflict.stream, asyncio.Lock())
        async with nullcontext() if _queued.get() else lock:
            token = _queued.set(True)
            try:  # rivals in other processes remain: hence several tries, with a growing random pause
                return await tenacity.AsyncRetrying(
                    retry=tenacity.retry_if_exception(had_no_effect),
                    stop=tenacity.stop_after_attempt(self._attempts - 1),
                    wait=tenacity.wait_random_exponential(multiplier=0.002, max=0.1),
                    reraise=True,
                )(proceed, request)
            finally:
                _queued.reset(token)


class ValidationBehavior(PipelineBehavior):
    """Checks a request's fields against their annotations, wherever the request came from: no conversions."""

    stage: ClassVar[Stage] = Stage.VALIDATE

    def __init__(self) -> None:
        self._checks: dict[type[Request[Any]], tuple[TypeAdapter[Any], tuple[str, ...]]] = {}

    @override
    def applies_to(self, request: type[Request[Any]], handler: type[RequestHandler[Any, Any]]) -> bool:
        shape: Any = request
        if not dataclasses.is_dataclass(shape):
            return False
        names = tuple(field.name for field in dataclasses.fields(shape))
        self._checks[request] = _fields_adapter(request, names), names
        return True

    @override
    async def handle(self, request: Request[Any], proceed: Proceed) -> Any:
        check, names = self._checks[type(request)]
        try:
            check.validate_python({name: getattr(request, name) for name in names}, strict=True)
        except ValidationError as error:
            raise InvalidRequest(misfits(error)) from None
        return await proceed(request)


def _fields_adapter(request: type[Request[Any]], names: Sequence[str]) -> TypeAdapter[Any]:
    """Checks the fields one by one: a dataclass instance as such would be taken as it is."""
    hints = annotations(request, extras=True)
    shape = {name: hints[name] for name in names}
    fields: Any = TypedDict(request.__name__, shape)  # type: ignore[misc]
    return TypeAdapter(with_config(ConfigDict(arbitrary_types_allowed=True))(fields))  # domain classes: by isinstance
