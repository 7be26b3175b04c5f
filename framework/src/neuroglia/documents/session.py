"""The session: each document once, writes collected, one commit."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from typing_extensions import override

from neuroglia.core.errors import ConcurrencyError
from neuroglia.core.lifecycle import UnitOfWork
from neuroglia.documents.conditions import OPERATORS, Condition, stored_form
from neuroglia.documents.generations import Generations
from neuroglia.documents.store import DocumentStore, Find, StoredDocument, Write
from neuroglia.documents.types import DocumentType

D = TypeVar("D")
_ABSENT: Final = 0
_AT_A_STRETCH: Final = 500
"""After so many documents are encoded the loop's other tasks get their turn: a rebuild commits thousands at once."""


@dataclass(slots=True)
class _Entry:
    kind: DocumentType[Any]
    version: int
    document: Any
    """None: it does not exist, or is to be deleted."""
    staged: bool = False


class Session(UnitOfWork):
    """What one message reads and changes. Reading a document twice gives the same object; nothing is written
    before `commit`, and finds see what is staged.

    Of read models it sees one generation from its beginning to its end, whatever is swapped meanwhile.
    """

    def __init__(self, store: DocumentStore, generations: Generations | None = None) -> None:
        self.store = store
        self._types: Mapping[str, DocumentType[Any]] = {} if generations is None else generations.live
        self._entries: dict[tuple[str, str], _Entry] = {}

    def use(self, types: Mapping[str, DocumentType[Any]]) -> None:
        """Lets documents of these collections stand elsewhere: in the generation that is being built."""
        self._types = types

    async def get(self, kind: DocumentType[D], key: str) -> D | None:
        """The document with this key, as this session sees it."""
        kind = self._types.get(kind.collection, kind)
        entry = self._entries.get((kind.collection, key))
        if entry is None:
            entry = self._remember(kind, key, await self.store.get(kind.collection, key))
        return cast("D | None", entry.document)

    async def find(self, kind: DocumentType[D], find: Find) -> Sequence[D]:
        """The documents that meet the conditions, as this session sees them."""
        kind = self._types.get(kind.collection, kind)
        entries = [entry for (collection, _), entry in self._entries.items() if collection == kind.collection]
        staged = [entry for entry in entries if entry.staged]
        wider = Find(find.where, find.order, find.descending, find.limit + len(staged), find.after)
        seen = [self._see(kind, stored) for stored in await self.store.find(kind, wider)]
        found = [document for document in seen if document is not None]
        if not staged:
            return found
        changed = [entry.document for entry in staged if entry.document is not None]
        unique = {kind.key_of(document): document for document in [*found, *changed]}
        visible = [document for document in unique.values() if self._matches(kind, document, find)]
        visible.sort(key=lambda document: sort_key(kind, find, document), reverse=find.descending)
        return visible[: find.limit]

    def save(self, kind: DocumentType[D], document: D) -> None:
        """Stages a document. One that was not read in this session must not exist yet."""
        kind = self._types.get(kind.collection, kind)
        key = (kind.collection, kind.key_of(document))
        entry = self._entries.setdefault(key, _Entry(kind, _ABSENT, document))
        entry.document, entry.staged = document, True

    async def delete(self, kind: DocumentType[D], key: str) -> None:
        """Stages the removal of a document; nothing happens when there is none."""
        kind = self._types.get(kind.collection, kind)
        if await self.get(kind, key) is not None:
            entry = self._entries[kind.collection, key]
            entry.document, entry.staged = None, True

    def include(self, other: "Session", kind: DocumentType[Any], key: str) -> None:
        """Commits what another session has read and staged of a document before all that is its own."""
        place = kind.collection, key
        self._entries = {place: other._entries[place], **self._entries}  # noqa: SLF001 - one of us

    def forget(self, kind: DocumentType[Any], key: str) -> None:
        """Reads a document anew when it is asked for again."""
        self._entries.pop((kind.collection, key), None)

    @property
    def is_changed(self) -> bool:
        """Whether anything is staged."""
        return any(entry.staged for entry in self._entries.values())

    @override
    async def commit(self) -> None:
        """Writes all that is staged, or nothing.

        Raises:
            ConcurrencyError: one of the documents was changed by somebody else since it was read.
        """
        staged = {key: entry for key, entry in self._entries.items() if entry.staged}
        writes: list[Write] = []
        for number, ((collection, key), entry) in enumerate(staged.items(), 1):
            if entry.document is not None or entry.version != _ABSENT:
                writes.append(Write(collection, key, entry.version, _body(entry)))
            if number % _AT_A_STRETCH == 0:
                await asyncio.sleep(0)
        if writes:
            await self.store.commit(writes)
        for entry in staged.values():
            entry.version = entry.version + 1 if entry.document is not None else _ABSENT
            entry.staged = False

    def _remember(self, kind: DocumentType[Any], key: str, stored: StoredDocument | None) -> _Entry:
        version, document = (_ABSENT, None) if stored is None else (stored.version, kind.codec.decode(stored.body))
        return self._entries.setdefault((kind.collection, key), _Entry(kind, version, document))

    def _see(self, kind: DocumentType[D], stored: StoredDocument) -> D | None:
        entry = self._entries.get((kind.collection, stored.key)) or self._remember(kind, stored.key, stored)
        if entry.document is None and not entry.staged:  # it appeared after this session found it missing
            raise ConcurrencyError(f"{kind.collection}/{stored.key}", entry.version, stored.version)
        return cast("D | None", entry.document)

    def _matches(self, kind: DocumentType[D], document: D, find: Find) -> bool:
        for condition in find.where:
            value = stored_form(getattr(document, condition.field))
            if value is None or not OPERATORS[condition.operator](value, condition.value):
                return False
        if find.after is None:
            return True
        key, after = sort_key(kind, find, document), tuple(find.after)
        return key < after if find.descending else key > after


async def sweep(store: DocumentStore, kind: DocumentType[Any], *where: Condition, most: int) -> bool:
    """Removes the first documents that meet these conditions, the last of which says how old they are. Returns whether
    there were any. Whoever meets another one at it leaves them to that."""
    session = Session(store)
    found = await session.find(kind, Find(where, [where[-1].field], descending=False, limit=most))
    for old in found:
        await session.delete(kind, kind.key_of(old))
    with suppress(ConcurrencyError):
        await session.commit()
    return bool(found)


def _body(entry: _Entry) -> bytes | None:
    return None if entry.document is None else entry.kind.codec.encode(entry.document)


def sort_key(kind: DocumentType[D], find: Find, document: D) -> tuple[Any, ...]:
    """What a find orders a document by: the order fields, then the key."""
    return (*(stored_form(getattr(document, name)) for name in find.order), kind.key_of(document))
