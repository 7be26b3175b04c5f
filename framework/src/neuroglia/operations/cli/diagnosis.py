"""What is wrong with a service, in plain words, and what to do about it."""

from collections.abc import Iterator
from typing import Any

import httpx

from neuroglia.operations.cli.client import items

Finding = tuple[str, str]
"""What is wrong, and the remedy."""


def findings(client: httpx.Client) -> Iterator[Finding]:
    """All that is wrong; what cannot be asked any more because of it is left out."""
    client.get("/health/live")
    ready = client.get("/health/ready").json()
    down = [service["name"] for service in ready["services"] if service["state"] != "up"]
    for name in down:
        wrong = f"The {name} does not answer: the service can do nothing without it."
        yield wrong, f"See that it runs, and that {name.upper()}_URL names it."
    if down:
        return
    for one in items(client, "/subscriptions") if ready["subscriptions"] else ():
        yield from _of_subscription(one)
    for queue in ("jobs", "inbox", "outbox"):
        if found := sum(1 for _ in items(client, "/jobs", queue=queue, state="parked")):
            last = "neuroglia jobs retry ID" + ("" if queue == "outbox" else ", or jobs cancel ID")
            remedy = f"neuroglia jobs list --queue {queue} --state parked; mend the cause; {last}"
            yield f"{found} item(s) of the queue {queue} failed too often, and are parked.", remedy
    if ready["status"] == "unavailable":
        yield "A subscription or worker of this process has died.", "Look into its log, and restart it."


def _of_subscription(one: dict[str, Any]) -> Iterator[Finding]:
    name = one["name"]
    if one["parked"]:
        remedy = f"neuroglia parked show {name}; mend the cause; neuroglia parked replay {name}"
        yield f"{name} has parked events of {one['parked']} stream(s).", remedy
    if one["error"] == "LogBehindCheckpoint":
        wrong = f"{name} has seen events that the event store does not have: they were lost, or an old copy put back."
        yield wrong, "Remove what follows from the log, and only that: README, 'When the log has lost events'."
    elif one["state"] == "retrying":
        remedy = "It goes on by itself when the cause is gone. Look for 'subscription failed' in the log."
        yield f"{name} fails, and tries again: {one['error']}.", remedy
    if one["state"] == "stopped" or (one["state"] == "standby" and one["lag"]):
        remedy = "Another process has its lease. If none does, another takes over within LEASE_SECONDS."
        yield f"{name} is {one['lag']} positions behind, and this process does not run it.", remedy
    if one["unknown_events"]:
        wrong = f"{name} has passed {one['unknown_events']} event(s) of types that this version does not know."
        yield wrong, "Deploy the version that knows them, and have its models rebuilt."
