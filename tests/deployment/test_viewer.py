"""The viewer of CloudEvents, as a process: what it takes, what it keeps, and that it shows text as text."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from deployment.processes import serving

pytestmark = pytest.mark.integration
STRUCTURED = {"content-type": "application/cloudevents+json"}
MOST, MOST_BYTES, MOST_BODY = 5, 4000, 2000


def event(id: str, **more: Any) -> dict[str, Any]:
    return {"specversion": "1.0", "id": id, "source": "/tests", "type": "tests.told.v1", **more}


@pytest.fixture
def viewer(tmp_path: Path) -> Iterator[httpx.Client]:
    bounds = {
        "VIEWER_EVENTS": str(MOST), "VIEWER_KEPT_BYTES": str(MOST_BYTES), "VIEWER_MAX_BODY_BYTES": str(MOST_BODY),
        "VIEWER_WATCHERS": "2", "PYTHONPATH": str(Path(__file__).parents[2]),
    }  # fmt: skip
    with serving("deployment.viewer", tmp_path, **bounds) as process, httpx.Client(base_url=process.url) as client:
        yield client


def tell(viewer: httpx.Client, *ids: str, **more: Any) -> None:
    for id in ids:
        assert viewer.post("/", content=json.dumps(event(id, **more)), headers=STRUCTURED).status_code == 204


def known(viewer: httpx.Client, **of: str) -> list[str]:
    return [one["id"] for one in viewer.get("/events", params=of).json()]


def test_it_takes_events_in_each_mode(viewer: httpx.Client) -> None:
    tell(viewer, "1", subject="a", data={"amount": "1.00"})
    batch = json.dumps([event("2", subject="b"), event("3", type="tests.other.v1")])
    batched = {"content-type": "application/cloudevents-batch+json"}
    assert viewer.post("/", content=batch, headers=batched).status_code == 204
    binary = {"ce-specversion": "1.0", "ce-id": "4", "ce-source": "/tests", "ce-type": "tests.told.v1"}
    assert viewer.post("/", json={"amount": "4.00"}, headers=binary).status_code == 204

    first, *_, last = viewer.get("/events").json()

    assert known(viewer) == ["1", "2", "3", "4"]
    assert (first["subject"], first["data"], last["data"]) == ("a", {"amount": "1.00"}, {"amount": "4.00"})
    assert known(viewer, subject="b") == ["2"]
    assert known(viewer, type="tests.told.v1", limit="2") == ["2", "4"]


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"{", STRUCTURED, 400),
        (b'{"specversion": "1.0"}', STRUCTURED, 400),
        (b"{}", {"content-type": "application/json"}, 415),
        (b'"' + b"x" * MOST_BODY + b'"', STRUCTURED, 413),
    ],
)
def test_what_is_no_event_is_refused(
    viewer: httpx.Client, content: bytes, headers: dict[str, str], status: int
) -> None:
    assert viewer.post("/", content=content, headers=headers).status_code == status
    assert known(viewer) == []


def test_it_keeps_the_newest_and_no_more_than_it_may(viewer: httpx.Client) -> None:
    tell(viewer, *map(str, range(MOST + 3)))
    assert known(viewer) == [str(number) for number in range(3, MOST + 3)]

    tell(viewer, "large-1", "large-2", "large-3", data="x" * (MOST_BYTES // 3))

    assert known(viewer) == ["large-2", "large-3"]


def test_who_watches_sees_what_comes_and_after_a_break_what_was_missed(viewer: httpx.Client) -> None:
    tell(viewer, "1", data="two\nlines")
    with viewer.stream("GET", "/events/live") as live:
        lines = live.iter_lines()
        seen = [line for line, _ in zip(lines, range(4), strict=False)]
        assert seen[2] == "id: 1"
        assert json.loads(seen[3].removeprefix("data: "))["data"] == "two\nlines"
        tell(viewer, "2")
        assert next(line for line in lines if line.startswith("id: ")) == "id: 2"
    tell(viewer, "3")
    with viewer.stream("GET", "/events/live", headers={"last-event-id": "2"}) as live:
        assert next(line for line in live.iter_lines() if line.startswith("id: ")) == "id: 3"
    with viewer.stream("GET", "/events/live", headers={"last-event-id": "999"}) as live:  # of a process before
        assert next(line for line in live.iter_lines() if line.startswith("id: ")) == "id: 1"


def test_a_page_whose_name_leads_here_sees_nothing(viewer: httpx.Client) -> None:
    tell(viewer, "1")

    assert viewer.get("/events", headers={"host": "evil.example"}).status_code == 400
    assert viewer.get("/events", headers={"host": "viewer:8084"}).status_code == 200


def test_too_many_pages_are_sent_away(viewer: httpx.Client) -> None:
    with ExitStack() as open_pages:
        pages = [open_pages.enter_context(viewer.stream("GET", "/events/live")).iter_lines() for _ in range(2)]
        assert [next(page) for page in pages] == [": here", ": here"]
        assert viewer.get("/events/live").status_code == 503


def test_the_page_puts_nothing_into_its_markup_and_runs_nothing_but_itself(viewer: httpx.Client) -> None:
    tell(viewer, "<script>alert(1)</script>", subject="<img src=x onerror=alert(1)>")

    page, script = viewer.get("/"), viewer.get("/viewer.js")

    assert (page.status_code, script.status_code, viewer.get("/viewer.css").status_code) == (200, 200, 200)
    assert page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert "alert" not in page.text
    assert "textContent" in script.text
    for way in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("):
        assert way not in script.text
    assert viewer.get("/events").headers["content-type"] == "application/json"
    assert viewer.get("/events").headers["x-content-type-options"] == "nosniff"
    assert viewer.options("/").status_code == 200
