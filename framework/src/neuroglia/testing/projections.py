"""Given a projection, when events happen, then these documents are shown."""

import sys
from collections.abc import Sequence
from typing import TypeVar

from neuroglia.core import Clock
from neuroglia.documents import DocumentStore, DocumentType, Find, Session
from neuroglia.event_sourcing import Projection
from neuroglia.testing.subscribers import GivenSubscriber

D = TypeVar("D")


class GivenProjection(GivenSubscriber):
    """A projection and the log that it sees."""

    async def then(self, document: object, *others: object) -> None:
        """Of the models of these documents, these are shown and no others, in whatever order."""
        documents = [document, *others]
        for model in {type(document): None for document in documents}:
            expected = [document for document in documents if type(document) is model]
            expected.sort(key=DocumentType(model).key_of)
            shown = await self.shown(model)
            assert shown == expected, f"shown are {shown}, expected {expected}"

    async def shown(self, model: type[D]) -> Sequence[D]:
        """All documents of a model, in the order of their keys."""
        async with self._stage() as services:
            for envelope in self._log:
                await self._handle(services, envelope)
            session = Session(await services.get(DocumentStore))
            return await session.find(DocumentType(model), Find((), (), descending=False, limit=sys.maxsize))


def given_projection(projection: type[Projection], *needs: object, clock: Clock | None = None) -> GivenProjection:
    """A projection that has seen nothing yet.

    Args:
        projection: its `Documents[...]` stand on a store in memory.
        needs: what else its constructor takes, each found by its class or a base of it.
        clock: when events happen; without one, all of them at the same moment.
    """
    return GivenProjection(projection, needs, clock)
