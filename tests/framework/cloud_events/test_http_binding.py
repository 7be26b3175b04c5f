"""The HTTP Protocol Binding of CloudEvents 1.0.2, case by case; each names its section."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.framework.cloud_events.world import BATCHED, EVENT, HEADERS, PATH, STRUCTURED, Orders, orders_on
from tests.support.engines import IN_MEMORY

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
DATA = b'{"order_id": "a", "amount": 5}'
JSON = {"content-type": "application/json"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def open_orders() -> AsyncIterator[Orders]:
    """In memory: what is read from a message does not hang on the engine."""
    async with orders_on(IN_MEMORY) as orders:
        yield orders


@pytest_asyncio.fixture(loop_scope="module")
async def shop(open_orders: Orders) -> AsyncIterator[Orders]:
    """Each test sees the events of its own alone: they are noted, and not handled."""
    yield open_orders


def refused(answer: httpx.Response, status: int, code: str) -> Mapping[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: Mapping[str, Any] = answer.json()
    assert problem["type"] == f"urn:neuroglia:orders:{code}"
    return problem


def accepted(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.content) == (202, b""), answer.text


async def test_binary_mode_takes_the_attributes_from_headers_and_the_body_as_data(shop: Orders) -> None:  # 3.1
    before = await shop.receipt()

    accepted(await shop.send_raw(DATA, {**HEADERS, **JSON, "ce-id": "binary"}))

    await shop.all_done(len(await shop.rows()))
    assert await shop.receipt() == before + 5


@pytest.mark.parametrize(
    "media_type",
    ["application/json", "application/json; charset=utf-8", "Application/JSON ; charset=UTF-8", "application/x+json"],
)
async def test_binary_mode_takes_the_content_type_as_that_of_the_data(shop: Orders, media_type: str) -> None:  # 3.1.1
    accepted(await shop.send_raw(DATA, {**HEADERS, "ce-id": media_type, "content-type": media_type}))


async def test_binary_mode_refuses_a_second_content_type(shop: Orders) -> None:  # 3.1.1
    headers = {**HEADERS, **JSON, "ce-datacontenttype": "application/json"}
    refused(await shop.send_raw(DATA, headers), 400, "malformed-request")


@pytest.mark.parametrize("body", [b"{", b"", b'{"order_id": "\xff"}', b'{"amount": NaN}', b'{"amount":1,"amount":2}'])
async def test_binary_mode_refuses_a_body_that_is_not_what_its_content_type_says(  # 3.1.2, RFC 8259
    shop: Orders, body: bytes
) -> None:
    status, code = (422, "invalid-request") if body == b"" else (400, "malformed-request")
    refused(await shop.send_raw(body, {**HEADERS, **JSON, "ce-id": "broken"}), status, code)


async def test_binary_mode_names_headers_in_any_case(shop: Orders) -> None:  # 3.1.3.1, RFC 9110 5.1
    headers = {name.upper(): value for name, value in HEADERS.items()}
    accepted(await shop.send_raw(DATA, {**headers, "CE-ID": "case", **JSON}))


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%e2%82%ac", "€"),
        ("%41", "A"),
        ("100%25", "100%"),
        ("%2525", "%25"),  # a single round
        ('"in quotes"', "in quotes"),
        (r'"a \"b\" \\ c"', r'a "b" \ c'),
        ("plain", "plain"),
    ],
)
async def test_binary_mode_decodes_header_values(shop: Orders, value: str, meant: str) -> None:  # 3.1.3.2
    seen = [event.get_subject() for event in await shop.received(DATA, {**HEADERS, **JSON, "ce-subject": value})]
    assert seen == [meant]


@pytest.mark.parametrize("value", ["%C0%A0", "%ff", "%ED%A0%80", "%00", "%7F"])
async def test_binary_mode_refuses_values_that_are_not_utf_8_or_no_text(shop: Orders, value: str) -> None:  # 3.1.3.2
    refused(await shop.send_raw(DATA, {**HEADERS, **JSON, "ce-subject": value}), 400, "malformed-request")


async def test_binary_mode_refuses_raw_bytes_in_headers(shop: Orders) -> None:  # 3.1.3.2
    raw = [(name.encode(), text.encode()) for name, text in {**HEADERS, **JSON}.items()]
    own = shop.service.client.headers.raw
    headers = [*own, *raw, (b"ce-subject", "€".encode())]
    request = httpx.Request("POST", f"http://test{PATH}", headers=headers, content=DATA)
    refused(await shop.service.client.send(request), 400, "malformed-request")


async def test_binary_mode_refuses_a_header_that_is_there_twice(shop: Orders) -> None:  # 3.1.3: distinct headers
    headers = [*HEADERS.items(), *JSON.items(), ("ce-id", "2")]
    refused(await shop.send_raw(DATA, headers), 400, "malformed-request")


@pytest.mark.parametrize("name", ["specversion", "id", "source", "type"])
async def test_binary_mode_refuses_a_missing_attribute(shop: Orders, name: str) -> None:  # 3.1, CloudEvents 1.0.2
    headers = {key: value for key, value in HEADERS.items() if key != f"ce-{name}"}
    assert name in refused(await shop.send_raw(DATA, {**headers, **JSON}), 400, "malformed-request")["detail"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("specversion", "0.3"), ("specversion", "1.1"), ("specversion", ""), ("id", ""), ("source", ""), ("type", ""),
        ("subject", ""), ("time", "yesterday"), ("time", "2025-01-01T00:00:00"), ("time", ""), ("not-a-name", "x"),
        ("data", "x"), ("data_base64", "x"),
    ],
)  # fmt: skip
async def test_binary_mode_refuses_wrong_attributes(shop: Orders, name: str, value: str) -> None:  # CloudEvents 1.0.2
    refused(await shop.send_raw(DATA, {**HEADERS, **JSON, f"ce-{name}": value}), 400, "malformed-request")


async def test_binary_mode_takes_extensions_that_nobody_knows(shop: Orders) -> None:  # 3.1.3
    (event,) = await shop.received(DATA, {**HEADERS, **JSON, "ce-comexampleothervalue": "5"})
    assert event.get_extension("comexampleothervalue") == "5"


@pytest.mark.parametrize("media_type", ["application/octet-stream", "text/plain; charset=latin-1"])
async def test_binary_mode_keeps_data_that_is_no_json_as_it_is(shop: Orders, media_type: str) -> None:  # 3.1.2
    (event,) = await shop.received(b"\xff\x00", {**HEADERS, "ce-type": "other", "content-type": media_type})
    assert (event.get_data(), event.get_datacontenttype()) == (b"\xff\x00", media_type)


async def test_structured_mode_takes_all_from_the_body(shop: Orders) -> None:  # 3.2
    accepted(await shop.send({**EVENT, "id": "structured"}))


@pytest.mark.parametrize(
    "media_type", [f"{STRUCTURED}; charset=UTF-8", STRUCTURED.upper(), f'{STRUCTURED};charset="utf-8"']
)
async def test_structured_mode_has_a_content_type_with_parameters(shop: Orders, media_type: str) -> None:  # 3.2.1
    accepted(await shop.send({**EVENT, "id": media_type}, media_type))


async def test_structured_mode_refuses_other_encodings(shop: Orders) -> None:  # 3.2.1, RFC 8259 8.1
    refused(await shop.send(EVENT, f"{STRUCTURED}; charset=utf-16"), 415, "unsupported-media-type")


async def test_structured_mode_believes_the_body_and_not_the_headers(shop: Orders) -> None:  # 3.2.3
    answer = await shop.send({**EVENT, "id": "of the body"}, STRUCTURED, **{**HEADERS, "ce-id": "of the headers"})
    accepted(answer)
    assert "of the headers" not in str(await shop.rows())


@pytest.mark.parametrize(
    "media_type",
    [
        "application/cloudevents+avro",
        "application/cloudevents",
        "application/cloudevents-batch+xml",
        "application/json",
        "",
    ],
)
async def test_content_that_holds_no_event_is_not_supported(shop: Orders, media_type: str) -> None:  # 3
    refused(await shop.send(EVENT, media_type), 415, "unsupported-media-type")


async def test_batched_mode_takes_several(shop: Orders) -> None:  # 3.3
    accepted(await shop.send([{**EVENT, "id": "b1"}, {**EVENT, "id": "b2", "source": "/other"}], BATCHED))


async def test_batched_mode_takes_an_empty_batch(shop: Orders) -> None:  # 3.3.2
    accepted(await shop.send([], BATCHED))


@pytest.mark.parametrize("batch", [{}, "text", 1, None, [1], [[]], [{}], [EVENT, {**EVENT, "specversion": "0.3"}]])
async def test_batched_mode_refuses_what_is_no_batch(shop: Orders, batch: object) -> None:  # 3.3.2, JSON Batch 4.1
    refused(await shop.send(batch, BATCHED), 400, "malformed-request")


async def test_given_one_that_is_wrong_then_nothing_of_a_batch_is_taken(shop: Orders) -> None:
    before = len(await shop.rows())
    wrong = {**EVENT, "id": "wrong", "data": {"order_id": "a", "amount": "much"}}

    problem = refused(await shop.send([{**EVENT, "id": "right"}, wrong], BATCHED), 422, "invalid-request")

    assert [error["pointer"] for error in problem["errors"]] == ["/1/data/amount"]
    assert len(await shop.rows()) == before


async def test_given_more_than_the_limit_then_it_is_413(shop: Orders) -> None:
    refused(await shop.send({**EVENT, "data": "x" * 1024 * 1024}), 413, "too-large")


async def test_given_events_that_are_known_by_their_ids_then_no_idempotency_key_is_offered(shop: Orders) -> None:
    described = (await shop.service.client.get("/api/openapi.json")).json()["paths"][PATH]["post"]

    assert "Idempotency-Key" not in [parameter["name"] for parameter in described.get("parameters", [])]
    assert described["requestBody"]["required"]
