"""Declaring document types."""

from dataclasses import dataclass

import pytest
from pydantic import BaseModel

from neuroglia.core import ConfigurationError
from neuroglia.documents import Documents, DocumentStore, DocumentType, Session, document, eq
from neuroglia.documents.adapters.sqlite import SqliteDocumentStore, _select
from neuroglia.documents.types import is_document
from tests.framework.documents.models import THINGS, find


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


async def test_given_indexes_whose_names_run_together_when_preparing_then_all_are_made() -> None:
    class Model(BaseModel):
        id: str
        a: str
        b: str
        a_b: str
        b_c: str
        c: str

    kind = DocumentType(document("models", indexes=[("a", "b_c"), ("a_b", "c"), ("a", "b", "c")])(Model))
    store = SqliteDocumentStore(":memory:")
    await store.open()
    await store.prepare([kind])

    sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'models' AND sql IS NOT NULL"
    count = await store._database.read(lambda connection: connection.execute(sql).fetchone())

    assert count == (3,)
    await store.aclose()


@pytest.mark.parametrize("index", THINGS.indexes, ids=",".join)
@pytest.mark.parametrize("descending", [False, True])
async def test_given_a_find_with_an_index_when_sqlite_plans_it_then_the_index_serves_filter_and_order(
    memory: SqliteDocumentStore, index: tuple[str, ...], descending: bool
) -> None:
    for equal in range(len(index) + 1):
        order = [] if "note" in index[equal:] else index[equal:]
        where = [eq(name, "x") for name in (index if "note" in index else index[:equal])]
        sql, parameters = _select(THINGS, find(*where, order=order, descending=descending))
        rows = await memory._database.read(
            lambda connection, sql=sql, parameters=parameters: connection.execute(
                f"EXPLAIN QUERY PLAN {sql}", parameters
            ).fetchall()
        )
        plan = [row[3] for row in rows]
        assert len(plan) == 1, plan
        assert f"USING INDEX things:{','.join(index)}" in plan[0]
