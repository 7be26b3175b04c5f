"""The embedded store goes straight to what a find wants, however deep it lies: SQLite is asked how it would."""

import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import BaseModel

from neuroglia.documents import DocumentType, Find, document, eq
from neuroglia.documents.adapters.sqlite import SqliteDocumentStore, _select
from tests.framework.documents.models import THINGS, find


@document("lines", indexes=[("account", "at")])
class Line(BaseModel):
    id: str
    account: str
    at: int


@pytest.fixture
async def sqlite() -> AsyncIterator[SqliteDocumentStore]:
    store = SqliteDocumentStore(":memory:")
    await store.open()
    await store.prepare([THINGS])
    yield store
    await store.aclose()


@pytest.mark.parametrize(("descending", "bound"), [(True, "<"), (False, ">")])
async def test_given_a_cursor_when_finding_then_the_index_is_searched_from_there(
    tmp_path: Path, descending: bool, bound: str
) -> None:
    kind = DocumentType(Line)
    store = SqliteDocumentStore(str(tmp_path / "documents.db"))
    await store.open()
    await store.prepare([kind])
    await store.aclose()
    sql, parameters = _select(kind, Find([eq("account", "a")], ["at"], descending, 50, (7, "x")))

    with sqlite3.connect(tmp_path / "documents.db") as database:
        plan = " ".join(row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", parameters))
    database.close()

    assert f"USING INDEX lines:account,at (<expr>=? AND <expr>{bound}?)" in plan
    assert "TEMP B-TREE" not in plan


async def test_given_indexes_whose_names_run_together_when_preparing_then_all_are_made(
    sqlite: SqliteDocumentStore,
) -> None:
    class Model(BaseModel):
        id: str
        a: str
        b: str
        a_b: str
        b_c: str
        c: str

    kind = DocumentType(document("models", indexes=[("a", "b_c"), ("a_b", "c"), ("a", "b", "c")])(Model))
    await sqlite.prepare([kind])

    sql = "SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'models' AND sql IS NOT NULL"
    count = await sqlite._database.read(lambda connection: connection.execute(sql).fetchone())

    assert count == (3,)


@pytest.mark.parametrize("index", THINGS.indexes, ids=",".join)
@pytest.mark.parametrize("descending", [False, True])
async def test_given_a_find_with_an_index_when_sqlite_plans_it_then_the_index_serves_filter_and_order(
    sqlite: SqliteDocumentStore, index: tuple[str, ...], descending: bool
) -> None:
    for equal in range(len(index) + 1):
        order = [] if "note" in index[equal:] else index[equal:]
        where = [eq(name, "x") for name in (index if "note" in index else index[:equal])]
        sql, parameters = _select(THINGS, find(*where, order=order, descending=descending))
        rows = await sqlite._database.read(
            lambda connection, sql=sql, parameters=parameters: connection.execute(
                f"EXPLAIN QUERY PLAN {sql}", parameters
            ).fetchall()
        )
        plan = [row[3] for row in rows]
        assert len(plan) == 1, plan
        assert f"USING INDEX things:{','.join(index)}" in plan[0]
