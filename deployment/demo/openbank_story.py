"""OpenBank's story: two people and their money, refusals, transfers, and a kill that loses nothing."""

from collections.abc import Callable
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

from deployment.demo.narrator import Difference, Narrator
from deployment.demo.sink import Listener, listening
from deployment.demo.transfer_story import poison_is_parked, transfer_completes, transfer_is_refunded
from deployment.issuer.process import RunningIssuer
from deployment.processes import serving

API = "/api/v1"


def play(narrator: Narrator, folder: Path, running: ExitStack, issuer: RunningIssuer) -> None:
    """Plays the story. The servers that it starts over `folder` end with `running`.

    Raises:
        Difference: an answer was not the promised one.
    """
    sink = running.enter_context(listening())
    start = partial(serving, "openbank", folder, CLOUD_EVENTS_SINK=sink.url, OAUTH2_ISSUER=issuer.url)
    server = running.enter_context(start())
    narrator.connect(server.url)
    narrator.title("OpenBank: a bank whose truth is its events")
    narrator.say(
        f"The bank runs at {server.url} (process {server.process.pid}). Its databases are plain files in {folder}."
    )

    def kill_and_start() -> None:
        server.kill()
        again = running.enter_context(start(port=server.port))
        narrator.say(f"Process {server.process.pid} was killed; process {again.process.pid} opened the same files.")

    tell(narrator, issuer, sink, kill_and_start, folder)


def tell(
    narrator: Narrator, issuer: RunningIssuer, sink: Listener, kill_and_start: Callable[[], None], folder: Path
) -> None:
    """Tells the story of the bank to which the narrator is connected. It tells its events to `sink`.

    Raises:
        Difference: an answer was not the promised one.
    """
    _knock(narrator, issuer)
    ada, bob = _register_two_people(narrator)
    account, savings = _open_accounts(narrator, ada, bob)
    _move_money(narrator, account)
    _refuse_an_overdraft(narrator, account)
    _freeze(narrator, account)
    _read_the_statement(narrator, account)
    _read_the_audit_trail(narrator, account)
    narrator.sign_in(issuer.token("operator"))  # who may look into the works, too
    transfer_completes(narrator, sink, account, savings)
    transfer_is_refunded(narrator, account, savings)
    balance = Decimal("216.55")
    if (folder / "events.db").exists():  # a file that somebody can write into by hand
        balance += poison_is_parked(narrator, folder, account)
    statement = _pay_in_once_more(narrator, account)
    kill_and_start()
    _nothing_is_lost(narrator, account, statement, balance + 1)


def _knock(narrator: Narrator, issuer: RunningIssuer) -> None:
    narrator.chapter(
        "Nobody gets in without a token",
        f"Tokens come from a small OpenID Connect issuer at {issuer.url}; the bank checks each by the issuer's keys.",
    )
    narrator.ask("GET", f"{API}/persons", 401, show="{detail}")
    narrator.sign_in(issuer.token("visitor"))
    narrator.ask("POST", f"{API}/persons", 403, body={}, show="{detail}")
    narrator.sign_in(issuer.token("teller"))
    narrator.ask("GET", f"{API}/persons", 200, show="a teller may: {items}")


def _register_two_people(narrator: Narrator) -> tuple[str, str]:
    narrator.chapter("Two people become customers", "Each is an aggregate: a stream of events of its own.")
    address = {"street": "Inselstrasse", "number": "7", "postal_code": "04103", "city": "Leipzig", "country": "DE"}
    ids: list[str] = []
    for first_name, last_name, born in (("Ada", "Lindqvist", "1990-12-10"), ("Bob", "Okafor", "1985-06-23")):
        response = narrator.ask(
            "POST",
            f"{API}/persons",
            201,
            body={
                "first_name": first_name,
                "last_name": last_name,
                "nationality": "SE" if first_name == "Ada" else "NG",
                "date_of_birth": born,
                "address": address,
            },
            show="{first_name} {last_name} is person {id}",
        )
        ids.append(response.json()["id"])
    return ids[0], ids[1]


def _open_accounts(narrator: Narrator, ada: str, bob: str) -> tuple[str, str]:
    narrator.chapter(
        "They open accounts",
        "A write answers with X-Event-Position. A read that sends it back waits until the read model has caught up.",
    )
    opened = narrator.ask(
        "POST",
        f"{API}/accounts",
        201,
        body={"currency": "EUR", "overdraft_limit": "50.00", "owner_id": ada},
        show="account {id} of {owner_name}: balance {balance} {currency}, available {available}",
        expect={"balance": "0.00", "available": "50.00", "status": "open"},
    )
    savings = narrator.ask(
        "POST",
        f"{API}/accounts",
        201,
        body={"owner_id": bob},
        show="account {id} of {owner_name}: balance {balance} {currency}",
    )
    narrator.ask(
        "GET",
        opened.headers["location"],
        200,
        show="the read model knows it already: {owner_name}, {status}",
        expect={"owner_name": "Ada Lindqvist"},
    )
    return opened.json()["id"], savings.json()["id"]


