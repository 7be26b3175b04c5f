"""All persons, in the order of their registration."""

from dataclasses import dataclass

from neuroglia.core import Page
from neuroglia.documents import Documents
from neuroglia.event_sourcing import reads
from neuroglia.mediation import Query, QueryHandler
from openbank.application.projections.account_projection import AccountProjection
from openbank.integration.models.persons import PersonDto


@dataclass(frozen=True, slots=True)
class ListPersons(Query[Page[PersonDto]]):
    """A page of all persons, in the order of their registration; or `only` one of them."""

    limit: int
    cursor: str | None
    only: str | None = None


@reads(AccountProjection)
class ListPersonsHandler(QueryHandler[ListPersons, Page[PersonDto]]):
    def __init__(self, persons: Documents[PersonDto]) -> None:
        self.persons = persons

    async def handle(self, query: ListPersons) -> Page[PersonDto]:
        if query.only is not None:
            one = await self.persons.lookup(query.only)
            return Page(items=[] if one is None else [one])
        return await self.persons.find(order="registered_at", limit=query.limit, cursor=query.cursor)
