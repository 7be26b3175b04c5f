"""Declaring document types."""

from dataclasses import dataclass
from types import ModuleType

import pytest
from pydantic import BaseModel

from neuroglia.core import ConfigurationError
from neuroglia.documents import Documents, DocumentStore, DocumentType, Session, document, eq, keep
from neuroglia.documents.types import document_types, is_document


@document("notes", key="title", indexes=["text"])
@dataclass
class Note:
    title: str
    text: str
    number: int | None = None


async def test_given_a_dataclass_with_a_key_of_its_own_when_storing_then_it_comes_back(memory: DocumentStore) -> None:
    kind = DocumentType(Note)
    await memory.prepare([kind])
    session = Session(memory)
    await Documents(kind, session).save(Note("a", "x", 1))
    await session.commit()

    page = await Documents(kind, Session(memory)).find(eq("text", "x"))

    assert page.items == [Note("a", "x", 1)]
    assert await Documents(kind, Session(memory)).get("a") == Note("a", "x", 1)


def test_given_no_declaration_when_reading_it_then_it_is_refused_with_the_remedy() -> None:
    class Plain(BaseModel):
        id: str

    class Inherited(Note):
        pass

    for model in (Plain, Inherited):
        assert not is_document(model)
        with pytest.raises(ConfigurationError, match=rf"{model.__name__}: is no document; write @document"):
            DocumentType(model)


def test_given_a_field_that_does_not_exist_when_reading_then_it_is_refused() -> None:
    class Model(BaseModel):
        id: str

    with pytest.raises(ConfigurationError, match="Model: @document names 'size', which is no field of it"):
        DocumentType(document("models", indexes=[("id", "size")])(Model))
    with pytest.raises(ConfigurationError, match="'number', which is no field"):
        DocumentType(document("models", key="number")(Model))


@pytest.mark.parametrize("name", ["", "Things", 'x"; DROP TABLE y', "a-b", "1a", "a" * 64, "ü"])
def test_given_a_strange_collection_name_when_reading_then_it_is_refused(name: str) -> None:
    class Model(BaseModel):
        id: str

    with pytest.raises(ConfigurationError, match="is no collection name"):
        DocumentType(document(name)(Model))


@dataclass
class Pure:
    """A class of a domain, which knows nothing of stores."""

    name: str
    count: int = 0


def module_with(**members: object) -> ModuleType:
    module = ModuleType("kept")
    vars(module).update(members)
    return module


def test_given_a_declaration_beside_its_class_then_it_is_found_like_one_on_it() -> None:
    module = module_with(PURE=keep(Pure, "pures", key="name", indexes=["count", ("count", "name")]))

    (kind,) = document_types([module])

    assert (kind.model, kind.collection, kind.key) == (Pure, "pures", "name")
    assert kind.indexes == (("count",), ("count", "name"))
    assert kind.codec.decode(kind.codec.encode(Pure("a", 1))) == Pure("a", 1)
    assert not is_document(Pure)


def test_given_a_declaration_that_names_no_field_then_it_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="'id', which is no field"):
        document_types([module_with(PURE=keep(Pure, "pures"))])