def _move_money(narrator: Narrator, account: str) -> None:
    narrator.chapter("Money moves")
    for kind, amount, reference, after in (
        ("deposits", "1200.00", "salary", "1200.00"),
        ("withdrawals", "850.50", "rent", "349.50"),
        ("withdrawals", "42.95", "groceries", "306.55"),
    ):
        narrator.ask(
            "POST",
            f"{API}/transactions/{kind}",
            201,
            body={"amount": amount, "reference": reference, "account_id": account},
            show="{type} of {amount} {currency}, balance {balance_after}",
            expect={"balance_after": after},
        )


def _refuse_an_overdraft(narrator: Narrator, account: str) -> None:
    narrator.chapter("The bank says no", "Errors are RFC 9457 problems: a type for programs, a sentence for people.")
    narrator.ask(
        "POST",
        f"{API}/transactions/withdrawals",
        422,
        body={"amount": "5000.00", "reference": "a sports car", "account_id": account},
        show="{type}: {detail}",
        expect={"type": "urn:neuroglia:openbank:insufficient-funds"},
    )
    narrator.ask(
        "POST",
        f"{API}/transactions/deposits",
        422,
        body={"amount": "-100.00", "account_id": account},
        show="{type}: {errors[0][pointer]}: {errors[0][detail]}",
        expect={"type": "urn:neuroglia:openbank:invalid-request"},
    )


def _freeze(narrator: Narrator, account: str) -> None:
    narrator.chapter("A frozen account takes money in, but gives none out")
    narrator.ask(
        "POST", f"{API}/accounts/{account}/freeze", 200, body={"reason": "card lost"}, show="the account is {status}"
    )
    movement = {"amount": "10.00", "reference": "refund", "account_id": account}
    narrator.ask(
        "POST",
        f"{API}/transactions/withdrawals",
        409,
        body=movement,
        show="{detail}",
        expect={"type": "urn:neuroglia:openbank:account-frozen"},
    )
    narrator.ask("POST", f"{API}/transactions/deposits", 201, body=movement, show="deposit, balance {balance_after}")
    narrator.ask("POST", f"{API}/accounts/{account}/unfreeze", 200, show="the account is {status}")


def _read_the_statement(narrator: Narrator, account: str) -> None:
    narrator.chapter("The statement", "A projection builds it from the events; it is never the truth, only a view.")
    statement: list[dict[str, Any]] = narrator.ask("GET", f"{API}/accounts/{account}/transactions", 200).json()["items"]
    _tell_statement(narrator, statement)
    balances = [line["balance_after"] for line in statement]
    if balances != ["316.55", "306.55", "349.50", "1200.00"]:
        raise Difference(f"the statement's balances are {balances}")


def _tell_statement(narrator: Narrator, statement: list[dict[str, Any]]) -> None:
    narrator.table(
        ["recorded at", "type", "reference", "amount", "balance"],
        [
            [line["recorded_at"][:19], line["type"], line["reference"], line["amount"], line["balance_after"]]
            for line in statement
        ],
    )


def _read_the_audit_trail(narrator: Narrator, account: str) -> None:
    narrator.chapter("The audit trail", "The events themselves: all that ever happened, in order, as it was recorded.")
    events = narrator.ask("GET", f"{API}/accounts/{account}/events", 200).json()["items"]
    narrator.table(
        ["event", "correlation", "revision"],
        [[event["type"], event["correlation_id"], str(event["revision"])] for event in events],
    )
    if [event["revision"] for event in events] != list(range(7)):
        raise Difference(f"the audit trail has the revisions {[event['revision'] for event in events]}")


def _pay_in_once_more(narrator: Narrator, account: str) -> list[Any]:
    """Returns the statement from before."""
    narrator.chapter("The server is killed and started again", "Nothing that was acknowledged is lost.")
    statement = narrator.ask("GET", f"{API}/accounts/{account}/transactions", 200, show="the statement").json()["items"]
    deposit = {"account_id": account, "amount": "1.00", "reference": "the last word"}
    narrator.ask("POST", f"{API}/transactions/deposits", 201, body=deposit, show="deposit, balance {balance_after}")
    return list(statement)


def _nothing_is_lost(narrator: Narrator, account: str, statement: list[Any], balance: Decimal) -> None:
    narrator.ask(
        "GET",
        f"{API}/accounts/{account}",
        200,
        show="{owner_name}: balance {balance} {currency}",
        expect={"balance": str(balance), "status": "open"},
    )
    path = f"{API}/accounts/{account}/transactions"
    found = narrator.ask("GET", path, 200, show="the same statement, and the last deposit")
    if found.json()["items"][1:] != statement:
        raise Difference("the statement is another one after the kill")
    narrator.settle()
    ready = narrator.ask("GET", "/health/ready", 200, show="{status}").json()
    narrator.table(
        ["subscription", "state", "position", "lag"],
        [
            [found["name"], found["state"], str(found["position"]), str(found["lag"])]
            for found in ready["subscriptions"]
        ],
    )
