"""JSON bodies are read in one way only."""

from typing import Any

import pytest
from pydantic import BaseModel

from neuroglia.mvc import ControllerBase, Moment, post
from tests.framework.mvc.serving import serving

JSON = {"Content-Type": "application/json"}


class BoxesController(ControllerBase):
    @post(scopes=["w"])
    async def pack(self, content: dict[str, Any]) -> dict[str, Any]:
        return content


@pytest.mark.parametrize(
    "content_type", ["application/json", "application/json; charset=utf-8", "application/merge-patch+json"]
)
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
        (b'{"a": "\xe9"}', "There was an error parsing the body"),
        (b'{"a": 1', "The body is not valid JSON."),
    ],
)
async def test_what_could_be_read_in_two_ways_is_refused(body: bytes, detail: str) -> None:
    async with serving(BoxesController) as http:
        answer = await http.post("/boxes", content=body, headers=JSON)

    assert (answer.status_code, answer.json()["detail"]) == (400, detail)
    assert answer.json()["type"] == "urn:neuroglia:service:malformed-request"


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
