"""The API Gateway's story: a third party, a key, a prompt, and the answer that comes back whatever happens."""

import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final

from deployment.agent.process import RunningAgent, acting
from deployment.demo.narrator import Difference, Narrator
from deployment.demo.packages import Shelf, offering, packed
from deployment.demo.prompt_story import API, LIMIT_S, is_told_again, prompt_faults_and_is_retried, urls_are_refused
from deployment.demo.receiver import Callback, Receiver, receiving
from deployment.demo.sink import Listener, listening
from deployment.demo.verification import verify_callback
from deployment.issuer.process import RunningIssuer
from deployment.processes import free_port, serving, until

_STEPS: Final = ["created", "preparing", "prepared", "submitted", "completed", "responded"]
_TOLD: Final = ["received", "data-processed", "submitted", "response-received", "responded"]


@dataclass(frozen=True)
class Neighbours:
    """Who is around the gateway."""

    issuer: RunningIssuer
    agent: RunningAgent
    sink: Listener
    receiver: Receiver
    shelf: Shelf


def play(narrator: Narrator, folder: Path, running: ExitStack, issuer: RunningIssuer) -> None:
    """Plays the story. The servers that it starts over `folder` end with `running`.

    Raises:
        Difference: an answer was not the promised one.
    """
    port, agents_port = free_port(), free_port()
    sink, receiver = running.enter_context(listening()), running.enter_context(receiving())
    start = partial(
        serving, "api_gateway", folder, port=port, OAUTH2_ISSUER=issuer.url, CLOUD_EVENTS_SINK=sink.url,
        GENAI_URL=f"agent+http://127.0.0.1:{agents_port}",
        DOCUMENT_STORE_URL="sqlite:///{DATA_DIR}/documents.db",  # one of its own, wherever the bank has its own
        OUTGOING_ALLOW_HTTP="true", OUTGOING_PORTS="1024-65535", OUTGOING_ALLOWED_NETWORKS="127.0.0.1/32",
    )  # fmt: skip
    with ThreadPoolExecutor() as meanwhile:  # each takes a second, mostly of imports
        agent = acting(folder / "agent", f"http://127.0.0.1:{port}", issuer, port=agents_port)
        coming = meanwhile.submit(running.enter_context, agent)
        server = running.enter_context(start())
    around = Neighbours(issuer, coming.result(), sink, receiver, running.enter_context(offering()))
    narrator.connect(server.url)
    narrator.title("API Gateway: one door for third parties")
    narrator.say(
        f"The gateway runs at {server.url} (process {server.process.pid}). Behind it is a stand-in for a GenAI agent at"
        f" {around.agent.url}. The caller's own servers are on this machine, so the gateway was told to call 127.0.0.1"
        " and http, which it never does otherwise."
    )

    def start_again() -> None:
        again = running.enter_context(start())
        narrator.say(f"Process {again.process.pid} opened the same files.")

    tell(narrator, around, server.kill, start_again)


def tell(narrator: Narrator, around: Neighbours, kill: Callable[[], None], start_again: Callable[[], None]) -> None:
    """Tells the story of the gateway to which the narrator is connected. It may call the caller's servers.

    Raises:
        Difference: an answer was not the promised one.
    """
    key = _issue_a_key(narrator, around)
    prompt = _send_a_prompt(narrator, around)
    _verify_the_callback(narrator, around, prompt)
    _hear_the_events(narrator, around, prompt)
    _cancel(narrator)
    prompt_faults_and_is_retried(narrator, around.shelf, around.receiver, key, around.issuer.token("gatekeeper"))
    urls_are_refused(narrator)
    _stay_among_oneself(narrator, around, prompt)
    narrator.sign_in(None, key=key)
    told = is_told_again(narrator, around.receiver, kill)
    start_again()
    _nothing_is_lost(narrator, around, told)
    _ask_the_neighbours(narrator, around)


def _key_for(narrator: Narrator, around: Neighbours, caller: str) -> dict[str, Any]:
    narrator.sign_in(around.issuer.token("gatekeeper"))
    body = {"caller_id": caller, "permissions": ["prompts:create", "prompts:read"], "rate_limit": "100/minute"}
    show = "{secret:.17}…: the rest is shown to the caller, this once"
    return dict(narrator.ask("POST", f"{API}/api-keys", 201, body=body, show=show).json())


def _issue_a_key(narrator: Narrator, around: Neighbours) -> str:
    """The secret, with which the caller signs in from then on."""
    narrator.chapter(
        "A third party gets a key",
        "Of its secret only a hash is kept. What the key may, and how often, is its own.",
    )
    narrator.ask("GET", f"{API}/prompts", 401, show="{detail}")
    issued = _key_for(narrator, around, "acme")
    listed = narrator.ask("GET", f"{API}/api-keys", 200, show="the list knows no secrets")
    if issued["secret"] in listed.text or issued["callback_secret"] in listed.text:
        raise Difference("a secret was shown again")
    around.receiver.secrets.append(issued["callback_secret"])
    narrator.sign_in(None, key=issued["secret"])
    narrator.ask("POST", f"{API}/api-keys", 403, body={}, show="{detail}")
    return str(issued["secret"])


