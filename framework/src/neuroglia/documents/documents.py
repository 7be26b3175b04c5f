"""The repository of one document type."""

from collections.abc import Sequence
from typing import Generic, TypeVar

from typing_extensions import override

from neuroglia.core.errors import ConfigurationError, NotFoundError
from neuroglia.core.generics import words
from neuroglia.core.paging import DEFAULT_LIMIT, Page, decode_cursor, encode_cursor
from neuroglia.documents.conditions import Condition
from neuroglia.documents.session import Session, sort_key
from neuroglia.documents.store import Find
from neuroglia.documents.types import DocumentType
from neuroglia.domain import Envelope, Repository

D = TypeVar("D")


class Documents(Repository[D], Generic[D]):
    """The documents of one type, as the session of this message sees them."""

    def __init__(self, kind: DocumentType[D], session: Session) -> None:
        self._kind = kind
        self._session = session

    @override
    async def get(self, id: str) -> D:
        found = await self.lookup(id)
        if found is None:
            raise NotFoundError(words(self._kind.model), id)
        return found

    async def lookup(self, id: str) -> D | None:
        """The document with this id, if there is one."""
        return await self._session.get(self._kind, id)

    @override
    async def save(self, aggregate: D) -> Sequence[Envelope]:
        self._session.save(self._kind, aggregate)
        return []

    async def delete(self, id: str) -> None:
        """Removes a document; nothing happens when there is none."""
        await self._session.delete(self._kind, id)

    async def find(
        self,
        *where: Condition,
        order: str | Sequence[str] = (),
        limit: int = DEFAULT_LIMIT,
        cursor: str | None = None,
    ) -> Page[D]:
        """A page of the documents that meet all conditions.

        Args:
            where: comparisons; those for equality and the order must be served by a declared index.
            order: the field or fields to order by; a leading "-" on the first turns the whole order round.
            limit: at most so many.
            cursor: where the page before ended.

        Raises:
            MalformedRequest: the cursor does not belong to this find.
            ConfigurationError: no index serves it, or the order is half turned round.
        """
        fields = [order] if isinstance(order, str) else list(order)
        descending = bool(fields) and fields[0].startswith("-")
        names = [name.removeprefix("-") for name in fields]
        if not descending and any(name.startswith("-") for name in fields):
            raise ConfigurationError(f"{self._kind.model.__name__}: turn all of the order {fields} round, or none")
        query = (self._kind.collection, where, names, descending)
        after = None if cursor is None else decode_cursor(query, cursor, len(names) + 1)
        find = Find(where, names, descending, limit + 1, after)
        found = await self._session.find(self._kind, find)
        more = encode_cursor(query, sort_key(self._kind, find, found[limit - 1])) if len(found) > limit else None
        return Page(items=list(found[:limit]), next_cursor=more)
