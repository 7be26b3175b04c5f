"""The middleware: every request has its own context, a limited body, and one line in the log."""

import asyncio
import logging

import pytest
from fastapi import Request
from starlette.types import Message, Receive, Scope, Send

from neuroglia.core import current_context
from neuroglia.hosting import ServiceSettings
from neuroglia.mvc import ControllerBase, RequestMiddleware, get, post
from neuroglia.testing.tokens import Tokens, scopes_of
from tests.framework.mvc.serving import application, serving

LIMIT = 100


class EchoController(ControllerBase):
    @get(scopes=["r"])
    async def context(self) -> str:
        return current_context().correlation_id

    @post(scopes=["w"])
    async def length(self, request: Request) -> int:
        return len(await request.body())

    @get("/position", scopes=["r"])
    async def position(self) -> int | None:
        return current_context().wait_for_position


async def test_each_request_has_a_correlation_id() -> None:
    async with serving(EchoController) as http:
        given = await http.get("/echo", headers={"X-Correlation-ID": "mine"})
        made = [await http.get("/echo") for _ in range(3)]

    assert (given.json(), given.headers["x-correlation-id"]) == ("mine", "mine")
    assert len({answer.json() for answer in made}) == 3
    assert all(answer.json() == answer.headers["x-correlation-id"] for answer in made)


async def test_requests_at_the_same_time_do_not_mix() -> None:
    together = asyncio.Barrier(5)

    class MeetingController(ControllerBase):
        @get(scopes=["r"])
        async def meet(self) -> str:
            await together.wait()
            return current_context().correlation_id

    async with serving(MeetingController) as http:
        answers = await asyncio.gather(
            *(http.get("/meeting", headers={"X-Correlation-ID": f"c-{number}"}) for number in range(5))
        )

    assert [answer.json() for answer in answers] == [f"c-{number}" for number in range(5)]
    assert [answer.headers["x-correlation-id"] for answer in answers] == [f"c-{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("header", "position"), [("0", 0), ("17", 17), ("9" * 19, int("9" * 19)), (None, None)], ids=str
)
async def test_a_position_to_wait_for_is_in_the_context(header: str | None, position: int | None) -> None:
    async with serving(EchoController) as http:
        answer = await http.get("/echo/position", headers={} if header is None else {"X-Wait-For-Position": header})

    assert answer.json() == position


@pytest.mark.parametrize(
    ("method", "header"),
    [
        ("GET", {"X-Wait-For-Position": "-1"}),
        ("GET", {"X-Wait-For-Position": ""}),
        ("GET", {"X-Wait-For-Position": "1" * 20}),
        ("POST", {"Idempotency-Key": ""}),
        ("POST", {"Idempotency-Key": "x" * 256}),
    ],
)
async def test_a_header_that_means_nothing_is_refused_but_to_those_alone_who_may_ask(
    method: str, header: dict[str, str]
) -> None:
    async with serving(EchoController) as http:
        known = await http.request(method, "/echo", headers=header)
        stranger = await http.request(method, "/echo", headers={**header, "Authorization": ""})

    assert (known.status_code, known.json()["type"]) == (400, "urn:neuroglia:service:malformed-request")
    assert stranger.status_code == 401


@pytest.mark.parametrize(
    ("header", "values", "said"),
    [
        ("Idempotency-Key", ("a", "b"), "Send one Idempotency-Key, of 1 to 255 printable ASCII characters."),
        ("Idempotency-Key", ("a", "a"), "Send one Idempotency-Key, of 1 to 255 printable ASCII characters."),
        ("X-Wait-For-Position", ("1", "2"), "X-Wait-For-Position is one position, a number."),
    ],
)
async def test_given_a_header_twice_that_has_one_value_when_asked_then_neither_counts(
    header: str, values: tuple[str, str], said: str
) -> None:
    async with serving(EchoController) as http:
        answer = await http.post("/echo", headers=[(header, value) for value in values])

    assert (answer.status_code, answer.json()["detail"]) == (400, said)


async def test_given_two_correlation_ids_when_asked_then_the_request_has_one_of_its_own() -> None:
    async with serving(EchoController) as http:
        answer = await http.get("/echo", headers=[("X-Correlation-ID", "a"), ("X-Correlation-ID", "b")])

    assert answer.status_code == 200
    assert answer.json() not in {"a", "b", "a\nb"}


async def test_a_body_may_be_as_large_as_the_limit_and_no_larger() -> None:
    async with serving(EchoController, settings=ServiceSettings(max_body_bytes=LIMIT)) as http:
        fits = await http.post("/echo", content=b"x" * LIMIT)
        too_large = await http.post("/echo", content=b"x" * (LIMIT + 1))

    assert (fits.status_code, fits.json()) == (200, LIMIT)
    assert too_large.status_code == 413
    assert too_large.json()["type"] == "urn:neuroglia:service:too-large"


async def test_a_body_that_lies_about_its_length_is_stopped_before_it_is_all_read() -> None:
    app = application(EchoController, settings=ServiceSettings(max_body_bytes=LIMIT))
    asked = 0
    sent: list[Message] = []

    async def receive() -> Message:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": b"x" * 60, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    token = (await Tokens.believed_by(app.state.services)).token(scopes_of(app))
    headers = [(b"content-length", b"1"), (b"authorization", f"Bearer {token}".encode())]
    scope = {"type": "http", "method": "POST", "path": "/api/v1/echo", "query_string": b"", "headers": headers}
    await app(scope, receive, send)

    assert (sent[0]["status"], asked) == (413, 2)


async def test_one_line_for_each_request_with_its_outcome(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "neuroglia.http"):
        async with serving(EchoController) as http:
            await http.get("/echo?secret=1234")
            await http.get("/none")

    lines = [record.__dict__ for record in caplog.records if record.name == "neuroglia.http"]
    assert [(line["method"], line["path"], line["status"]) for line in lines] == [
        ("GET", "/api/v1/echo", 200),
        ("GET", "/api/v1/none", 404),
    ]
    assert all(line["duration_ms"] >= 0 for line in lines)
    assert "1234" not in str(lines)


async def test_what_is_no_http_passes_untouched() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    async def nothing(*_: object) -> Message:
        raise AssertionError

    await RequestMiddleware(app, "service", LIMIT)({"type": "lifespan"}, nothing, nothing)  # type: ignore[arg-type]

    assert seen == [{"type": "lifespan"}]
