"""The document store port: versioned JSON documents in collections, changed together or not at all."""

from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from pydantic_core import from_json

from neuroglia.core.lifecycle import BackingService
from neuroglia.core.paging import Scalar
from neuroglia.documents.conditions import Condition
from neuroglia.documents.types import DocumentType

_NUL: Final = rb"\u0000"
"""How JSON writes it."""


class StoredDocument(NamedTuple):
    """A document as the store holds it. `version` counts its writes from 1."""

    key: str
    version: int
    body: bytes


class Write(NamedTuple):
    """One change. `expected` is the version that it replaces, 0 for a new document; no `body` deletes."""

    collection: str
    key: str
    expected: int
    body: bytes | None


@dataclass(frozen=True, slots=True)
class Find:
    """What to find, in which order, and where to go on.

    Documents are ordered by the fields of `order`, then by key; `descending` turns all of it round. `after` holds
    the order fields' values and the key of the last document of the page before.
    """

    where: Sequence[Condition]
    order: Sequence[str]
    descending: bool
    limit: int
    after: Sequence[Scalar] | None = None


class DocumentStore(BackingService):
    """Durable collections of documents."""

    name = "document_store"

    @abstractmethod
    async def prepare(self, types: Sequence[DocumentType[Any]]) -> None:
        """Makes the collections and indexes that are not there yet."""

    @abstractmethod
    async def drop(self, types: Sequence[DocumentType[Any]]) -> None:
        """Removes collections with all that is in them; nothing happens where there is none."""

    @abstractmethod
    async def get(self, collection: str, key: str) -> StoredDocument | None:
        """The document with this key."""

    @abstractmethod
    async def find(self, kind: DocumentType[Any], find: Find) -> Sequence[StoredDocument]:
        """The documents that meet all conditions.

        Raises:
            ConfigurationError: no declared index serves it.
        """

    @abstractmethod
    async def commit(self, writes: Sequence[Write]) -> None:
        """Does all the writes, durably, or none.

        Raises:
            ConcurrencyError: a document is not at its expected version.
        """


def refuse_nul(writes: Sequence[Write], compared: Mapping[str, Collection[str]]) -> None:
    """For stores where a text ends at NUL when it is compared, and would be found as another.

    Raises:
        ValueError: a text holds NUL in one of the fields of its collection that are compared.
    """
    for write in writes:
        if write.body is not None and _NUL in write.body:
            for name, value in from_json(write.body).items():
                if name in compared.get(write.collection, ()) and "\0" in str(value):
                    raise ValueError(f"{write.collection}: {name} is indexed, so it cannot hold NUL")
