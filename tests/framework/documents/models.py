"""A document type that has one field of each kind that can be looked for."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel

from neuroglia.core.paging import Scalar
from neuroglia.documents import Condition, DocumentType, Find, StoredDocument, Write, document


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@document(
    "things",
    indexes=[
        "name",
        "rank",
        "colour",
        "active",
        "made_on",
        "note",
        ("owner", "rank"),
        ("owner", "made_at"),
        ("owner", "colour", "rank", "name"),
        ("rank", "name"),
    ],
)
class Thing(BaseModel):
    id: str
    owner: str = "ada"
    name: str = ""
    rank: int = 0
    colour: Colour = Colour.RED
    active: bool = True
    made_at: datetime = datetime(2025, 1, 31, 9, 30, tzinfo=UTC)
    made_on: date = date(2025, 1, 31)
    price: Decimal = Decimal("1.50")
    note: str | None = None


@document("other_things", indexes=["name"])
class OtherThing(BaseModel):
    id: str
    name: str = ""


THINGS = DocumentType(Thing)
OTHERS = DocumentType(OtherThing)


def insert(thing: Thing) -> Write:
    """Stores a thing that is new."""
    return Write("things", thing.id, 0, THINGS.codec.encode(thing))


def find(
    *where: Condition,
    order: Sequence[str] = (),
    descending: bool = False,
    limit: int = 50,
    after: Sequence[Scalar] | None = None,
) -> Find:
    """What to find, with the usual left out."""
    return Find(where, order, descending, limit, after)


def things(stored: Sequence[StoredDocument]) -> list[Thing]:
    """The things in what a store found."""
    return [THINGS.codec.decode(document.body) for document in stored]
