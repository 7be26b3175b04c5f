"""What is wrong with a service, in plain words, and what to do about it."""

from typing import Any

from neuroglia.operations.cli.client import Client

Finding = dict[str, str]


def findings(client: Client) -> list[Finding]:
    """All that is wrong; what cannot be asked any more because of it is left out."""
    client.ask("GET", "/health/live")
    ready = client.ask("GET", "/health/ready")
    found = [
        _finding(
            f"The {service['name']} does not answer: the service can do nothing without it.",
            f"See that it runs, and that {service['name'].upper()}_URL names it.",
        )
        for service in ready["services"]
        if service["state"] != "up"
    ]
    if found:
        return found
    for one in client.pages("/subscriptions", 1):
        found += _of_subscription(one)
    if ready["status"] == "unavailable":
        found.append(_finding("A subscription of this process has died.", "Look into its log, and restart it."))
    return found


def _of_subscription(one: dict[str, Any]) -> list[Finding]:
    name, found = one["name"], list[Finding]()
    if one["parked"]:
        remedy = f"neuroglia parked show {name}; mend the cause; neuroglia parked replay {name}"
        found.append(_finding(f"{name} has parked events of {one['parked']} stream(s).", remedy))
    if one["error"] == "LogBehindCheckpoint":
        wrong = f"{name} has seen events that the event store does not have: it was emptied, or an old copy put back."
        found.append(_finding(wrong, "Remove the document store's data, and start again: it is built anew."))
    elif one["state"] == "retrying":
        remedy = "It goes on by itself when the cause is gone. Look for 'subscription failed' in the log."
        found.append(_finding(f"{name} fails, and tries again: {one['error']}.", remedy))
    if one["state"] == "stopped" or (one["state"] == "standby" and one["lag"]):
        remedy = "Another process has its lease. If none does, another takes over within LEASE_SECONDS."
        found.append(_finding(f"{name} is {one['lag']} positions behind, and this process does not run it.", remedy))
    if one["unknown_events"]:
        wrong = f"{name} has passed {one['unknown_events']} event(s) of types that this version does not know."
        found.append(_finding(wrong, "Deploy the version that knows them, and have its models rebuilt."))
    return found


def _finding(wrong: str, remedy: str) -> Finding:
    return {"wrong": wrong, "remedy": remedy}
