"""The OpenAPI document says what is really there and what is really sent."""

import pytest
import pytest_asyncio

from neuroglia.testing import Answer, RunningService
from tests.openbank.builders import ADDRESS_BODY, PERSON_BODY, deposited, new_account, withdrawn
from tests.support.json_schema import mismatches
from tests.support.openapi import OPEN, Document, operations, require_told, require_whole

pytestmark = [pytest.mark.service, pytest.mark.asyncio(loop_scope="module")]
ENDPOINTS = {
    ("get", "/api/v1/persons"): "bank:read",
    ("post", "/api/v1/persons"): "bank:write",
    ("get", "/api/v1/persons/{person_id}"): "bank:read",
    ("put", "/api/v1/persons/{person_id}/address"): "bank:write",
    ("get", "/api/v1/accounts"): "bank:read",
    ("post", "/api/v1/accounts"): "bank:write",
    ("get", "/api/v1/accounts/{account_id}"): "bank:read",
    ("get", "/api/v1/accounts/{account_id}/transactions"): "bank:read",
    ("get", "/api/v1/accounts/{account_id}/events"): "bank:read",
    ("post", "/api/v1/accounts/{account_id}/freeze"): "bank:write",
    ("post", "/api/v1/accounts/{account_id}/unfreeze"): "bank:write",
    ("post", "/api/v1/accounts/{account_id}/close"): "bank:write",
    ("post", "/api/v1/transactions/deposits"): "bank:write",
    ("post", "/api/v1/transactions/withdrawals"): "bank:write",
    ("get", "/api/v1/transactions/{transaction_id}"): "bank:read",
    ("get", "/api/v1/transfers"): "bank:read",
    ("post", "/api/v1/transfers"): "bank:write",
    ("get", "/api/v1/transfers/{transfer_id}"): "bank:read",
    ("post", "/api/v1/cloudevents"): "events:write",
}
OPERATIONS = {  # what they answer is tried in tests/framework/operations
    ("get", "/api/v1/operations/events"): "operations:admin",
    ("get", "/api/v1/operations/events/tail"): "operations:admin",
    ("get", "/api/v1/operations/subscriptions"): "operations:admin",
    ("post", "/api/v1/operations/subscriptions/{name}/rebuild"): "operations:admin",
    ("get", "/api/v1/operations/parked"): "operations:admin",
    ("get", "/api/v1/operations/parked/{subscription}"): "operations:admin",
    ("post", "/api/v1/operations/parked/{subscription}/replay"): "operations:admin",
    ("post", "/api/v1/operations/parked/{subscription}/discard"): "operations:admin",
    ("get", "/api/v1/operations/jobs"): "operations:admin",
    ("post", "/api/v1/operations/jobs"): "operations:admin",
    ("get", "/api/v1/operations/jobs/{id}"): "operations:admin",
    ("post", "/api/v1/operations/jobs/{id}/retry"): "operations:admin",
    ("post", "/api/v1/operations/jobs/{id}/cancel"): "operations:admin",
}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def document(shared_bank: RunningService) -> Document:
    found: Document = (await shared_bank.when("GET", "/api/openapi.json")).then(200).body
    return found


async def test_every_endpoint_is_described_once_with_the_scopes_that_it_needs(document: Document) -> None:
    found = operations(document)

    assert {where: operation.get("x-required-scopes") for where, operation in found.items() if where not in OPEN} == {
        where: [scope] for where, scope in (ENDPOINTS | OPERATIONS).items()
    }
    assert set(found) == {*ENDPOINTS, *OPERATIONS, *OPEN}


async def test_the_document_is_whole_and_tells_what_each_endpoint_does_and_how_it_fails(document: Document) -> None:
    require_whole(document)
    require_told(document)


async def test_the_document_stays_as_it_is(shared_bank: RunningService, document: Document) -> None:
    assert (await shared_bank.when("GET", "/api/openapi.json")).body == document


def fits(document: Document, method: str, path: str, answer: Answer) -> None:
    """The status and the body of a response are among those described."""
    responses = document["paths"][path][method]["responses"]
    status, media_type = str(answer.response.status_code), answer.response.headers.get("content-type")
    described = responses.get(status) or responses[f"{status[0]}XX"]
    if media_type is None:
        assert ("content" in described, answer.response.content) == (False, b"")
        return
    schema = described["content"][media_type]["schema"]
    assert mismatches(document, schema, answer.body) == []


