"""A document store for tests: plain dicts, which keep the port's whole contract but for durability."""

import asyncio
import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic_core import from_json
from typing_extensions import override

from neuroglia.core.errors import ConcurrencyError, Unavailable
from neuroglia.core.paging import Scalar
from neuroglia.documents.conditions import OPERATORS
from neuroglia.documents.store import DocumentStore, Find, StoredDocument, Write, refuse_nul
from neuroglia.documents.types import DocumentType


class InMemoryDocumentStore(DocumentStore):
    """Keeps its documents for as long as the object lives, so a service can be stopped and started on it again.

    Documents are kept as bytes: nobody shares an object with the store. Every call lets other tasks run before it
    takes effect, as a real store does while one waits for it: what races in production can race in a test.
    """

    def __init__(self) -> None:
        self._collections: dict[str, dict[str, StoredDocument]] = {}
        self._compared: dict[str, frozenset[str]] = {}
        self._is_open = False

    @override
    async def open(self) -> None:
        self._is_open = True

    @override
    async def aclose(self) -> None:
        self._is_open = False

    @override
    async def ping(self) -> None:
        if not self._is_open:
            raise Unavailable("the document store is closed")
        await asyncio.sleep(0)

    @override
    async def prepare(self, types: Sequence[DocumentType[Any]]) -> None:
        await self.ping()
        for kind in types:
            self._collections.setdefault(kind.collection, {})
            self._compared[kind.collection] = frozenset(itertools.chain(*kind.indexes))

    @override
    async def drop(self, types: Sequence[DocumentType[Any]]) -> None:
        await self.ping()
        for kind in types:
            self._collections.pop(kind.collection, None)

    @override
    async def get(self, collection: str, key: str) -> StoredDocument | None:
        await self.ping()
        return self._documents(collection).get(key)

    @override
    async def find(self, kind: DocumentType[Any], find: Find) -> Sequence[StoredDocument]:
        await self.ping()
        kind.index_for(find.where, find.order)  # refuses what no index serves
        found: list[tuple[tuple[object, ...], StoredDocument]] = []
        for document in self._documents(kind.collection).values():
            fields: Mapping[str, Scalar] = from_json(document.body)
            place = _place(*map(fields.get, find.order), document.key)
            if _meets(fields, place, find):
                found.append((place, document))
        found.sort(key=lambda one: one[0], reverse=find.descending)
        return [document for _, document in found[: find.limit]]

    @override
    async def commit(self, writes: Sequence[Write]) -> None:
        refuse_nul(writes, self._compared)  # as the embedded store does, so that a test hears of it
        await self.ping()
        changed = {write.collection: dict(self._documents(write.collection)) for write in writes}
        for write in writes:
            documents = changed[write.collection]
            known = documents.pop(write.key, None)
            version = known.version if known else 0
            if version != write.expected or (known is None and write.body is None):
                raise ConcurrencyError(f"{write.collection}/{write.key}", write.expected, version)
            if write.body is not None:
                documents[write.key] = StoredDocument(write.key, version + 1, write.body)
        self._collections |= changed

    def _documents(self, collection: str) -> dict[str, StoredDocument]:
        if collection not in self._collections:
            raise Unavailable(f"the collection '{collection}' was never prepared")
        return self._collections[collection]


def _meets(fields: Mapping[str, Scalar], place: tuple[object, ...], find: Find) -> bool:
    for condition in find.where:
        value = fields.get(condition.field)
        if value is None or not OPERATORS[condition.operator](_place(value), _place(condition.value)):
            return False
    if find.after is None:
        return True
    return OPERATORS["<" if find.descending else ">"](place, _place(*find.after))


def _place(*values: Scalar) -> tuple[object, ...]:
    """What to compare by, as stores do: nothing stands before all numbers, and numbers before all texts."""
    return tuple((0 if value is None else 2 if isinstance(value, str) else 1, value) for value in values)
