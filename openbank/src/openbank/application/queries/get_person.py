"""One person."""

from dataclasses import dataclass

from neuroglia.documents import Documents
from neuroglia.event_sourcing import reads
from neuroglia.mediation import Query, QueryHandler
from openbank.application.projections.account_projection import AccountProjection
from openbank.integration.models.persons import PersonDto


@dataclass(frozen=True, slots=True)
class GetPerson(Query[PersonDto]):
    """One person."""

    person_id: str


@reads(AccountProjection)
class GetPersonHandler(QueryHandler[GetPerson, PersonDto]):
    def __init__(self, persons: Documents[PersonDto]) -> None:
        self.persons = persons

    async def handle(self, query: GetPerson) -> PersonDto:
        return await self.persons.get(query.person_id)
