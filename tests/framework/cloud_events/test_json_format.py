"""The JSON Event Format of CloudEvents 1.0.2, case by case; each names its section."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from neuroglia.cloud_events.messages import dump, load, receive
from tests.framework.cloud_events.test_http_binding import accepted, refused
from tests.framework.cloud_events.world import EVENT, STRUCTURED, Orders, orders_on
from tests.support.engines import IN_MEMORY

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shop() -> AsyncIterator[Orders]:
    async with orders_on(IN_MEMORY) as orders:
        yield orders


def read(**members: Any) -> Any:
    (received,) = receive([("content-type", STRUCTURED)], json.dumps({**EVENT, **members}).encode())
    return received.event


@pytest.mark.parametrize("name", ["subject", "time", "datacontenttype", "dataschema", "unsetextension"])
async def test_null_stands_for_an_attribute_that_is_not_there(shop: Orders, name: str) -> None:  # 2.2
    assert name not in read(**{name: None}).get_attributes()


@pytest.mark.parametrize("name", ["id", "source", "type", "specversion"])
async def test_a_required_attribute_must_not_be_null_or_missing(shop: Orders, name: str) -> None:  # 2.2, 3
    refused(await shop.send({**EVENT, name: None}), 400, "malformed-request")
    missing = {key: value for key, value in EVENT.items() if key != name}
    assert name in refused(await shop.send(missing), 400, "malformed-request")["detail"]


@pytest.mark.parametrize("value", [True, False, 5, -(2**31), 2**31 - 1, "text", ""])
async def test_extensions_are_truth_values_whole_numbers_and_texts(shop: Orders, value: object) -> None:  # 2.2
    assert read(comexampleextension1=value).get_extension("comexampleextension1") == value


@pytest.mark.parametrize("value", [{}, [], 1.5, 2**31, 1e300, {"a": 1}, "\u0000", "\x7f", "\ud800"])
async def test_extensions_are_nothing_else(shop: Orders, value: object) -> None:  # 2.2, CloudEvents "Type System"
    body = json.dumps({**EVENT, "comexampleextension1": value}).encode()
    refused(await shop.send_raw(body, {"content-type": STRUCTURED}), 400, "malformed-request")


@pytest.mark.parametrize("name", ["upperCase", "with-dash", "with_line", "", "newline\n", "ünicode", "data_base65"])
async def test_names_are_lower_case_letters_and_digits(shop: Orders, name: str) -> None:  # CloudEvents "Naming"
    refused(await shop.send({**EVENT, name: "x"}), 400, "malformed-request")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 1), ("id", ""), ("source", {}), ("source", ""), ("type", True), ("type", ""), ("specversion", 1.0),
        ("specversion", "0.3"), ("subject", ""), ("subject", 5), ("time", 5), ("time", "now"), ("time", ""),
        ("time", "2025-01-01T00:00:00"), ("datacontenttype", ""), ("datacontenttype", 1), ("dataschema", ""),
    ],
)  # fmt: skip
async def test_attributes_have_their_types(shop: Orders, name: str, value: object) -> None:  # 2.2, 2.3
    refused(await shop.send({**EVENT, name: value}), 400, "malformed-request")


async def test_a_time_is_read_with_its_offset(shop: Orders) -> None:  # 2.2, RFC 3339
    assert read(time="2018-04-05T17:31:00+02:00") is not None
    assert read(time="2018-04-05T17:31:00Z").get_time().isoformat() == "2018-04-05T17:31:00+00:00"


async def test_an_event_without_a_time_gets_none(shop: Orders) -> None:  # the SDK would make one up
    assert read().get_time() is None
    assert load(dump(read())).get_time() is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"null", b"1", b'"text"', b"\xff", b'{"id":"1","id":"2"}', b"[" * 100_000]
)
async def test_an_event_is_one_object(shop: Orders, body: bytes) -> None:  # 3, RFC 8259
    refused(await shop.send_raw(body, {"content-type": STRUCTURED}), 400, "malformed-request")


async def test_given_base64_then_the_data_are_those_bytes(shop: Orders) -> None:  # 3.1.2
    data = base64.b64encode(json.dumps(EVENT["data"]).encode()).decode()
    event = {**{name: value for name, value in EVENT.items() if name != "data"}, "data_base64": data}
    accepted(await shop.send({**event, "id": "base64"}))
    assert read(data=None, data_base64=data).get_data() == json.dumps(EVENT["data"]).encode()


@pytest.mark.parametrize("encoded", ["%%%", "YQ", "YQ=a", "Y Q==", 5, {}, "ü"])
async def test_given_broken_base64_then_it_is_refused(shop: Orders, encoded: object) -> None:  # 3.1.2
    refused(await shop.send({**EVENT, "data": None, "data_base64": encoded}), 400, "malformed-request")


async def test_given_both_kinds_of_data_then_it_is_refused(shop: Orders) -> None:  # 3.1.1: mutually exclusive
    refused(await shop.send({**EVENT, "data_base64": "YQ=="}), 400, "malformed-request")


@pytest.mark.parametrize("data", [None, {}, [], "text", 1, 1.5, True, {"a": [None]}])
@pytest.mark.parametrize("media_type", [None, "application/json", "Application/JSON", "image/x+json", "text/json ;a=b"])
async def test_json_data_is_what_it_was_after_it_was_kept(
    shop: Orders, data: object, media_type: str | None
) -> None:  # 3.1
    kept = load(dump(read(data=data, datacontenttype=media_type)))
    found = kept.get_data()
    assert (json.loads(found) if isinstance(found, bytes) else found) == data
    assert kept.get_datacontenttype() == media_type


async def test_a_text_of_another_media_type_is_that_text(shop: Orders) -> None:  # 3.1.2
    event = read(data='<much wow="xml"/>', datacontenttype="application/xml")
    assert load(dump(event)).get_data() == '<much wow="xml"/>'


async def test_a_json_string_is_not_read_a_second_time(shop: Orders) -> None:  # 3.1.2
    problem = refused(await shop.send({**EVENT, "data": json.dumps(EVENT["data"])}), 422, "invalid-request")
    assert [error["pointer"] for error in problem["errors"]] == ["/data"]


@pytest.mark.parametrize(
    ("data", "pointer"),
    [
        (None, "/data"), ([], "/data"), ({}, "/data/order_id"), ({"order_id": "a"}, "/data/amount"),
        ({"order_id": 1, "amount": 1}, "/data/order_id"), ({"order_id": "a", "amount": "x"}, "/data/amount"),
    ],
)  # fmt: skip
async def test_data_that_does_not_fit_its_type_is_named(shop: Orders, data: object, pointer: str) -> None:
    problem = refused(await shop.send({**EVENT, "data": data}), 422, "invalid-request")
    assert pointer in [error["pointer"] for error in problem["errors"]]


async def test_data_of_another_media_type_does_not_fit(shop: Orders) -> None:
    answer = await shop.send({**EVENT, "datacontenttype": "application/xml", "data": "<a/>"})
    assert refused(answer, 422, "invalid-request")["errors"][0]["code"] == "media-type"
