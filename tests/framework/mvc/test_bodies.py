"""JSON bodies are read in one way only."""

import json
from typing import Annotated, Any

import pytest
from fastapi import Body
from pydantic import BaseModel

from neuroglia.mvc import ControllerBase, Moment, post
from tests.framework.mvc.serving import serving

JSON = {"Content-Type": "application/json"}
HALF_A_PAIR = "A text in the body holds half of a surrogate pair, which is no character."


class BoxesController(ControllerBase):
    @post(scopes=["w"])
    async def pack(self, content: dict[str, Any]) -> dict[str, Any]:
        return content


@pytest.mark.parametrize(
    "content_type",
    [
        "application/json", "application/json; charset=utf-8", "application/merge-patch+json",
        'Application/JSON;version=1;charset="UTF-8"', "application/json; charset=us-ascii",
    ],
)  # fmt: skip
async def test_what_is_json_is_read(content_type: str) -> None:
    async with serving(BoxesController) as http:
        answer = await http.post(
            "/boxes", content='{"a": {"a": [1, 1.5, null, "é🦊"]}}'.encode(), headers={"Content-Type": content_type}
        )

    assert answer.json() == {"a": {"a": [1, 1.5, None, "é🦊"]}}


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b'{"a": 1, "a": 1}', "The body names a field twice."),
        (b'{"x": [{"a": 1, "\\u0061": 2}]}', "The body names a field twice."),
        (b'{"a": NaN}', "NaN is no JSON."),
        (b'{"a": [-Infinity]}', "-Infinity is no JSON."),
        (b'{"a": "a\\ud800"}', HALF_A_PAIR),
        (b'{"a": ["\\uDFFF\\uD800"]}', HALF_A_PAIR),
        (b'{"\\udc00": 1}', HALF_A_PAIR),
        (b'{"a": "\xe9"}', "The body is not UTF-8."),
        (b'{"a": 1', "The body is not valid JSON."),
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(body: bytes, detail: str) -> None:
    async with serving(BoxesController) as http:
        answer = await http.post("/boxes", content=body, headers=JSON)

    assert (answer.status_code, answer.json()["detail"]) == (400, detail)
    assert answer.json()["type"] == "urn:neuroglia:service:malformed-request"


@pytest.mark.parametrize("text", [r"\ud83e\udd8a", r"\uD83E\uDD8A", r"\ud7ff\ue000", r"\\ud800"])
async def test_given_an_escape_that_is_a_character_when_sent_then_it_is_read(text: str) -> None:
    body = f'{{"a": "{text}"}}'
    async with serving(BoxesController) as http:
        answer = await http.post("/boxes", content=body, headers=JSON)

    assert (answer.status_code, answer.json()) == (200, json.loads(body))


@pytest.mark.parametrize("content_type", [None, "text/plain", "text/json", "application/x-www-form-urlencoded"])
async def test_given_a_body_that_is_not_said_to_be_json_when_sent_then_what_to_say_is_told(
    content_type: str | None,
) -> None:
    async with serving(BoxesController) as http:
        answer = await http.post(
            "/boxes", content=b'{"a": 1}', headers={} if content_type is None else {"Content-Type": content_type}
        )

    assert (answer.status_code, answer.json()["detail"]) == (415, "Send Content-Type: application/json.")
    assert answer.json()["type"] == "urn:neuroglia:service:unsupported-media-type"


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Content-Encoding", "gzip"), ("Content-Encoding", "identity, gzip"),
        ("Content-Type", "application/json; charset=utf-16"), ("Content-Type", 'application/json;charset="latin-1"'),
        ("Content-Type", "application/json; charset=UTF-80"), ("Content-Type", "application/json; charset="),
    ],
)  # fmt: skip
async def test_given_a_body_that_is_said_to_be_written_otherwise_when_sent_then_how_to_write_it_is_told(
    header: str, value: str
) -> None:
    async with serving(BoxesController) as http:
        answer = await http.post("/boxes", content=b'{"a": 1}', headers={**JSON, header: value})

    told = "Send the JSON in UTF-8, and without a Content-Encoding."
    assert (answer.status_code, answer.json()["detail"]) == (415, told)
    assert answer.json()["type"] == "urn:neuroglia:service:unsupported-media-type"


@pytest.mark.parametrize("encoding", ["identity", "Identity"])
async def test_given_a_body_that_is_said_to_be_as_it_is_when_sent_then_it_is_read(encoding: str) -> None:
    async with serving(BoxesController) as http:
        answer = await http.post("/boxes", content=b'{"a": 1}', headers={**JSON, "Content-Encoding": encoding})

    assert answer.json() == {"a": 1}


async def test_given_no_body_where_one_is_needed_when_sent_then_that_is_told() -> None:
    async with serving(BoxesController) as http:
        answer = await http.post("/boxes")

    assert (answer.status_code, answer.json()["detail"]) == (422, "A JSON body is needed.")


async def test_given_text_that_an_endpoint_asks_for_when_sent_then_it_is_read() -> None:
    class LettersController(ControllerBase):
        @post(scopes=["w"])
        async def keep(self, text: Annotated[str, Body(media_type="text/plain")]) -> str:
            return text

    async with serving(LettersController) as http:
        answer = await http.post("/letters", content=b"hello", headers={"Content-Type": "text/plain"})

    assert answer.json() == "hello"


class When(BaseModel):
    at: Moment


class MomentsController(ControllerBase):
    @post(scopes=["w"])
    async def keep(self, when: When) -> When:
        return when


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        ("2025-01-31T09:30:00Z", "2025-01-31T09:30:00Z"),
        ("2025-01-31T09:30:00.123456Z", "2025-01-31T09:30:00.123456Z"),
        ("2025-01-31T09:30:00+05:30", "2025-01-31T04:00:00Z"),
        ("2025-01-31t09:30:00-00:30", "2025-01-31T10:00:00Z"),
    ],
)
async def test_a_moment_is_told_in_utc(sent: str, told: str) -> None:
    async with serving(MomentsController) as http:
        answer = await http.post("/moments", json={"at": sent})

    assert answer.json() == {"at": told}


@pytest.mark.parametrize(
    "sent", [0, 1.5, True, None, "0", "2025-01-31", "2025-01-31T09:30:00", "9999-12-31T23:00:00-02:00"]
)
async def test_what_names_no_instant_is_no_moment(sent: object) -> None:
    async with serving(MomentsController) as http:
        answer = await http.post("/moments", json={"at": sent})

    assert answer.status_code == 422
    assert [error["pointer"] for error in answer.json()["errors"]] == ["/at"]
