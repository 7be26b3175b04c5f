"""A service's own events are found by the index, in the log's order, however many others' stand between them."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest

from neuroglia.event_sourcing import NO_STREAM
from neuroglia.event_sourcing.adapters.sqlite import SqliteEventStore
from neuroglia.event_sourcing.adapters.sqlite_log import SCHEMA, log_query
from tests.framework.event_sourcing.events import ids, log_of, new_events

BY_INDEX = "SEARCH events USING INDEX events_by_category"


def plan_of(prefixes: Sequence[str], beside: str) -> list[str]:
    sql, parameters = log_query("*", prefixes, beside)  # type: ignore[arg-type]
    with closing(sqlite3.connect(":memory:")) as database:
        database.executescript(SCHEMA)
        return [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {sql}", (7, 500, *parameters))]


@pytest.mark.parametrize("beside", [">", "<="])
@pytest.mark.parametrize("prefixes", [["a-"], ["a-", "b-"], ["a-", "b-", "ü c-", "-"], ["a-", "a-"]])
def test_given_whole_categories_when_asking_for_a_page_then_the_index_serves_each_and_nothing_is_sorted(
    prefixes: list[str], beside: str
) -> None:
    plan = plan_of(prefixes, beside)

    searches = [step for step in plan if "events" in step]
    assert searches == [f"{BY_INDEX} (<expr>=? AND rowid{beside[0]}?)"] * len(set(prefixes))
    assert not [step for step in plan if "TEMP B-TREE" in step]


@pytest.mark.parametrize("prefixes", [[], ["a"], ["a-1"], ["a-", "b"], ["a-b-"], [""]])
def test_given_other_prefixes_when_asking_for_a_page_then_the_log_is_read_in_its_order(prefixes: list[str]) -> None:
    assert plan_of(prefixes, ">") == ["SEARCH events USING INTEGER PRIMARY KEY (rowid>?)"]


@pytest.mark.integration
async def test_given_a_file_from_before_the_index_when_opening_it_then_its_events_are_found(tmp_path: Path) -> None:
    file = tmp_path / "events.db"
    events = new_events(3)
    old = SqliteEventStore(str(file))
    await old.open()
    for name, event in zip(("a-1", "b-1", "a-2"), events, strict=True):
        await old.append(name, [event], NO_STREAM)
    await old.aclose()
    with closing(sqlite3.connect(file)) as database:
        database.execute("DROP INDEX events_by_category")

    store = SqliteEventStore(str(file))
    await store.open()
    found = await log_of(store, -1, "a-")
    everything = await log_of(store, -1, "")
    await store.aclose()

    assert ids(found) == ids([events[0], events[2]])
    assert ids(everything) == ids(events)
    with closing(sqlite3.connect(file)) as database:
        assert database.execute("SELECT 1 FROM sqlite_schema WHERE name = 'events_by_category'").fetchone()
