"""What must never get in: each of these is refused with the right problem, and changes nothing."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from neuroglia.testing import RunningService
from tests.openbank.builders import ADDRESS_BODY, PERSON_BODY

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
DEPOSITS = "/api/v1/transactions/deposits"
STATEMENT = "/api/v1/accounts/a/transactions"
LISTS = ("/api/v1/persons", "/api/v1/accounts", STATEMENT, "/api/v1/accounts/a/events")
JSON = {"Content-Type": "application/json"}
LONE_SURROGATE = r'"\ud800"'


async def refused(
    bank: RunningService, status: int, code: str, method: str, path: str, **request: Any
) -> dict[str, Any]:
    """The problem with which a request is refused; nothing was recorded."""
    answer = (await bank.when(method, path, **request)).then_refused(status, code)
    problem: dict[str, Any] = answer.body
    assert set(problem) - {"errors"} == {"type", "title", "status", "detail", "correlation_id"}
    assert problem["status"] == status
    assert problem["correlation_id"] == answer.response.headers["x-correlation-id"]
    return problem


def pointers(problem: dict[str, Any]) -> list[str]:
    assert all(set(error) == {"pointer", "code", "detail"} for error in problem["errors"])
    return [error["pointer"] for error in problem["errors"]]


@pytest.mark.parametrize(
    "amount",
    [
        '"NaN"', '"sNaN"', '"Infinity"', '"-Infinity"', "-1", '"-1"', "0", '"0"', '"0.00"', '"-0"', '"1E+400"',
        "1E+400",
        '"1E+2"', '"1e2"', '"0.001"', "1.005", "12.5", "10", "true", "false", "null", '""', '" "', '" 12"', '"12 "',
        '"1,5"', '"1.5,0"', '"0x10"', '"1_000"', '"+5"', '"5."', '".5"', '"."', '"٣"', '"\uff11\uff12"', '"1\u066b5"',
        '"1000000000000"',
        "1000000000000", "[]", '["1"]', "{}", '{"amount": "1"}', r'"\u0000"', r'"1\n"', '"twelve"',
        '"$12"', '"12 EUR"', '"--1"',
        pytest.param('"0.' + "1" * 30 + '"', id="30 decimals"),
        pytest.param('"1.' + "0" * 30 + '"', id="30 zeros"),
        pytest.param('"' + "1" * 10**6 + '"', id="10^6 digits of text"),
        pytest.param("0." + "1" * 10**6, id="10^6 decimals of a number"),
    ],
)  # fmt: skip
async def test_amounts(shared_bank: RunningService, amount: str) -> None:
    body = f'{{"account_id": "a", "amount": {amount}}}'

    for path in (DEPOSITS, "/api/v1/transactions/withdrawals"):
        problem = await refused(shared_bank, 422, "invalid-request", "POST", path, content=body, headers=JSON)

        assert pointers(problem) == ["/amount"]


async def test_given_nothing_to_move_when_deposited_then_it_is_said_in_words_of_the_bank(
    shared_bank: RunningService,
) -> None:
    body = {"account_id": "a", "amount": "0.00"}

    problem = await refused(shared_bank, 422, "invalid-request", "POST", DEPOSITS, json=body)

    assert [error["detail"] for error in problem["errors"]] == ["an amount is more than zero"]


@pytest.mark.parametrize(
    "limit",
    ['"-0.01"', '"-0.00"', '"NaN"', '"0.001"', '"1e3"', '"1000000000000"', "5", "0.5", "null", "true", '"x"', "[]"],
)
async def test_overdraft_limits(shared_bank: RunningService, limit: str) -> None:
    body = f'{{"owner_id": "ada", "overdraft_limit": {limit}}}'

    problem = await refused(shared_bank, 422, "invalid-request", "POST", "/api/v1/accounts", content=body, headers=JSON)

    assert pointers(problem) == ["/overdraft_limit"]


@pytest.mark.parametrize("currency", ["XXX", "JPY", "eur", "", " EUR", "€", None, 978, ["EUR"]])
async def test_currencies(shared_bank: RunningService, currency: object) -> None:
    body = {"owner_id": "ada", "currency": currency}

    problem = await refused(shared_bank, 422, "invalid-request", "POST", "/api/v1/accounts", json=body)

    assert pointers(problem) == ["/currency"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("date_of_birth", 0), ("date_of_birth", "0"), ("date_of_birth", 1.5), ("date_of_birth", "1990-02-30"),
        ("date_of_birth", "1990-01-01T00:00:00"), ("date_of_birth", "1990-1-1"), ("date_of_birth", "01.02.1990"),
        ("date_of_birth", "٢٠٠٠-01-01"), ("date_of_birth", ""), ("date_of_birth", None), ("date_of_birth",
        "10000-01-01"),
        ("nationality", "XX"), ("nationality", "de"), ("nationality", "DEU"), ("nationality", "DE\n"), ("nationality",
        ""),
        ("nationality", None), ("gender", "x"), ("gender", "FEMALE"), ("gender", 1), ("first_name", ""),
        ("first_name", " \t "), ("first_name", None), ("first_name", 1), ("first_name", ["Ada"]), ("first_name",
        "A\0da"),
        ("first_name", "A\nda"), ("first_name", "A\x1bda"), ("last_name", "x" * 101), ("last_name", {"$gt": ""}),
        ("address", None), ("address", "Berlin"), ("address", []), ("id", "mine"), ("version", 7),
        ("address", ADDRESS_BODY | {"country": "ZZ"}), ("address", ADDRESS_BODY | {"planet": "Mars"}),
        ("address", {name: text for name, text in ADDRESS_BODY.items() if name != "city"}),
    ],
    ids=lambda value: str(value)[:30],
)  # fmt: skip
async def test_persons(shared_bank: RunningService, field: str, value: object) -> None:
    body = {**PERSON_BODY, field: value}

    problem = await refused(shared_bank, 422, "invalid-request", "POST", "/api/v1/persons", json=body)

    (pointer,) = pointers(problem)
    assert pointer.split("/")[1] == field


@pytest.mark.parametrize("day", ["9999-12-31", "2999-01-01", "1800-01-01", "0001-01-01"])
async def test_dates_of_birth_in_the_future_or_too_long_ago(shared_bank: RunningService, day: str) -> None:
    body = {**PERSON_BODY, "date_of_birth": day}

    await refused(shared_bank, 422, "invalid-date-of-birth", "POST", "/api/v1/persons", json=body)


@pytest.mark.parametrize("field", [*PERSON_BODY, *(f"address/{name}" for name in ADDRESS_BODY)])
async def test_lone_surrogates_in_every_field_of_a_person(shared_bank: RunningService, field: str) -> None:
    body = json.loads(json.dumps(PERSON_BODY))
    *_, name = field.split("/")
    (body["address"] if "/" in field else body)[name] = "\ud800"

    await refused(
        shared_bank, 400, "malformed-request", "POST", "/api/v1/persons", content=json.dumps(body), headers=JSON
    )


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (DEPOSITS, f'{{"account_id": {LONE_SURROGATE}, "amount": "1"}}'),
        (DEPOSITS, f'{{"account_id": "a", "amount": {LONE_SURROGATE}}}'),
        (DEPOSITS, f'{{"account_id": "a", "amount": "1", "reference": {LONE_SURROGATE}}}'),
        (DEPOSITS, f'{{"account_id": "a", "amount": "1", {LONE_SURROGATE}: 1}}'),
        ("/api/v1/accounts", f'{{"owner_id": {LONE_SURROGATE}}}'),
        ("/api/v1/accounts", f'{{"owner_id": "ada", "currency": {LONE_SURROGATE}}}'),
        ("/api/v1/accounts/a/freeze", f'{{"reason": {LONE_SURROGATE}}}'),
    ],
)
async def test_lone_surrogates_elsewhere(shared_bank: RunningService, path: str, body: str) -> None:
    await refused(shared_bank, 400, "malformed-request", "POST", path, content=body, headers=JSON)


@pytest.mark.parametrize("reference", ["x" * 141, "a\nb", "\0", None, 1, {}])
async def test_references_and_reasons(shared_bank: RunningService, reference: object) -> None:
    body = {"account_id": "a", "amount": "1", "reference": reference}

    problem = await refused(shared_bank, 422, "invalid-request", "POST", DEPOSITS, json=body)

    assert pointers(problem) == ["/reference"]
    if reference is not None:
        for verb in ("freeze", "unfreeze", "close"):
            path = f"/api/v1/accounts/a/{verb}"
            await refused(shared_bank, 422, "invalid-request", "POST", path, json={"reason": reference})


async def test_an_id_that_is_too_long(shared_bank: RunningService) -> None:
    id_ = "x" * 65

    await refused(shared_bank, 422, "invalid-request", "POST", DEPOSITS, json={"account_id": id_, "amount": "1"})
    await refused(shared_bank, 422, "invalid-request", "POST", "/api/v1/accounts", json={"owner_id": id_})
    await refused(shared_bank, 404, "not-found", "GET", f"/api/v1/accounts/{id_ * 200}")


@pytest.mark.parametrize("id_", ["", None, 1, True, [], {"$gt": ""}], ids=str)
async def test_what_is_no_id(shared_bank: RunningService, id_: object) -> None:
    deposit, account = {"account_id": id_, "amount": "1"}, {"owner_id": id_}

    problem = await refused(shared_bank, 422, "invalid-request", "POST", DEPOSITS, json=deposit)
    assert pointers(problem) == ["/account_id"]
    problem = await refused(shared_bank, 422, "invalid-request", "POST", "/api/v1/accounts", json=account)
    assert pointers(problem) == ["/owner_id"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"{", id="cut off"),
        pytest.param(b"{'account_id': 'a'}", id="single quotes"),
        pytest.param(b'{"account_id": "a", "amount": "1"} {}', id="two values"),
        pytest.param(b'{"account_id": "a", "amount": "1",}', id="trailing comma"),
        pytest.param(b'{"account_id": "a", "amount": NaN}', id="NaN"),
        pytest.param(b'{"account_id": "a", "amount": -Infinity}', id="-Infinity"),
        pytest.param(b'{"account_id": "a", "account_id": "a", "amount": "1"}', id="duplicate name"),
        pytest.param(b'{"account_id": "a", "amount": "1", "amount": "1000"}', id="duplicate amount"),
        pytest.param(b'{"account_id": "a", "amount": "1", "reference": "\xff"}', id="not UTF-8"),
        pytest.param(b'{"account_id": "a", "amount": "1", "reference": "a\nb"}', id="control character"),
        pytest.param(b'\xef\xbb\xbf{"account_id": "a", "amount": "1"}', id="byte order mark"),
        pytest.param('{"account_id": "a", "amount": "1"}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b'{"account_id": "a", "amount": ' + b"1" * 10**6 + b"}", id="10^6 digits"),
        pytest.param(b"[" * 100_000, id="deep list"),
        pytest.param(b'{"a":' * 100_000 + b"1" + b"}" * 100_000, id="deep object"),
        pytest.param(b" ", id="blank"),
    ],
)
async def test_bodies_that_are_no_json(shared_bank: RunningService, body: bytes) -> None:
    await refused(shared_bank, 400, "malformed-request", "POST", DEPOSITS, content=body, headers=JSON)


@pytest.mark.parametrize("body", ["", "null", "[]", "1", '"a"', "true", "{}", '[{"account_id": "a", "amount": "1"}]'])
async def test_bodies_that_are_no_object_or_lack_fields(shared_bank: RunningService, body: str) -> None:
    await refused(shared_bank, 422, "invalid-request", "POST", DEPOSITS, content=body, headers=JSON)


@pytest.mark.parametrize("extra", ["id", "balance_after", "type", "currency", "depositor_id", "__class__", "a/b~c"])
async def test_fields_that_nobody_knows(shared_bank: RunningService, extra: str) -> None:
    body = {"account_id": "a", "amount": "1", extra: "x"}

    problem = await refused(shared_bank, 422, "invalid-request", "POST", DEPOSITS, json=body)

    assert pointers(problem) == ["/a~1b~0c" if extra == "a/b~c" else f"/{extra}"]


async def test_every_mistake_is_told_at_once(shared_bank: RunningService) -> None:
    problem = await refused(shared_bank, 422, "invalid-request", "POST", DEPOSITS, json={"amount": "x", "y": 1})

    assert sorted(pointers(problem)) == ["/account_id", "/amount", "/y"]


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "☃",
    ],
)
async def test_content_types(shared_bank: RunningService, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type.encode()}
    body = b'{"account_id": "a", "amount": "1"}'

    await refused(shared_bank, 415, "unsupported-media-type", "POST", DEPOSITS, content=body, headers=headers)


async def test_a_body_that_is_too_large(shared_bank: RunningService) -> None:
    body = b'{"account_id": "a", "amount": "1", "reference": "' + b"x" * 2 * 1024**2 + b'"}'

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 65_536):
            yield body[start : start + 65_536]

    await refused(shared_bank, 413, "too-large", "POST", DEPOSITS, content=body, headers=JSON)
    await refused(shared_bank, 413, "too-large", "POST", DEPOSITS, content=chunks(), headers=JSON)


@pytest.mark.parametrize("limit", ["0", "-1", "201", "9" * 30, "x", "", "1.5", "null", "1e1"])
async def test_limits(shared_bank: RunningService, limit: str) -> None:
    for path in LISTS:
        problem = await refused(shared_bank, 422, "invalid-request", "GET", path, params={"limit": limit})

        assert pointers(problem) == ["/query/limit"]


@pytest.mark.parametrize(
    "moment",
    [
        "2025-01-01T00:00:00", "2025-01-01 00:00:00", "2025-01-01", "0", "1735689600", "-1", "1e400", "NaN", "",
        "now", "x",
        "2025-13-01T00:00:00Z", "2025-02-30T00:00:00Z", "2025-01-01T25:00:00Z", "2025-01-01T00:00:00+25:00",
        "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59", "10000-01-01T00:00:00Z", "٢٠٢٥-01-01T00:00:00Z",
    ],
)  # fmt: skip
async def test_moments(shared_bank: RunningService, moment: str) -> None:
    filters = {"from": moment, "to": moment}

    problem = await refused(shared_bank, 422, "invalid-request", "GET", STATEMENT, params=filters)

    assert sorted(pointers(problem)) == ["/query/from", "/query/to"]


@pytest.mark.parametrize("type_", ["", "DEPOSIT", "bribe", "deposit,withdrawal", "deposit\0"])
async def test_types(shared_bank: RunningService, type_: str) -> None:
    problem = await refused(shared_bank, 422, "invalid-request", "GET", STATEMENT, params={"type": type_})

    assert pointers(problem) == ["/query/type"]


def encoded(payload: str) -> str:
    return base64.urlsafe_b64encode(payload.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "cursor",
    [
        "", "x", "!", "\0", "🦊", "null", "a" * 10_000, encoded("[]"), encoded("{}"), encoded("null"), encoded("[1]"),
        encoded('["0123456789abcdef", "2025", 1, "x"]'), encoded("[" * 5_000), encoded('[["a"]]'),
    ],
    ids=lambda cursor: cursor[:12],
)  # fmt: skip
async def test_broken_cursors(shared_bank: RunningService, cursor: str) -> None:
    for path in LISTS:
        await refused(shared_bank, 400, "malformed-request", "GET", path, params={"cursor": cursor})


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Wait-For-Position": position}
        for position in (b"", b"x", b"-1", b"+1", b"1.0", b"1e3", b"0x1", b" 1", b"1 ", b"1,2", b"9" * 18, b"9" * 19)
    ]
    + [
        {"X-Wait-For-Position": position}
        for position in (b"9" * 20, b"9" * 10_000, "٣".encode(), b"1\n", b"\0", b"\xb2")
    ],
    ids=lambda headers: repr(headers["X-Wait-For-Position"])[:24],
)
async def test_positions_to_wait_for(shared_bank: RunningService, headers: dict[str, Any]) -> None:
    for path in ("/api/v1/accounts/a", "/api/v1/accounts", "/api/v1/persons/ada", STATEMENT):
        await refused(shared_bank, 400, "malformed-request", "GET", path, headers=headers)


@pytest.mark.parametrize(
    "id_",
    [b"", b" ", b"a b", b"a\nb", b"a\r\nSet-Cookie: x=1", b"x" * 129, b"x" * 100_000, "é".encode(), b"\xff", b"a\0",
     b"a\n",
     b'{"a":1}', b"a/b", "٣".encode()],
    ids=lambda id_: repr(id_)[:24],
)  # fmt: skip
async def test_correlation_ids_that_could_forge_something_are_replaced(shared_bank: RunningService, id_: bytes) -> None:
    answer = await shared_bank.when("GET", "/api/v1/accounts/a", headers={"X-Correlation-ID": id_})

    answer.then(200)
    (made,) = answer.response.headers.get_list("x-correlation-id")
    assert made.encode() != id_
    assert len(made) == 36
    assert "set-cookie" not in answer.response.headers


@pytest.mark.parametrize("id_", ["a", "x" * 128, "A.b_c-9", "0193f0a7-6f0c-7d53-a1f5-5f2a4c1e9b10"])
async def test_correlation_ids_that_are_safe_are_kept(shared_bank: RunningService, id_: str) -> None:
    answer = await shared_bank.when("GET", "/api/v1/accounts/none", headers={"X-Correlation-ID": id_})

    answer.then(404, {"correlation_id": id_})
    assert answer.response.headers["x-correlation-id"] == id_
