"""The part of the pipeline that lets a command with a key take effect once."""

import hashlib
import itertools
import json
from collections.abc import Sequence
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, ClassVar, Final

from pydantic import PydanticUserError
from typing_extensions import override

from neuroglia.core.codec import JsonCodec
from neuroglia.core.context import RequestContext, ambient_context, use_context
from neuroglia.core.errors import ConcurrencyError, ConfigurationError, Unavailable
from neuroglia.core.generics import arguments, name_of
from neuroglia.core.ids import derived_id
from neuroglia.core.lifecycle import UnitOfWork
from neuroglia.documents import Documents
from neuroglia.domain import DomainError, RuleViolation, StateConflict
from neuroglia.idempotency.records import IdempotencyRecord, IdempotencyRecords
from neuroglia.mediation import Command, PipelineBehavior, Proceed, Request, RequestHandler, Stage
from neuroglia.mediation.mediator import begun

_FAMILIES: Final[Sequence[type[DomainError]]] = (RuleViolation, StateConflict, DomainError)
_in_hand: ContextVar[tuple[IdempotencyRecord, JsonCodec[Any]] | None] = ContextVar("neuroglia_in_hand", default=None)
"""The record of the command that this task has in hand, and how its result is written."""


class Outcome(UnitOfWork):
    """Writes down how a command with a key ended, in the transaction of what it has changed.

    Attributes:
        sent: numbers the commands that the handler sends, at each try from one on.
    """

    def __init__(self, records: Documents[IdempotencyRecord], context: RequestContext) -> None:
        self.sent = itertools.count(1)
        self._records = records
        self._context = context

    @override
    async def commit(self) -> None:
        in_hand = _in_hand.get()
        if in_hand is None or in_hand[0].id != self._context.command_id:
            return
        (record, results), reply = in_hand, self._context.reply
        held = await self._records.get(record.id)
        if held.owner != record.owner:
            raise ConcurrencyError(record.stream, 0, 0)
        held.done, held.event_position = True, reply.event_position
        held.result = results.encode(reply.result).decode()
        await self._records.save(held)


class IdempotencyBehavior(PipelineBehavior):
    """Gives a command whose request has a key an id, and remembers how it ended.

    What the domain answers is remembered for a day, results and refusals. What failed in any other way is begun again
    when the key comes again. The commands that a handler sends, or a reaction to an event, get ids that derive from
    its own: two of them may change one stream.
    """

    stage: ClassVar[Stage] = Stage.IDEMPOTENCY

    def __init__(self, records: IdempotencyRecords) -> None:
        self._records = records
        self._codecs: dict[type[Request[Any]], tuple[JsonCodec[Any], JsonCodec[Any]]] = {}

    @override
    def applies_to(self, request: type[Request[Any]], handler: type[RequestHandler[Any, Any]]) -> bool:
        if not issubclass(request, Command):
            return False
        (result,) = arguments(request, Request) or (None,)
        self._codecs[request] = _codec(request, request), _codec(request, result)
        return True

    @override
    async def handle(self, request: Request[Any], proceed: Proceed) -> Any:
        context = ambient_context()
        if context is not None and context.idempotency_key is not None:
            return await self._once(
                request, proceed, context, derived_id(context.principal.id, context.idempotency_key)
            )
        if context is None or context.command_id is None:
            return await proceed(request)
        sent = next((unit.sent for unit in begun.get() if isinstance(unit, Outcome)), context.reply.sent)
        with use_context(replace(context, command_id=derived_id(context.command_id, "sent", next(sent)))):
            return await proceed(request)

    async def _once(self, request: Request[Any], proceed: Proceed, context: RequestContext, id: str) -> Any:
        values, results = self._codecs[type(request)]
        digest = _digest(request, values)
        while not (record := await self._records.begin(id, digest)).done:
            token = _in_hand.set((record, results))
            try:
                with use_context(replace(context, command_id=id, since=record.since, idempotency_key=None)):
                    return await proceed(request)
            except DomainError as refusal:
                family = next(kind.__name__ for kind in type(refusal).__mro__ if kind in _FAMILIES)
                await self._records.end(record, (family, refusal.code, refusal.detail))
                raise
            except BaseException as error:  # a cancellation, too
                if getattr(error, "stream", None) == record.stream:
                    continue  # we took so long that a twin has taken over: its answer counts
                with suppress(Unavailable):
                    await self._records.end(record)
                raise
            finally:
                _in_hand.reset(token)
        context.reply.event_position = record.event_position
        if record.refusal is None:
            return results.decode(record.result)
        name, code, detail = record.refusal
        told: Any = type(name, tuple(kind for kind in _FAMILIES if kind.__name__ == name), {"code": code})
        raise told(detail)


def _codec(request: type[Request[Any]], form: Any) -> JsonCodec[Any]:
    try:
        return JsonCodec(form)
    except PydanticUserError:
        raise ConfigurationError(
            f"{request.__name__}: {name_of(form)} cannot be kept for an Idempotency-Key; "
            f"make commands and their results of dataclasses, pydantic models and plain values"
        ) from None


def _digest(request: Request[Any], values: JsonCodec[Any]) -> str:
    """Of the command's type and values, however the fields of a mapping among them are ordered."""
    canonical = json.dumps([type(request).__qualname__, json.loads(values.encode(request))], sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