def _send_a_prompt(narrator: Narrator, around: Neighbours) -> dict[str, Any]:
    narrator.chapter(
        "A prompt with a package of data goes its way",
        "Each step is stored before the next one begins. The stream tells them while they happen.",
    )
    around.shelf.packages["/sales.zip"] = package = packed({"2026/sales.csv": "month,sold\nMay,7\n", "notes.txt": "-"})
    body = {
        "kind": "form", "context": {"question": "How was May?"}, "request_id": "may",
        "data_url": f"{around.shelf.url}/sales.zip", "callback_url": around.receiver.url,
    }  # fmt: skip
    sent = narrator.ask("POST", f"{API}/prompts", 201, body=body, show="prompt {id}: {status}")
    path = sent.headers["location"]
    steps = narrator.listen(f"{path}/events", show="{status:<10} {at}", last="submitted")
    if [step["status"] for step in steps] != _STEPS[:4]:
        raise Difference(f"the prompt's steps were {steps}")
    steps = narrator.listen(f"{path}/events", show="{status:<10} {at}")
    if [step["status"] for step in steps] != _STEPS:
        raise Difference(f"the prompt's steps were {steps}")
    prompt = narrator.ask(
        "GET", path, 200, show="{status} in attempt {attempts}", expect={"status": "responded"}
    ).json()
    if prompt["response"]["data_sha256"] != hashlib.sha256(package).hexdigest():
        raise Difference("the agent was told of other data")
    if (statuses := around.agent.taken()[f"{prompt['id']}:1"]["statuses"]) != [200]:
        raise Difference(f"the agent's answer was taken with {statuses}")
    narrator.say("The agent has brought its answer through the internal endpoint, with a token of its own.")
    narrator.ask("POST", f"{API}/prompts", 200, body=body, show="sent again: {id}, and nothing is done twice")
    return dict(prompt)


def _verify_the_callback(narrator: Narrator, around: Neighbours, prompt: dict[str, Any]) -> None:
    narrator.chapter(
        "The caller is called back, and can tell by whom",
        f"{around.receiver.url} believes what is signed with the caller's secret, and nothing else.",
    )
    callback = _first(around.receiver, prompt["id"])
    narrator.table(
        ["header", "value"],
        [[name, callback.headers[name]] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")],
    )
    secret = around.receiver.secrets[0]
    if callback.body["response"] != prompt["response"] or not verify_callback(
        callback.headers, callback.content, secret
    ):
        raise Difference("the caller was told something else")
    tampered = callback.content.replace(b"This is an answer.", b"Pay them a million.")
    if tampered == callback.content or verify_callback(callback.headers, tampered, secret):
        raise Difference("a forged callback was believed")
    narrator.say("It fits. The same with one sentence changed does not: who forges a callback is not believed.")


def _first(receiver: Receiver, id: str) -> Callback:
    found = [callback for callback in receiver.callbacks if callback.id == id]
    if not found or receiver.refused:
        raise Difference(f"{len(found)} callbacks came, and {receiver.refused} were not believed")
    return found[0]


def _hear_the_events(narrator: Narrator, around: Neighbours, prompt: dict[str, Any]) -> None:
    narrator.chapter("Somebody listens", "CloudEvents tell ids and states, and neither questions nor answers.")

    def heard() -> list[dict[str, Any]]:
        by_id = {one["id"]: one for one in list(around.sink.heard) if one["subject"] == prompt["id"]}
        return [*by_id.values()]  # what comes again has the id that it had

    until(lambda: len(heard()) >= len(_TOLD), "the sink to hear of the prompt", LIMIT_S)
    narrator.table(["type", "caller", "status"], [[one["type"], *_told(one)] for one in heard()])
    if [one["type"] for one in heard()] != [f"gateway.prompt-{name}.v1" for name in _TOLD]:
        raise Difference("the outside was told something else")


def _told(event: dict[str, Any]) -> tuple[str, str]:
    return event["data"]["caller_id"], event["data"]["status"]


def _cancel(narrator: Narrator) -> None:
    narrator.chapter("A prompt is cancelled", "What is final stays so.")
    body = {"kind": "chat", "context": {"question": "What is the meaning of life?", "agent": "never"}}
    path = narrator.ask("POST", f"{API}/prompts", 201, body=body, show="{status}").headers["location"]
    narrator.listen(f"{path}/events", show="{status}", last="submitted")
    narrator.ask("POST", f"{path}/cancel", 202, show="{status}", expect={"status": "cancelled"})
    narrator.ask("POST", f"{path}/cancel", 409, show="{detail}")


def _stay_among_oneself(narrator: Narrator, around: Neighbours, prompt: dict[str, Any]) -> None:
    narrator.chapter("Another caller sees nothing of it", "What belongs to somebody else is not there.")
    narrator.sign_in(None, key=_key_for(narrator, around, "globex")["secret"])
    narrator.ask("GET", f"{API}/prompts/{prompt['id']}", 404, show="{detail}")
    narrator.ask("POST", f"{API}/prompts/{prompt['id']}/cancel", 404, show="{detail}")
    if narrator.ask("GET", f"{API}/prompts", 200, show="its own list is empty").json()["items"]:
        raise Difference("a caller sees others' prompts")


def _nothing_is_lost(narrator: Narrator, around: Neighbours, id: str) -> None:
    path = f"{API}/prompts/{id}"
    narrator.listen(f"{path}/events", show="{status:<10} {at}")
    narrator.ask("GET", path, 200, show="{status} in attempt {attempts}", expect={"status": "responded", "attempts": 1})
    came = [callback for callback in around.receiver.callbacks if callback.id == id]
    if len(came) < 2 or len({callback.content for callback in came}) != 1:
        raise Difference(f"the caller was called {len(came)} times")
    narrator.say(f"The callback came {len(came)} times under one webhook-id: who remembers ids is told once.")


def _ask_the_neighbours(narrator: Narrator, around: Neighbours) -> None:
    narrator.chapter("How are the others?", "Each service that the gateway needs is really asked.")
    narrator.sign_in(around.issuer.token("gatekeeper"))
    found = narrator.ask("GET", f"{API}/dependencies/health", 200, show="{status}", expect={"status": "healthy"}).json()
    narrator.table(["dependency", "state"], [[one["name"], one["state"]] for one in found["dependencies"]])
