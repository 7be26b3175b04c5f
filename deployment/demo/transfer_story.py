"""The story goes on: money goes from one account to another, whatever happens on the way."""

import json
import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

from deployment.demo.narrator import Difference, Narrator
from deployment.demo.sink import Listener
from deployment.processes import until

API = "/api/v1"
OPERATIONS = f"{API}/operations"
IN_TIME = {"Prefer": "wait=10"}
_LIMIT_S = 20.0


def transfer_completes(narrator: Narrator, sink: Listener, sender: str, receiver: str) -> None:
    """100 go from Ada to Bob. Shows what that one request caused, and what the outside heard of it."""
    narrator.chapter(
        "Money goes from Ada to Bob",
        "No transaction spans two accounts. So a transfer is a process of its own: debit one, then credit the other.",
    )
    body = {"from_account_id": sender, "to_account_id": receiver, "amount": "100.00", "reference": "concert tickets"}
    transfer = narrator.ask(
        "POST", f"{API}/transfers", 200, body=body, headers=IN_TIME,
        show="transfer {id}: {status}", expect={"status": "completed"},
    )  # fmt: skip
    narrator.settle()
    narrator.ask("GET", f"{API}/accounts/{sender}", 200, show="Ada has {balance}", expect={"balance": "216.55"})
    narrator.ask("GET", f"{API}/accounts/{receiver}", 200, show="Bob has {balance}", expect={"balance": "100.00"})

    narrator.chapter("What that one request has caused", "Every event knows its cause. (neuroglia events --tree)")
    correlation = transfer.headers["x-correlation-id"]
    events = narrator.ask("GET", f"{OPERATIONS}/events?correlation_id={correlation}", 200).json()["items"]
    _tell_tree(narrator, events)
    if len(events) != 5:
        raise Difference(f"the transfer caused {len(events)} events, not 5")

    narrator.chapter("Somebody listens", f"{sink.url} is told what happened, as CloudEvents: ids, amounts and states.")
    until(lambda: len(_of(sink, correlation)) == 5, "the sink to hear of the transfer", _LIMIT_S)
    heard = _of(sink, correlation)
    narrator.table(["type", "subject", "amount"], [[one["type"], one["subject"], _amount(one)] for one in heard])
    if any("concert" in json.dumps(one) for one in heard):
        raise Difference("the outside was told the reference")


def transfer_is_refunded(narrator: Narrator, sender: str, receiver: str) -> None:
    """Bob closes his account while money is on its way to it. It comes back."""
    narrator.chapter(
        "Bob closes his account in the same moment in which Ada sends money to it",
        "It leaves Ada, is refused there, and comes back.",
    )
    withdrawal = {"account_id": receiver, "amount": "100.00", "reference": "all of it"}
    narrator.ask("POST", f"{API}/transactions/withdrawals", 201, body=withdrawal, show="Bob takes {amount}")
    while _arrives_before_the_end(narrator, sender, receiver):
        narrator.say(
            "The money was faster: an account with money in it stays open. Bob sends it back, and tries again."
        )
        body = {"from_account_id": receiver, "to_account_id": sender, "amount": "50.00"}
        narrator.ask("POST", f"{API}/transfers", 200, body=body, headers=IN_TIME, expect={"status": "completed"})
    narrator.settle()
    lines = narrator.ask(
        "GET", f"{API}/accounts/{sender}/transactions?limit=2", 200, show="money was taken, and given back"
    ).json()["items"]
    narrator.table(
        ["type", "amount", "balance"], [[line["type"], line["amount"], line["balance_after"]] for line in lines]
    )
    if [line["type"] for line in lines] != ["refund", "transfer_out"]:
        raise Difference("the statement does not show the refund")