async def test_what_is_sent_is_as_described(shared_bank: RunningService, document: Document) -> None:
    bank = shared_bank
    account = await new_account(bank, deposited("5", "5", "x"), withdrawn("1", "4"))
    person = (await bank.when("POST", "/api/v1/persons", json=PERSON_BODY)).then(201)
    movement = {"account_id": account, "amount": "1"}
    deposit = (await bank.when("POST", "/api/v1/transactions/deposits", json=movement)).then(201)
    transfer = await bank.when(
        "POST", "/api/v1/transfers", json={"from_account_id": account, "to_account_id": "none", "amount": "1"}
    )
    owner, id_ = person.body["id"], deposit.body["id"]
    all_answers = {
        ("post", "/api/v1/persons"): person,
        ("post", "/api/v1/transactions/deposits"): deposit,
        ("post", "/api/v1/transactions/withdrawals"): await bank.when(
            "POST", "/api/v1/transactions/withdrawals", json=movement
        ),
        ("put", "/api/v1/persons/{person_id}/address"): await bank.when(
            "PUT", f"/api/v1/persons/{owner}/address", json={**ADDRESS_BODY, "state": "BE"}
        ),
        ("get", "/api/v1/persons/{person_id}"): await bank.when("GET", f"/api/v1/persons/{owner}"),
        ("get", "/api/v1/persons"): await bank.when("GET", "/api/v1/persons?limit=1"),
        ("post", "/api/v1/accounts"): await bank.when("POST", "/api/v1/accounts", json={"owner_id": owner}),
        ("get", "/api/v1/accounts"): await bank.when("GET", "/api/v1/accounts"),
        ("get", "/api/v1/transactions/{transaction_id}"): await bank.when("GET", f"/api/v1/transactions/{id_}"),
        ("post", "/api/v1/transfers"): transfer,
        ("get", "/api/v1/transfers"): await bank.when("GET", f"/api/v1/transfers?account_id={account}"),
        ("get", "/api/v1/transfers/{transfer_id}"): await bank.when("GET", f"/api/v1/transfers/{transfer.body['id']}"),
        ("post", "/api/v1/cloudevents"): await bank.when(
            "POST", "/api/v1/cloudevents", json=[], headers={"content-type": "application/cloudevents-batch+json"}
        ),
        ("get", "/health/live"): await bank.when("GET", "/health/live"),
        ("get", "/health/ready"): await bank.when("GET", "/health/ready"),
    }
    for name in ("", "/transactions", "/events"):
        path = "/api/v1/accounts/{account_id}" + name
        all_answers["get", path] = await bank.when("GET", path.format(account_id=account))
    empty = await new_account(bank)
    for verb in ("freeze", "unfreeze", "close"):
        path = "/api/v1/accounts/{account_id}/" + verb
        all_answers["post", path] = await bank.when("POST", path.format(account_id=empty))

    assert set(all_answers) == set(ENDPOINTS) | OPEN
    for (method, path), answer in all_answers.items():
        assert answer.response.is_success, (method, path, answer.response.text)
        fits(document, method, path, answer)


async def test_what_is_refused_is_as_described(shared_bank: RunningService, document: Document) -> None:
    for method, path in ENDPOINTS:
        filled = path.format(person_id="none", account_id="none", transaction_id="none", transfer_id="none")

        if method == "get":
            refusal = await shared_bank.when("GET", filled, params={"cursor": "!", "limit": "0"})
        else:
            refusal = await shared_bank.when(method.upper(), filled, content="{", headers={"Content-Type": "x/y"})

        assert refusal.response.is_client_error
        fits(document, method, path, refusal)


@pytest.mark.parametrize(
    ("method", "path", "status", "taken", "sent"),
    [
        ("post", "/accounts", 201, {"Idempotency-Key"}, {"Location", "ETag", "X-Event-Position"}),
        ("get", "/accounts/{account_id}", 200, {"X-Wait-For-Position"}, {"ETag"}),
        ("post", "/accounts/{account_id}/freeze", 200, {"Idempotency-Key", "If-Match"}, {"ETag", "X-Event-Position"}),
        ("post", "/transfers", 202, {"Idempotency-Key", "prefer"}, {"Location", "X-Event-Position"}),
    ],
)
async def test_the_headers_of_an_endpoint_are_described(
    document: Document, method: str, path: str, status: int, taken: set[str], sent: set[str]
) -> None:
    operation = document["paths"][f"/api/v1{path}"][method]

    assert {one["name"] for one in operation["parameters"] if one["in"] == "header"} == taken
    assert set(operation["responses"][str(status)]["headers"]) == sent


async def test_amounts_are_described_as_text(document: Document) -> None:
    schemas = document["components"]["schemas"]

    for model, field in (("MovementRequest", "amount"), ("OpenAccountRequest", "overdraft_limit")):
        assert schemas[model]["properties"][field]["type"] == "string"
    for model in ("AccountDto", "TransactionDto"):
        amounts = {"balance", "available", "overdraft_limit", "amount", "balance_after"} & set(
            schemas[model]["properties"]
        )
        assert {schemas[model]["properties"][name]["type"] for name in amounts} == {"string"}


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/persons", "GET, POST"),
        ("PATCH", "/api/v1/persons/ada", "GET"),
        ("POST", "/api/v1/persons/ada/address", "PUT"),
        ("PUT", "/api/v1/accounts", "GET, POST"),
        ("GET", "/api/v1/accounts/a/freeze", "POST"),
        ("OPTIONS", "/api/v1/accounts", "GET, POST"),
        ("DELETE", "/api/v1/transactions/deposits", "GET, POST"),
        ("POST", "/health/live", "GET"),
        ("BREW", "/api/v1/accounts", "GET, POST"),
    ],
)
async def test_a_method_that_is_not_there_is_405_and_told_which_are(
    shared_bank: RunningService, method: str, path: str, allowed: str
) -> None:
    answer = await shared_bank.when(method, path)

    answer.then_refused(405, "method-not-allowed")
    assert answer.response.headers.get_list("allow") == [allowed]


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/api", "/api/v1", "/api/v2/accounts", "/api/v1/accounts/", "//api/v1/accounts", "/api/v1/Accounts",
     "/api/v1/accounts/a/b/c", "/docs", "/openapi.json", "/redoc"],
)  # fmt: skip
async def test_a_path_that_is_not_there_is_404(shared_bank: RunningService, path: str) -> None:
    (await shared_bank.when("GET", path)).then_refused(404, "not-found")
