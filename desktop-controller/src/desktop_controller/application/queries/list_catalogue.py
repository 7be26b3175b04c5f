"""What may be run."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from desktop_controller.integration.models.commands import CatalogueEntryDto
from desktop_controller.integration.ports import Catalogue
from neuroglia.mediation import Query, QueryHandler


@dataclass(frozen=True, slots=True)
class ListCatalogue(Query[Sequence[CatalogueEntryDto]]):
    """All allowed commands, in the order of their names."""


class ListCatalogueHandler(QueryHandler[ListCatalogue, Sequence[CatalogueEntryDto]]):
    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    async def handle(self, _: ListCatalogue) -> Sequence[CatalogueEntryDto]:
        return [CatalogueEntryDto(**asdict(entry)) for entry in self.catalogue.entries()]