def _arrives_before_the_end(narrator: Narrator, sender: str, receiver: str) -> bool:
    """Sends money to an account while that is closed. Returns whether the money was there first."""
    close, body = f"{API}/accounts/{receiver}/close", {"from_account_id": sender, "to_account_id": receiver}
    with ThreadPoolExecutor() as beside:
        closing = beside.submit(narrator.ask, "POST", close, {200, 409})
        transfer = narrator.ask(
            "POST", f"{API}/transfers", 200, body={**body, "amount": "50.00"}, headers=IN_TIME,
            show="{status}: {reason}",
        ).json()  # fmt: skip
    if closing.result().status_code == 409:
        return True
    if (transfer["status"], transfer["reason"]) != ("refunded", "account-closed"):
        raise Difference(f"a transfer to a closed account ended as {transfer}")
    return False


def poison_is_parked(narrator: Narrator, folder: Path, account: str) -> Decimal:
    """An event that nobody can read is written by hand; it is parked, mended and replayed. Returns what it pays in."""
    narrator.chapter(
        "An event that nobody can read",
        "Somebody writes into the event store by hand, and makes a mistake. What follows the log parks that event with"
        " what comes behind it in its stream; everything else flows on.",
    )
    _write(folder, account, '{"type": "deposit", "amount": "ten euros"}')
    until(lambda: _all_have_parked_it(narrator.health()["subscriptions"]), "the event to be parked", _LIMIT_S)
    parked = narrator.ask("GET", f"{OPERATIONS}/parked", 200, show="parked (neuroglia parked list)").json()["items"]
    narrator.table(
        ["subscription", "event", "error"], [[one["subscription"], one["type"], one["error"]] for one in parked]
    )
    narrator.say("The mistake is corrected, and what was parked is replayed (neuroglia parked replay):")
    euros = [{"amount": amount, "currency": "EUR"} for amount in ("10.00", "226.55")]
    _correct(folder, {"type": "deposit", "amount": euros[0], "balance_after": euros[1], "reference": "by hand"})
    for name in sorted({one["subscription"] for one in parked}):
        narrator.ask("POST", f"{OPERATIONS}/parked/{name}/replay", 202, body={})
    until(lambda: narrator.health()["status"] == "ready", "the event to be replayed", _LIMIT_S)
    narrator.ask("GET", f"{API}/accounts/{account}", 200, show="Ada has {balance}", expect={"balance": "226.55"})
    return Decimal(10)


def _all_have_parked_it(subscriptions: Sequence[dict[str, Any]]) -> bool:
    """Or have nothing to do with it."""
    settled = all(one["state"] == "live" and one["lag"] == 0 for one in subscriptions)
    return settled and any(one["parked"] for one in subscriptions)


def _of(sink: Listener, correlation: str) -> list[dict[str, Any]]:
    return [one for one in list(sink.heard) if one.get("correlationid") == correlation]


def _amount(heard: dict[str, Any]) -> str:
    return str(heard["data"].get("amount", ""))


def _tell_tree(narrator: Narrator, events: Sequence[dict[str, Any]]) -> None:
    ids = {event["id"] for event in events}

    def tell(cause: str | None, depth: int) -> None:
        for event in events:
            known = event["causation_id"] if event["causation_id"] in ids else None
            if known == cause:
                narrator.say(f"{'   ' * depth}└ {event['type']} in {event['stream'].partition('-')[0]}")
                tell(event["id"], depth + 1)

    tell(None, 0)


def _write(folder: Path, account: str, data: str) -> None:
    with closing(sqlite3.connect(folder / "events.db")) as database, database:
        (revision,) = database.execute(
            "SELECT max(revision) FROM events WHERE stream = ?", (f"bank_account-{account}",)
        ).fetchone()
        database.execute(
            "INSERT INTO events (stream, revision, id, type, data, recorded_at, correlation_id, actor)"
            " VALUES (?, ?, '00000000-0000-4000-8000-000000000000', 'openbank.money-deposited.v1', ?,"
            " strftime('%Y-%m-%dT%H:%M:%f000Z'), 'by-hand', 'somebody')",
            (f"bank_account-{account}", revision + 1, data),
        )


def _correct(folder: Path, data: dict[str, Any]) -> None:
    with closing(sqlite3.connect(folder / "events.db")) as database, database:
        database.execute("UPDATE events SET data = ? WHERE correlation_id = 'by-hand'", (json.dumps(data),))
