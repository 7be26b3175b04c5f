"""The embedded store goes straight to a page, however deep it lies: SQLite is asked how it would."""

import sqlite3
from pathlib import Path

import pytest
from pydantic import BaseModel

from neuroglia.documents import DocumentType, Find, document, eq
from neuroglia.documents.adapters.sqlite import SqliteDocumentStore, _select


@document("lines", indexes=[("account", "at")])
class Line(BaseModel):
    id: str
    account: str
    at: int


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
