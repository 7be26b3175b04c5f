"""The story goes on: what is wrong with a prompt, and what is wrong with a process."""

import threading
from collections.abc import Callable
from typing import Any, Final

from deployment.demo.narrator import Difference, Narrator
from deployment.demo.packages import Shelf, packed
from deployment.demo.receiver import Receiver
from deployment.processes import until

API: Final = "/api/v1"
IN_TIME: Final = {"Prefer": "wait=20"}
LIMIT_S: Final = 20.0


def prompt_faults_and_is_retried(narrator: Narrator, shelf: Shelf, receiver: Receiver, key: str, token: str) -> None:
    """A package would write outside of where it is unpacked. It is put right, and an admin lets the prompt go on."""
    narrator.chapter(
        "A package that would do harm is not taken",
        "Archives are looked at byte by byte, and never unpacked here: who does that later must not be led astray.",
    )
    shelf.packages["/report.zip"] = packed({"../../etc/cron.d/job": "* * * * * root reboot\n"})
    body = {
        "kind": "item", "context": {"question": "What does it say?"},
        "data_url": f"{shelf.url}/report.zip", "callback_url": receiver.url,
    }  # fmt: skip
    faulted = narrator.ask(
        "POST", f"{API}/prompts", 200, body=body, headers=IN_TIME,
        show="{status}: {error[detail]}", expect={"status": "faulted", "attempts": 0},
    ).json()  # fmt: skip
    if faulted["error"]["code"] != "data-unsafe-archive":
        raise Difference(f"the prompt faulted for {faulted['error']}")
    path = f"{API}/prompts/{faulted['id']}"
    shelf.packages["/report.zip"] = packed({"report.txt": "All is well.\n"})
    narrator.say("The caller puts a good one in its place, and asks an admin: only they may let it go on.")
    narrator.ask("POST", f"{path}/retry", 403, show="{detail}")
    narrator.sign_in(token)
    narrator.ask(
        "POST", f"{path}/retry", 200, headers=IN_TIME,
        show="{status} in attempt {attempts}", expect={"status": "responded", "error": None},
    )  # fmt: skip
    narrator.sign_in(None, key=key)


def urls_are_refused(narrator: Narrator) -> None:
    """The gateway does not reach into its own neighbourhood for a caller."""
    narrator.chapter(
        "The gateway is nobody's way in",
        "Where clouds keep a machine's credentials, private networks, numbers that some read as addresses: refused, and"
        " once more when a name is resolved for the connection.",
    )
    for name, url in (
        ("callback_url", "http://169.254.169.254/latest/meta-data/iam/"),
        ("data_url", "https://10.0.0.7/payroll.zip"),
        ("data_url", "http://2852039166/latest/"),
    ):
        body: dict[str, Any] = {name: url, "kind": "item", "context": {}}
        show = "{errors[0][pointer]}: {errors[0][detail]}"
        narrator.ask("POST", f"{API}/prompts", 422, body=body, show=show)


def is_told_again(narrator: Narrator, receiver: Receiver, kill: Callable[[], None]) -> str:
    """The gateway is killed while it waits for the caller's server. Returns the id of the prompt in its hands."""
    narrator.chapter(
        "The gateway is killed with a prompt in hand",
        "It has sent the callback, and dies before it knows that it was taken.",
    )
    killed = threading.Event()

    def meanwhile() -> None:
        kill()
        killed.set()

    receiver.meanwhile = meanwhile
    body = {"kind": "item", "context": {"question": "Are you still there?"}, "callback_url": receiver.url}
    id = str(narrator.ask("POST", f"{API}/prompts", 201, body=body, show="prompt {id}: {status}").json()["id"])
    until(killed.is_set, "the gateway to be killed", LIMIT_S)
    if [callback.id for callback in receiver.callbacks][-1] != id:
        raise Difference("the gateway was killed over something else")
    narrator.say("It was killed (SIGKILL) in the middle of it.")
    return id
