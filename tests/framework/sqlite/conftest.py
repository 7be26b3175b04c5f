"""An open database with one table."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from neuroglia.sqlite import Database

SCHEMA = "CREATE TABLE IF NOT EXISTS notes (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "notes.db"


@pytest.fixture
async def database(file: Path) -> AsyncIterator[Database]:
    database = Database(str(file))
    await database.open(SCHEMA)
    yield database
    await database.aclose()
