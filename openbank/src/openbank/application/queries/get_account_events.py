"""An account's audit trail."""

import json
from dataclasses import dataclass

from neuroglia.core import MalformedRequest, NotFoundError, Page
from neuroglia.core.paging import decode_cursor, encode_cursor
from neuroglia.event_sourcing import EventStore, stream_name
from neuroglia.mediation import Query, QueryHandler
from openbank.domain.models.bank_account import BankAccount
from openbank.integration.models.audit import StoredEventDto


@dataclass(frozen=True, slots=True)
class GetAccountEvents(Query[Page[StoredEventDto]]):
    """A page of what was recorded of an account, oldest first."""

    account_id: str
    limit: int
    cursor: str | None


class GetAccountEventsHandler(QueryHandler[GetAccountEvents, Page[StoredEventDto]]):
    def __init__(self, store: EventStore) -> None:
        self.store = store

    async def handle(self, query: GetAccountEvents) -> Page[StoredEventDto]:
        stream = stream_name(BankAccount, query.account_id)
        after = -1
        if query.cursor is not None:
            match decode_cursor([stream], query.cursor, 1):
                case [int() as after]:
                    pass
                case _:
                    raise MalformedRequest("The cursor does not belong to this list.")
        events = [event async for event in self.store.read(stream, after=after, limit=query.limit + 1)]
        if not events and after < 0:
            raise NotFoundError("bank account", query.account_id)
        shown = events[: query.limit]
        return Page(
            items=[
                StoredEventDto(
                    id=event.id,
                    type=event.type,
                    revision=event.revision,
                    recorded_at=event.recorded_at,
                    actor=event.actor,
                    correlation_id=event.correlation_id,
                    causation_id=event.causation_id,
                    data=json.loads(event.data),
                )
                for event in shown
            ],
            next_cursor=encode_cursor([stream], [shown[-1].revision]) if len(events) > query.limit else None,
        )
